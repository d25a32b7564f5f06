"""The script that one writes first: a loop over batches of ten. `python -m yellowbook.benchmarks.peers.in_turn`."""

from typing import Final

import django

#: Texts of a call.
BATCH: Final = 10

if __name__ == "__main__":
    django.setup()
    from yellowbook.benchmarks.peers.one_by_one import store
    from yellowbook.directory.models import Business

    businesses = list(Business.objects.order_by("pk"))
    for start in range(0, len(businesses), BATCH):
        store(businesses[start : start + BATCH])
