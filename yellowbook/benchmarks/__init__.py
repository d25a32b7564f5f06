"""Measurements of what the product promises, each beside a reference taken in the same run."""
