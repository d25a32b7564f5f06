"""Doing one thing to many rows: at once when they are few, in the background when they are many.

actions    what can be done: one declaration each, in `letters` and `job_actions`
reasons    why a row is left alone
keyset     the order in which rows are gone through, and where to go on
criteria   which rows, in a form that can be stored
at_once    do it now, in transactions of `CHUNK` rows
start      have it done in the background
work       the job that does it: batch by batch, never longer than some seconds, never faster than asked
steer      stop it; notice that its job has died
progress   how far it has come
"""
