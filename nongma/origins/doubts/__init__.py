"""Doubts (疑点): what does not look right in a record, found and explained by itself, judged by the reviewer."""
