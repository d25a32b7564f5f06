"""Look-alike letters become the Mongolian ones that are meant; what is right stays as it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yellowbook.catalogue.extract.letters import normalised, one_alphabet

MIXED = st.text(
    alphabet=[
        *"ABCEHKMOPTXYVaceokmpxyvbdfgiABNR -1",
        *"АВЕНКМОРТХУҮасеокмтрхуүөӨЄєЇїѲѳБбдийгъіҐқұ",
        *"ΘθΟοɵƟëöü\u0301\u0306\u0308\u00ad\u200b\u00a0\n",
    ]
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        # Latin in a Cyrillic word.
        ("MOHГОЛ", "МОНГОЛ"),
        ("Cафе", "Сафе"),
        ("ЭМИЙН САH", "ЭМИЙН САН"),
        ("Улаанбаатар xот", "Улаанбаатар хот"),
        ("Xaaн", "Хаан"),
        ("vндсэн", "үндсэн"),
        ("Баянзvрх", "Баянзүрх"),
        ("Vндэсний Тvмэн", "Үндэсний Түмэн"),
        ("MAХ", "МАХ"),
        # Vowel harmony says which o and which y.
        ("Өндoр", "Өндөр"),
        ("сyлжээ", "сүлжээ"),
        ("Тoв", "Тов"),
        ("ОЮУТOЛГОЙ", "ОЮУТОЛГОЙ"),
        # Greek, archaic Cyrillic, African Latin, German umlauts.
        ("Θргөө", "Өргөө"),
        ("Ѳвөрхангай", "Өвөрхангай"),
        ("ɵндөр", "өндөр"),
        ("Öлгий", "Өлгий"),
        ("Төmөр", "Төмөр"),
        # The fonts of the Windows-1251 days.
        ("Єргєє", "Өргөө"),
        ("Їндэсний", "Үндэсний"),
        # A Latin word with Cyrillic twins.
        ("АPU", "APU"),
        ("Coffeе", "Coffee"),
        ("Соса-Соlа", "Соса-Cola"),
        # Invisible characters, spaces, decomposed letters.
        ("Ха\u00adан\u200b банк\ufeff", "Хаан банк"),
        ("  Хаан \t\u00a0 банк ", "Хаан банк"),
        (unicodedata.normalize("NFD", "Өгөөж ёй"), "Өгөөж ёй"),
        ("нэг  \r\n хоёр", "нэг\nхоёр"),
    ],
)
def test_a_word_is_brought_into_the_alphabet_that_it_is_meant_in(written, meant):
    assert normalised(written) == meant


@pytest.mark.parametrize(
    "text",
    [
        *("Khan Bank", "ХААН BANK", "MOCT", "Coca-Cola", "café", "Müller", "Hotel 9", "Αθήνα", "北京", ""),
        *("Улаанбаатар, Сүхбаатар дүүрэг", "Өргөө 2", "Ёлка", "Ъ", "24 цаг"),
        # A foreign name with a Mongolian ending.
        *("Googleээс", "e-Mongoliaгийн", "Wi-Fiтэй", "BARаас", "Khan Bankнд", "Facebookт"),
        # Kazakh, and Ukrainian that says so.
        *("Қазақстан", "Ұлан", "Жібек", "Баян-Өлгий", "Київ і Україна"),
        # The vertical script needs its joiners.
        "ᠮᠣᠩᠭᠣᠯ\u200d",
    ],
)
def test_what_is_right_stays_as_it_is(text):
    assert normalised(text) == text


@given(MIXED | st.text())
def test_doing_it_twice_changes_nothing_more(text):
    once = normalised(text)

    assert normalised(once) == once
    assert unicodedata.is_normalized("NFC", once)


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_changes_in_its_spaces_only(text):
    assert one_alphabet(text) == text
    assert normalised(text).split() == text.split()


@given(st.text(alphabet="абвгдеёжзийклмноөпрстуүфхцчшщъыьэюя АЭӨҮ-12"))
def test_plain_mongolian_changes_in_its_spaces_only(text):
    assert normalised(text) == " ".join(text.split())


@given(MIXED)
def test_no_letter_is_lost_and_none_is_made(text):
    composed = unicodedata.normalize("NFC", text)
    made = one_alphabet(composed)

    assert sum(map(str.isalpha, made)) == sum(map(str.isalpha, composed))
