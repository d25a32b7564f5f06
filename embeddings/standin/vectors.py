"""The vectors that the stand-in answers with: meaningful, deterministic, and not of unit norm, like the real ones."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from zlib import crc32

import numpy as np
import orjson

from embeddings.providers.base import DIMENSIONS, TaskType
from embeddings.providers.local import HASH, LocalProvider

#: Vectors kept in their JSON form, about 9 kB each.
CACHED = 4096
#: Length of the vectors: like Google's for 768 dimensions, not 1.
NORM = 0.7
#: Share of a component common to all vectors, in their squared length: like Google's, any two are somewhat alike.
COMMON = 0.2
#: Dimensions when the caller asks for none.
DEFAULT_DIMENSIONS = 3072


class Vectors:
    """Makes the JSON arrays of texts' vectors: the same text, model and length give the same. Safe for threads."""

    def __init__(self) -> None:
        self._provider = LocalProvider(model=HASH, timeout=0)
        common = np.cos(np.arange(1, DIMENSIONS + 1) ** 2)
        self._common = common / np.linalg.norm(common) * COMMON**0.5
        self._cache: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, texts: Sequence[str], model: str, dimensions: int) -> list[bytes]:
        """JSON arrays of `dimensions` numbers, one for each text. Texts must not be blank."""
        keys = [(text, model, dimensions) for text in texts]
        with self._lock:
            found = {key: self._cache[key] for key in keys if key in self._cache}
        missing = list(dict.fromkeys(key for key in keys if key not in found))
        if missing:
            made = self._made([text for text, _, _ in missing], model, dimensions)
            found.update(zip(missing, made, strict=True))
            with self._lock:
                self._cache.update(zip(missing, made, strict=True))
                while len(self._cache) > CACHED:
                    self._cache.popitem(last=False)
        return [found[key] for key in keys]

    def _made(self, texts: Sequence[str], model: str, dimensions: int) -> list[bytes]:
        """Compute vectors; those of another model are turned, so that they can't be mistaken for each other."""
        unit = np.asarray(self._provider.embed(texts, TaskType.DOCUMENT))
        vectors = (unit * (1 - COMMON) ** 0.5 + self._common) * NORM
        turned = np.roll(vectors, crc32(model.encode()) % DIMENSIONS, axis=1)
        resized = np.resize(turned.T, (dimensions, len(texts))).T if dimensions != DIMENSIONS else turned
        rows = np.ascontiguousarray(resized, dtype=np.float32)
        return [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY) for row in rows]
