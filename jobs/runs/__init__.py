"""Runs: bulk operations over many subjects.

feeds      what a kind of job tells of the subjects that a run of it is about
start      begin one: with its jobs at hand, or fed bit by bit
attend     feed what runs, and notice what has come to its end
steer      stop and resume
progress   how far one has come, from a handful of rows
forecast   when it will be done, from the measured rate and the provider's budgets
"""

from jobs.runs.feeds import Estimate, Feed, Item
from jobs.runs.start import RunActive, start_fed_run, start_run
from jobs.runs.steer import resume, stop

__all__ = ["Estimate", "Feed", "Item", "RunActive", "resume", "start_fed_run", "start_run", "stop"]
