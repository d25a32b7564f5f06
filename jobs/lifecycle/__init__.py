"""The only place that writes a job's status.

Every change is a compare-and-swap: the statement names the state (and, while a job runs, the lease) that it starts
from, and the rows it changed are counted. A worker that lost its lease finds nothing to change.

    enter    nothing -> queued, or join the job that waits already
    claim    queued | retrying -> running
    finish   running -> succeeded | retrying | dead | cancelled (a newer job waits)
    recover  running -> queued | dead (poisoned), when the lease is lost
    steer    queued | retrying -> cancelled, dead -> queued: what people may do
"""

from jobs.lifecycle.claim import Claim, ClaimedJob, claim, claim_one
from jobs.lifecycle.enter import Entry, enter
from jobs.lifecycle.finish import Failure, Postponed, finish
from jobs.lifecycle.recover import release_worker, take_back_expired
from jobs.lifecycle.steer import StateConflict, cancel, cancel_many, cancel_waiting, retry, retry_many

__all__ = [
    "Claim",
    "ClaimedJob",
    "Entry",
    "Failure",
    "Postponed",
    "StateConflict",
    "cancel",
    "cancel_many",
    "cancel_waiting",
    "claim",
    "claim_one",
    "enter",
    "finish",
    "release_worker",
    "retry",
    "retry_many",
    "take_back_expired",
]
