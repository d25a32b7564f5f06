"""From a listing that was merged to one that is live: embedded, checked, published.

Each stage makes the job of the next one in its own transaction, so nothing is lost between two of them, and each can be
retried alone.

kinds      the names of the jobs
receivers  a stored vector leads a listing from `embedding` to `quality`
check      the job `quality_control`
publish    the job `index_business`; taking listings out of sight
review     what a person decides
why        why a listing is not live, and who has the next step
"""
