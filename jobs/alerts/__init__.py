"""Alerts: what a person should know of without looking.

rules        what can be wrong; `alert_rules.py` of any installed app declares them
look         asking every rule; one that breaks keeps nobody from the others
evaluate     drawing the consequences: states, cool-down, messages
announce     the transaction that writes a change down and has it delivered
channels/    where messages go: one file per channel, delivered by the job `deliver_alert`
standing     how things stand, for admin, API, metrics and command
"""
