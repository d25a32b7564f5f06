"""What the system is measured beside: how one would do it otherwise.

one_by_one  a message and a provider call for each business, with plain dramatiq
in_turn     a loop over batches of ten, without jobs
plain       messages of plain dramatiq that do nothing
"""
