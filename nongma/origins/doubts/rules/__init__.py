"""One module for each thing that doubts are about; each answers what it found in a batch of records."""
