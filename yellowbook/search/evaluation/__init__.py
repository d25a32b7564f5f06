"""How good search is, measured on a data set with judged queries.

scratch    a database for the length of an evaluation, filled from a file
measures   nDCG and recall
slips      names with a slip of the pen
evaluate   every query by every ranking
"""
