"""The sketches of this process: made where they pay, and kept up to date in a thread behind the searches."""

import time
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Final

import structlog
from django.db import connection

from embeddings.ann import has_index
from embeddings.models import Embedding
from embeddings.sketches.changes import KEPT_FOR
from embeddings.sketches.load import load, updated
from embeddings.sketches.table import Sketches

log = structlog.get_logger(__name__)

#: Vectors of a model up to which a scan of all of them is as fast.
PAYS_FROM: Final = 6_000
#: Seconds for which a process believes that there are too few of them.
BELIEVED_FOR: Final = 30.0
#: Seconds between two updates, and after one that failed, while there are searches.
UPDATE_EVERY, REST = 5.0, 30.0
#: Seconds after which sketches are made anew: other axes fit what has been added since, and rows that were written past
#: the models tell nobody.
ANEW_AFTER: Final = 3_600.0
#: Seconds after its last update for which a process may use what it has; changes are remembered for longer.
GOOD_FOR: Final = KEPT_FOR / 2


@dataclass(slots=True)
class Keeper:
    """What one process holds; safe for threads."""

    _held: Sketches | None = None
    #: By `time.monotonic`: when what is held was made, and last brought up to date.
    _made: float = 0.0
    _updated: float = 0.0
    #: When to look again whether sketches pay, and when to update them.
    _look_at: float = 0.0
    _update_at: float = 0.0
    _updating: Thread | None = None
    _lock: Lock = field(default_factory=Lock)

    def sketches_of(self, model: str) -> Sketches | None:
        """Return the sketches of a model's vectors; None where they don't pay, or are not made yet.

        Never waits for them. They may be some seconds old: `changes.changed_since` their snapshot tells what is newer.
        """
        held, now = self._held, time.monotonic()
        usable = held is not None and held.model == model and now - self._updated < GOOD_FOR
        if now >= self._update_at and (usable or self._pays(model, now)):
            self._update(model)
        return held if usable else None

    def forget(self) -> None:
        """Drop everything that is held, when nothing is under way any more."""
        if self._updating is not None:
            self._updating.join()
        self._held = None
        self._look_at = self._update_at = 0.0

    def _pays(self, model: str, now: float) -> bool:
        """Tell whether there are enough vectors, and not so many that an index is better."""
        if now < self._look_at:
            return False
        pays = Embedding.objects.filter(model=model).order_by().values("pk")[: PAYS_FROM + 1].count() > PAYS_FROM
        if pays and not has_index(model):
            return True
        self._look_at = now + BELIEVED_FOR
        return False

    def _update(self, model: str) -> None:
        with self._lock:
            if time.monotonic() < self._update_at or (self._updating is not None and self._updating.is_alive()):
                return
            self._updating = Thread(target=self._work, args=(model,), name="sketches", daemon=True)
            self._updating.start()

    def _work(self, model: str) -> None:
        """Make or update the sketches; the thread's only act."""
        began, held = time.monotonic(), self._held
        try:
            if held is None or held.model != model or not self._lasts(held, began):
                self._held = load(model)
                self._made = began
                log.info("sketches_made", model=model, vectors=len(self._held), seconds=_since(began))
            else:
                self._held = updated(held)
            self._updated = began
            self._update_at = time.monotonic() + UPDATE_EVERY
        except Exception as error:
            # Searches go on with what there is, or without.
            self._update_at = time.monotonic() + REST
            log.warning("sketches_not_updated", model=model, error=f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    def _lasts(self, held: Sketches, now: float) -> bool:
        return now - self._made < ANEW_AFTER and now - self._updated < GOOD_FOR


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)


#: That of this process.
keeper: Final = Keeper()
