"""Reminding people of occasions, by push message and e-mail, at a time of day where they live.

wall_time    when an occasion is, and when to remind of it: dates, time zones, clocks that change
planning     which reminders an occasion has: one row (`Schedule`) for each occurrence, offset and channel
dispatch     the leader's look for rows that are due, and the job `sweep_reminders`
send         the job `send_reminder`: one reminder over one channel, and the record of its delivery
channels/    how reminders go: one file per channel
services     what people do: save and delete occasions, register browsers
"""
