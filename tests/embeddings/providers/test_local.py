import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.providers import provider_class
from embeddings.providers.base import DIMENSIONS, TaskType
from embeddings.providers.local import HASH, HYBRID, LocalProvider
from embeddings.vectors import checked_vectors
from jobs.errors import BatchRejected, ConfigurationError, InvalidInput

needs_wordllama = pytest.mark.skipif(find_spec("wordllama") is None, reason="wordllama has no wheel for this machine")
MODELS = [pytest.param(HYBRID, marks=needs_wordllama), HASH]

TEXTS = [
    "Хатгал Кэмп\nаялал жуулчлал\nХөвсгөл нуурын эрэг дээрх гэр буудал\nХөвсгөл, Хатгал",
    "Khatgal camp",
    "Dental clinic\ndentist\nFillings, crowns and check-ups",
    "🍕",
    "!!!",
    "x" * 20_000,
]


def made(model: str) -> LocalProvider:
    return LocalProvider(model=model, timeout=30)


def vectors(texts: list[str], model: str = HYBRID) -> np.ndarray:
    return np.array(made(model).embed(texts, TaskType.DOCUMENT))


def likeness(one: str, other: str, model: str = HYBRID) -> float:
    first, second = vectors([one, other], model)
    return float(first @ second)


@pytest.mark.parametrize("model", MODELS)
def test_vectors_have_768_finite_numbers_and_unit_norm(model: str) -> None:
    found = vectors(TEXTS, model)
    assert found.shape == (len(TEXTS), DIMENSIONS)
    assert np.isfinite(found).all()
    assert np.allclose(np.linalg.norm(found, axis=1), 1)


@pytest.mark.parametrize("model", MODELS)
def test_a_text_has_the_same_vector_alone_and_in_a_batch(model: str) -> None:
    together = vectors(TEXTS, model)
    assert np.allclose(together, [vectors([text], model)[0] for text in TEXTS], atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_the_task_makes_no_difference(model: str) -> None:
    provider = made(model)
    found = [np.array(provider.embed(["a hotel"], task)) for task in TaskType]
    assert all(np.array_equal(found[0], each) for each in found)


def test_another_process_makes_the_same_vectors() -> None:
    script = (
        "import hashlib, numpy; from embeddings.providers.local import *\n"
        f"found = numpy.array(LocalProvider(model=HASH, timeout=1).embed({TEXTS!r}, None), dtype='<f4')\n"
        "print(hashlib.sha256(found.tobytes()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    ours = vectors(TEXTS, HASH).astype("<f4").tobytes()
    assert ran.stdout.strip() == hashlib.sha256(ours).hexdigest()


def test_the_vectors_of_a_model_name_never_change() -> None:
    """Stored vectors are compared with new ones: whoever changes the vectors gives the model a new name."""
    found = (vectors(["Хатгал Кэмп", "Khatgal camp", "a hotel"], HASH) * 1000).round().astype(int)
    assert [np.flatnonzero(row)[:4].tolist() for row in found] == [[5, 19, 20, 50], [5, 20, 31, 50], [12, 79, 121, 132]]
    assert [row[np.flatnonzero(row)[:4]].tolist() for row in found] == [
        [-189, 189, -189, 189],
        [-183, -183, -183, 183],
        [-236, -236, -236, -236],
    ]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("Хатгал Кэмп", "Khatgal camp", "Dental clinic"),
        ("Хөвсгөл нуур", "Khovsgol nuur", "Dornod museum"),
        ("Хөвсгөл нуур", "Khuvsgul nuur", "Dornod museum"),
        ("Өмнөговь", "Umnugovi", "Bulgan"),
        ("Өмнөговь", "Ömnögovi", "Bulgan"),
        ("Зочид буудал", "zochid buudal", "hairdresser"),
        ("Чингис хаан", "Chinggis Khaan", "Сүхбаатар"),
        ("Такси", "taxi", "library"),
        ("Кофе шоп", "coffee shop", "шүдний эмнэлэг"),
        ("автомашины засвар", "авто засварын газар", "шүдний эмнэлэг"),
        ("шүдний эмч", "шүдний эмнэлэг", "кофе шоп"),
        ("restaurant", "restuarant", "pharmacy"),
        ("Café Zürich", "cafe zurich", "pharmacy"),
    ],
)
def test_spelling_and_script_do_not_keep_names_apart(model: str, text: str, near: str, far: str) -> None:
    assert likeness(text, near, model) > likeness(text, far, model)


@needs_wordllama
@pytest.mark.parametrize(
    ("text", "near", "far"),
    [
        ("pint of beer and live music", "The Red Lion\npub", "Smile Clinic\ndentist"),
        ("toothache, need a filling", "Smile Clinic\ndentist", "The Red Lion\npub"),
        ("ladies haircut and blow dry", "Scissors\nhairdresser", "Tyres and More\ncar repair"),
        ("mechanic for my vehicle", "Tyres and More\ncar repair", "Scissors\nhairdresser"),
        ("medicine and prescriptions", "Boots\npharmacy", "Manx Estates\nestate agent"),
        ("room for the night", "Seaview\nhotel", "Manx Estates\nestate agent"),
    ],
)
def test_a_paraphrase_is_nearer_than_another_trade(text: str, near: str, far: str) -> None:
    assert likeness(text, near) > likeness(text, far)


@pytest.mark.parametrize("model", MODELS)
def test_a_short_line_counts_as_much_as_a_long_one(model: str) -> None:
    address = "Unit 5, Rosemary House, 35 Finch Road, Douglas, Isle of Man, IM1 2PR"
    assert likeness("pharmacy", f"pharmacy\n{address}", model) > likeness("pharmacy", f"pharmacy {address}", model)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("text", ["", "  \n\t ", "half a character: \ud800"])
def test_what_can_not_be_embedded_is_refused_as_google_does(model: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        made(model).embed([text], TaskType.DOCUMENT)
    with pytest.raises(BatchRejected):
        made(model).embed(["good", text], TaskType.DOCUMENT)


def test_no_texts_have_no_vectors() -> None:
    assert list(made(HASH).embed([], TaskType.DOCUMENT)) == []


def test_another_providers_model_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="gemini-embedding-001"):
        made("gemini-embedding-001")


def test_without_wordllama_ngrams_stand_in_under_a_name_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embeddings.providers.local.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=f"EMBEDDING_MODEL={HASH}"):
        made(HYBRID)
    assert len(made(HASH).embed(["a hotel"], TaskType.DOCUMENT)) == 1


def test_the_default_model_is_one_that_can_be_made() -> None:
    assert made(provider_class("local").default_model).model in {HYBRID, HASH}


@given(st.lists(st.text().filter(str.strip), min_size=1, max_size=5))
def test_any_text_has_a_usable_vector(texts: list[str]) -> None:
    texts = [text.encode(errors="ignore").decode() or "x" for text in texts]
    texts = [text if text.strip() else "x" for text in texts]
    raw = LocalProvider(model=HASH, timeout=30).embed(texts, TaskType.DOCUMENT)
    assert all(isinstance(vector, np.ndarray) for vector in checked_vectors(raw, len(texts)))
