"""The editors of the soak, as a process of their own: they save, change and delete businesses until SIGTERM.

`python -m yellowbook.soak.editor SEED BUSINESSES BACKLOG LEDGER` keeps about so many businesses, and so many jobs
waiting or running. At its end it writes to the file LEDGER what it was told is saved: the description of each business,
null for one that was deleted. What ended in an error may or may not have been saved and is left out.
"""

import json
import random
import signal
import sys
import threading
import time
from pathlib import Path
from uuid import UUID

import django

#: Seconds between two looks at how much there is to do, and businesses that are changed at once when it is too little.
LOOK, SWATHE = 1.0, 200
#: The longest pause between two saves, in seconds.
PAUSE = 0.2
#: Shares of saves that add a business, and that delete one; the others change one.
ADDED, DELETED = 0.2, 0.15


class Editors:
    """Works on the businesses of an empty database."""

    def __init__(self, seed: int, businesses: int, backlog: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._wanted = businesses
        self._backlog = backlog
        self._ids: list[UUID] = []
        self._number = 0
        #: What is known to be saved.
        self.ledger: dict[UUID, str | None] = {}

    def work(self, stop: threading.Event) -> None:
        """Save until told to stop; an error costs one save."""
        from django.db import Error, close_old_connections

        looked = 0.0
        while not stop.wait(self._random.random() * PAUSE):
            try:
                if time.monotonic() - looked > LOOK:
                    looked = time.monotonic()
                    self._fill_up()
                self._save()
            except Error:
                close_old_connections()

    def _text(self) -> str:
        """Make up a text that there was never before."""
        self._number += 1
        words = self._random.choices(["кофе", "бялуу", "зах", "шинэ", "coffee", "books", "repair", "garden"], k=6)
        return f"{' '.join(words)} {self._number}"

    def _fill_up(self) -> None:
        """Add businesses and change some by the hundred, where there are too few of them or too few jobs."""
        from django.db import connection, transaction

        from embeddings.services import embed_many
        from jobs.actor import current_actor
        from jobs.models import JobExecution
        from jobs.states import FINISHED
        from yellowbook.directory.models import Business

        missing = self._wanted - len(self._ids)
        if missing > self._wanted // 10:
            made = [
                Business(name=f"Soak {self._text()}", category="Café", address="Street 1", description=self._text())
                for _ in range(missing)
            ]
            # They are known, and unknown to be saved, should an error come between.
            self._ids += [each.pk for each in made]
            with transaction.atomic():
                Business.objects.bulk_create(made)
                embed_many([each.pk for each in made], priority="low", actor=current_actor())
            self.ledger |= {each.pk: each.description for each in made}
        unfinished = JobExecution.objects.exclude(status__in=FINISHED).count()
        while unfinished < self._backlog and len(self._ids) > SWATHE:
            chosen = sorted(self._random.sample(self._ids, SWATHE))
            texts = [self._text() for _ in chosen]
            for each in chosen:
                self.ledger.pop(each, None)
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_CHANGE, [chosen, texts])
                there = {row[0] for row in cursor.fetchall()}
                embed_many(chosen, priority="normal", actor=current_actor())
            known = {each: text if each in there else None for each, text in zip(chosen, texts, strict=True)}
            self.ledger |= known
            unfinished += SWATHE

    def _save(self) -> None:
        """Add, change or delete one business."""
        from yellowbook.directory import services
        from yellowbook.directory.models import Business

        dice, text = self._random.random(), self._text()
        if dice < ADDED or len(self._ids) < 2:
            made = services.create_business(
                {"name": f"Soak {text}", "category": "Кафе", "address": "Гудамж 1", "description": text}
            )
            self._ids.append(made.pk)
            self.ledger[made.pk] = text
            return
        chosen = self._random.choice(self._ids)
        self.ledger.pop(chosen, None)
        try:
            if dice < ADDED + DELETED:
                services.delete_business(chosen)
                self._ids.remove(chosen)
                self.ledger[chosen] = None
            else:
                services.update_business(chosen, {"description": text})
                self.ledger[chosen] = text
        except Business.DoesNotExist:
            self._ids.remove(chosen)


#: Rows are locked in the order in which workers lock them.
_CHANGE = """
WITH locked AS (
    SELECT business.id, new.text
      FROM directory_business AS business
      JOIN unnest(%s::uuid[], %s::text[]) AS new (id, text) ON new.id = business.id
     ORDER BY business.id FOR NO KEY UPDATE OF business
)
UPDATE directory_business AS business SET description = locked.text, updated_at = statement_timestamp()
  FROM locked WHERE locked.id = business.id
RETURNING business.id
"""


def main(seed: str, businesses: str, backlog: str, ledger: str) -> None:
    """Work until SIGTERM, then write the ledger."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    django.setup()
    editors = Editors(int(seed), int(businesses), int(backlog))
    editors.work(stop)
    content = {str(business_id): text for business_id, text in editors.ledger.items()}
    Path(ledger).write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
