"""Telling somebody outside of an event, by signed webhook and by e-mail, durably.

owners       who is told: looked up when a message is sent, so that a changed address counts and no secret is copied
services     `notify`, in the transaction of the event; `replay`
deliver      the job `deliver_notification`: one message over one channel, and the log of its attempts
channels/    how messages go: one file per channel
policy       which failures are tried again, and when
"""
