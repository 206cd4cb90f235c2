"""The cast and factories that every test shares."""
