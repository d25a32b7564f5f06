"""Invented businesses that differ as real ones do: some 30 trades in two languages, names that are nearly all unlike.

The same seed gives the same businesses. Two of a trade share some of its phrases and rarely all; names are made of
syllables, so that there are as many proper names as a country has.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Invented:
    """A business that does not exist."""

    name: str
    category: str
    description: str
    address: str
    city: str
    price_level: int | None


#: Trade: its words in English, or in Mongolian. Queries of the benchmark are made of the same words.
TRADES: Final = {
    "Cafe": "espresso beans|fresh pastries|vegan breakfast|quiet corner to work|brunch at weekends|home-made lemonade",
    "Restaurant": "lamb from the grill|wine list|table by the river|business lunch|halal kitchen|private banquet hall",
    "Hotel": "rooms with a view|airport shuttle|conference hall|spa and sauna|late check-in|family suites",
    "Pharmacy": "prescriptions|baby food|blood pressure check|vitamins|open at night|vaccination",
    "Dentist": "implants|root canal|whitening|braces for children|toothache without appointment|crowns",
    "Bakery": "sourdough|birthday cakes|croissants|gluten free bread|wedding cakes|rye rolls",
    "Garage": "brake service|tyre change|engine diagnostics|oil change|body repair|towing",
    "Bank": "mortgage|currency exchange|business accounts|safe deposit|student loans|cash machine",
    "School": "bilingual lessons|after-school club|science laboratory|small classes|music teacher|entrance exam",
    "Gym": "yoga mats|personal trainer|boxing ring|spinning class|sauna|crossfit",
    "Bookshop": "second-hand novels|school books|children's corner|maps|foreign languages|signed copies",
    "Lawyer": "family law|company registration|notary|visa matters|contracts|court defence",
    "Florist": "wedding bouquets|roses|pot plants|funeral wreaths|delivery within an hour|dried flowers",
    "Veterinarian": "vaccination of dogs|surgery|cat boarding|horse care|x-ray|emergency at night",
    "Hairdresser": "balayage|beard trim|hair extensions|bridal styling|perm|children's haircut",
    "Hardware store": "power tools|paint mixing|plumbing parts|keys cut|garden hoses|timber to measure",
    "Museum": "dinosaur bones|guided tours|Buddhist art|audio guide|school groups|nomad life",
    "Travel agency": "Gobi by jeep|horse riding|ger camp nights|eagle festival|visa support|winter tours",
    "Ресторан": "хонины мах|цуйван бууз|шинэ жилийн захиалга|банкет танхим|ил гал тогоо|европ хоол",
    "Кафе": "шинэхэн кофе|өглөөний цай|зайрмаг|тохилог орчин|бялуу захиалга|вегетариан хоол",
    "Зочид буудал": "нууртай үзэмж|саун спа|хурлын заал|гэр бүлийн өрөө|нисэх буудлаас тосно|өглөөний цайтай",
    "Эмийн сан": "жороор эм олгоно|витамин|хүүхдийн сүү|даралт үзнэ|шөнийн жижүүр|гоо сайхны бараа",
    "Шүдний эмнэлэг": "шүд цайруулах|гажиг засал|суулгац|хүүхдийн шүд|өвдөлтгүй эмчилгээ|ломбо",
    "Дэлгүүр": "өдөр тутмын хүнс|архи тамхигүй|хүнсний ногоо|ахуйн бараа|24 цагаар|гэрт хүргэлт",
    "Жуулчны бааз": "морин аялал|завь түрээс|түүдэг гал|гэр буудал|загасчлал|тэмээ унах",
    "Авто засвар": "тоормос солих|хөдөлгүүр оношлох|дугуй засвар|тос солих|их бие будаг|чиргүүл",
    "Үсчин": "үс будах|сахал засах|хими|сүйт бүсгүйн засалт|хүүхдийн үс|маникюр",
    "Сургууль": "англи хэл|математик дугуйлан|бага анги|хөгжмийн багш|шатар|дотуур байр",
    "Номын дэлгүүр": "сурах бичиг|хүүхдийн ном|гадаад роман|бичиг хэрэг|газрын зураг|шатрын ном",
    "Сувилал": "рашаан|шавар эмчилгээ|иллэг|зүрх судас|үе мөч|амралт",
}
_SMALL_CITIES = "Мөрөн Хатгал Ховд Choibalsan Сайншанд Khovd Zuunmod Өлгий Булган Арвайхээр"
_CITIES: Final = (
    *("Ulaanbaatar", "Улаанбаатар") * 12,
    *("Darkhan", "Erdenet", "Дархан", "Эрдэнэт") * 3,
    *_SMALL_CITIES.split(),
)
_LATIN = """
ba da ga kha ma na ra sa ta za bo do go kho mo no ro so to zo lun gan dor bat khan min tuya mar sor ven
"""
_CYRILLIC = """
ба да га ха ма на ра са та за бо до го хо мо но ро со то зө лүн ган дор бат хан мин туяа мар сор бэл
"""


def invented(count: int, *, seed: int = 1) -> Iterator[Invented]:
    """Yield so many businesses."""
    chance = random.Random(seed)  # noqa: S311
    trades = list(TRADES)
    # A few trades are common and most are not, as in a real register.
    weights = [1 / (1 + place // 3) for place in range(len(trades))]
    for category in chance.choices(trades, weights, k=count):
        mongolian = not category.isascii()
        syllables = (_CYRILLIC if mongolian else _LATIN).split()
        proper = "".join(chance.choices(syllables, k=chance.choice((2, 3, 3, 4)))).capitalize()
        second = "".join(chance.choices(syllables, k=2)).capitalize() if chance.random() < 0.4 else ""
        name = " ".join(filter(None, (proper, second, category.lower() if chance.random() < 0.6 else "")))
        phrases = chance.sample(TRADES[category].split("|"), k=chance.choice((0, 1, 2, 2, 3)))
        streets = "".join(chance.choices(syllables, k=3)).capitalize()
        yield Invented(
            name=name,
            category=category,
            description=", ".join(phrases).capitalize(),
            address=f"{streets} {'гудамж' if mongolian else 'street'} {chance.randint(1, 200)}",
            city=chance.choice(_CITIES),
            price_level=chance.choice((None, 1, 2, 3, 4)),
        )


def questions(count: int, businesses: list[Invented], *, seed: int = 2) -> list[str]:
    """Return so many queries as people ask them: names, trades with a city, and what they need in words of a trade."""
    chance = random.Random(seed)  # noqa: S311
    asked = []
    for number in range(count):
        business = chance.choice(businesses)
        phrases = TRADES[business.category].split("|")
        asked.append(
            (
                business.name,
                f"{business.category} {business.city}",
                chance.choice(phrases),
                f"{business.category} {chance.choice(phrases)}",
            )[number % 4]
        )
    return asked
