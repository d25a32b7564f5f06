import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings.folding import folded
from embeddings.providers._ngrams import hashed

#: Without characters that end a line.
lines = st.lists(st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"])), min_size=1, max_size=5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Хатгал", "Khatgal"),
        ("Хатгал", "Hatgal"),
        ("Хөвсгөл", "Khövsgöl"),
        ("Хөвсгөл", "Hovsgol"),
        ("Цэцэрлэг", "Tsetserleg"),
        ("Жаргалант", "Jargalant"),
        ("Жаргалант", "Zhargalant"),
        ("Чойбалсан", "Choibalsan"),
        ("Говь", "Govi"),
        ("Баянзүрх", "Bayanzürkh"),
        ("Ёл", "Yol"),
        ("Юм", "Yum"),
        ("щётка", "shyotka"),
        ("Такси", "taxi"),
        ("Кафе", "café"),
        ("Фото", "photo"),
        ("Ғ Қ Ң", "g k n"),
    ],
)
def test_both_scripts_fold_to_one_spelling(one: str, other: str) -> None:
    assert np.array_equal(hashed([one], 512), hashed([other], 512)), (folded(one), folded(other))


def test_runs_of_a_letter_count_once() -> None:
    assert np.array_equal(hashed(["Улаанбаатар"], 512), hashed(["Ulanbatar"], 512))


def test_runs_of_a_digit_count_each() -> None:
    assert not np.array_equal(hashed(["route 100"], 512), hashed(["route 10"], 512))


def test_composed_and_decomposed_letters_are_the_same() -> None:
    assert np.array_equal(hashed(["кофе\u0439"], 512), hashed(["кофе\u0438\u0306"], 512))


def test_a_line_of_one_character_is_one_window_with_its_spaces() -> None:
    assert np.abs(hashed(["a"], 512)).sum() == 1


def test_a_line_of_punctuation_is_counted_with_it() -> None:
    assert np.abs(hashed(["!"], 512)).sum() == 1


def test_the_number_of_windows_is_that_of_all_three_sizes() -> None:
    counted = np.abs(hashed(["abcdef"], 1 << 20)).sum()
    length = len(" abcdef ")
    assert counted == sum(length - size + 1 for size in (3, 4, 5))


@given(lines, st.sampled_from([512, 768]))
def test_a_line_does_not_depend_on_the_others(given_lines: list[str], buckets: int) -> None:
    together = hashed(given_lines, buckets)
    assert together.shape == (len(given_lines), buckets)
    for row, line in zip(together, given_lines, strict=True):
        assert np.array_equal(row, hashed([line], buckets)[0])


@given(lines)
def test_counts_are_whole_numbers_and_only_a_blank_line_has_none(given_lines: list[str]) -> None:
    counts = hashed(given_lines, 1 << 14)
    assert np.array_equal(counts, counts.round())
    for row, line in zip(counts, given_lines, strict=True):
        assert row.any() or not line.strip()
