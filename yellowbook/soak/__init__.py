"""The soak: a whole system under faults of every kind for minutes, and what must hold after them."""
