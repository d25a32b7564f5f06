"""Reads businesses out of what a seller publishes."""
