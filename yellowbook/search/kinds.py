"""The kind of job of this app."""

from jobs.kinds import Kind, register
from jobs.periodic import every
from jobs.schedule import Every
from yellowbook.search.refresh import refresh_index

#: Mends the index, and counts its words.
REFRESH_SEARCH_INDEX = "refresh_search_index"

register(Kind(name=REFRESH_SEARCH_INDEX, handler=refresh_index, concurrency=1))
every(Every(3600), REFRESH_SEARCH_INDEX)
