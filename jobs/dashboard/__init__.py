"""The operations dashboard: what it shows is declared in the `dashboard.py` of every app.

from jobs.dashboard.cards import Card, Reading, register_card

register_card(Card(name="postcards", title="Postcards", order=200, read=lambda look: Reading(value="12")))

A part with a template of its own, `templates/admin/dashboard/NAME.html`, is a `Panel` of `jobs.dashboard.panels`.
"""
