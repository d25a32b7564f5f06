"""Embeddings made on this machine: no key, no network, no quota.

A vector is 256 dimensions of meaning (wordllama: averaged token embeddings of a language model) joined with 512
dimensions of spelling (`_ngrams`: hashed character n-grams of transliterated text), 0.7 to 0.3 by energy: the share in
the squared length. Every line of a text counts alike, whatever its length: a business's category says as much as its
address.

Where wordllama is not installed (there is no wheel for Linux on ARM), n-grams fill all 768 dimensions, under a model
name of their own, since vectors of the two can't be compared.
"""

from collections.abc import Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embeddings.providers._ngrams import hashed
from embeddings.providers.base import DIMENSIONS, Provider, TaskType
from jobs.errors import BatchRejected, ConfigurationError, InvalidInput

Matrix = NDArray[np.float64]

#: wordllama joined with n-grams.
HYBRID = "wordllama-hash-768-v1"
#: n-grams alone.
HASH = "hash-768-v1"

#: Dimensions of wordllama's smallest model, the one inside its wheel.
MEANING_DIMENSIONS = 256
#: Share of the meaning in the squared length of a hybrid vector; the rest is spelling.
MEANING_ENERGY = 0.7


#: Similarity below which two vectors say nothing. Of 1,676 real places of 206 categories (OpenStreetMap, Isle of Man)
#: each was compared with its ten most similar: just below (0.05), 18 % (hybrid) and 9 % (n-grams) share the category,
#: and the rest have little more in common than a word; just above, 54 % and 49 %. 86 % of all those pairs lie above.
SIMILARITY_FLOORS = {HYBRID: 0.4, HASH: 0.35}


class _Meaning:
    """Averaged token embeddings, from the files inside the wordllama wheel.

    The files are read with the libraries that wordllama itself uses. Importing wordllama would do the same, but takes
    0.9 s and 75 MB of memory instead of 0.1 s and 35 MB, and configures the root logger as a side effect.
    """

    def __init__(self) -> None:
        spec = find_spec("wordllama")
        if spec is None or spec.origin is None:
            raise ConfigurationError(
                f"The embedding model {HYBRID} needs the package wordllama, which is not installed: "
                f"pip install wordllama, or set EMBEDDING_MODEL={HASH}."
            )
        from safetensors import safe_open
        from tokenizers import Tokenizer

        files = Path(spec.origin).parent
        self._tokenizer = Tokenizer.from_file(str(files / "tokenizers/l2_supercat_tokenizer_config.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        with safe_open(files / "weights/l2_supercat_256.safetensors", framework="np") as weights:
            self._table: NDArray[np.float16] = weights.get_tensor("embedding.weight")

    def sums(self, lines: Sequence[str]) -> Matrix:
        """Sum the embeddings of each line's tokens: an array of shape (number of lines, 256)."""
        encodings = self._tokenizer.encode_batch_fast([line.lower() for line in lines], add_special_tokens=False)
        tokens = [encoding.ids or [0] for encoding in encodings]
        starts = np.cumsum([0, *(len(ids) for ids in tokens[:-1])])
        embeddings = self._table[np.fromiter(chain.from_iterable(tokens), dtype=np.int64)].astype(np.float32)
        return np.add.reduceat(embeddings, starts, axis=0).astype(np.float64)


class LocalProvider(Provider):
    """Deterministic vectors of unit norm; more than 10,000 short texts a second on one thread.

    The task makes no difference: queries and documents live in the same space. `timeout`, `api_key` and `base_url` are
    not used.
    """

    name = "local"
    max_batch = 100
    needs_key = False
    max_tokens = 2048
    default_model = HYBRID if find_spec("wordllama") else HASH

    def __init__(self, *, model: str, timeout: float, api_key: str = "", base_url: str = "") -> None:
        """Load the model. Raises `ConfigurationError` for a model that this provider does not know."""
        super().__init__(model=model, timeout=timeout, api_key=api_key, base_url=base_url)
        if model not in {HYBRID, HASH}:
            raise ConfigurationError(
                f"EMBEDDING_MODEL={model!r} is no model of the local provider: expected {HYBRID} or {HASH}."
            )
        self._meaning = _Meaning() if model == HYBRID else None

    @classmethod
    def similarity_floor(cls, model: str) -> float:
        """Return the model's own, as measured."""
        return SIMILARITY_FLOORS.get(model, super().similarity_floor(model))

    def embed(self, texts: Sequence[str], task: TaskType) -> Sequence[Any]:
        """Embed the texts; the vectors are arrays of shape (768,).

        Refuses blank and undecodable texts as Gemini does: `InvalidInput` when it is the only one, else
        `BatchRejected`.
        """
        split = [_lines(text) for text in texts]
        if not all(split):
            rejection = InvalidInput if len(texts) == 1 else BatchRejected
            raise rejection("A text is blank or holds a lone surrogate: there is nothing to embed.")
        if not split:
            return []
        places = {line: place for place, line in enumerate(dict.fromkeys(chain.from_iterable(split)))}
        lines = list(places)
        rows = np.fromiter((places[line] for line in chain.from_iterable(split)), dtype=np.int64)
        starts = np.cumsum([0, *(len(of_text) for of_text in split[:-1])])

        def united(of_lines: Matrix) -> Matrix:
            return _unit(np.add.reduceat(_unit(of_lines)[rows], starts, axis=0))

        if self._meaning is None:
            return list(united(hashed(lines, DIMENSIONS)))
        meaning = united(self._meaning.sums(lines)) * MEANING_ENERGY**0.5
        spelling = united(hashed(lines, DIMENSIONS - MEANING_DIMENSIONS)) * (1 - MEANING_ENERGY) ** 0.5
        return list(_unit(np.hstack([meaning, spelling])))


def _lines(text: str) -> list[str]:
    """Lines of a text that are not blank, with single spaces; none when the text is no valid Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return []
    return [" ".join(words) for line in text.splitlines() if (words := line.split())]


def _unit(rows: Matrix) -> Matrix:
    """Scale every row to length 1; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Matrix = rows / np.where(norms > 0, norms, 1)
    return unit


provider = LocalProvider
