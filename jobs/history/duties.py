"""What the leader does for history's sake."""

from jobs.duties import Duty, register
from jobs.history import gauges, tallies

#: Seconds between two merges: few rows are left to be added up whenever somebody looks.
MERGE_EVERY = 5.0

register(Duty("merge_tallies", MERGE_EVERY, tallies.merge))
register(Duty("sample_gauges", gauges.EVERY, gauges.sample))
