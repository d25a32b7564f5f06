"""What this app tells whoever listens."""

from django.dispatch import Signal

#: Vectors were stored, in the transaction under way. Sent with `business_ids` (a list of UUIDs) and `model`.
vectors_stored = Signal()

#: Another model serves, from the transaction under way on. Sent with `model`.
model_switched = Signal()
