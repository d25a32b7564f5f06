"""The types of schema.org that are businesses.

The tree below LocalBusiness has 151 types; it and the other organizations are as generated from schema.org's vocabulary
into the npm package schema-dts 2.1.0 (2026-10-02). A type that schema.org adds later counts as a business only once it
is entered here, unless the page also gives one of these.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

#: Direct subtypes by type, separated by spaces.
_LOCAL: Final = {
    "LocalBusiness": (
        "AnimalShelter ArchiveOrganization AutomotiveBusiness ChildCare Dentist DryCleaningOrLaundry "
        "EmergencyService EmploymentAgency EntertainmentBusiness FinancialService FoodEstablishment "
        "GovernmentOffice HealthAndBeautyBusiness HomeAndConstructionBusiness InternetCafe LegalService "
        "Library LodgingBusiness MedicalBusiness ProfessionalService RadioStation RealEstateAgent "
        "RecyclingCenter SelfStorage ShoppingCenter SportsActivityLocation Store TelevisionStation "
        "TouristInformationCenter TravelAgency"
    ),
    "AutomotiveBusiness": (
        "AutoBodyShop AutoDealer AutoPartsStore AutoRental AutoRepair AutoWash GasStation MotorcycleDealer "
        "MotorcycleRepair"
    ),
    "EmergencyService": "FireStation Hospital PoliceStation",
    "EntertainmentBusiness": "AdultEntertainment AmusementPark ArtGallery Casino ComedyClub MovieTheater NightClub",
    "FinancialService": "AccountingService AutomatedTeller BankOrCreditUnion InsuranceAgency",
    "FoodEstablishment": (
        "Bakery BarOrPub Brewery CafeOrCoffeeShop Distillery FastFoodRestaurant IceCreamShop Restaurant Winery"
    ),
    "GovernmentOffice": "PostOffice",
    "HealthAndBeautyBusiness": "BeautySalon DaySpa HairSalon HealthClub NailSalon TattooParlor",
    "HomeAndConstructionBusiness": (
        "Electrician GeneralContractor HVACBusiness HousePainter Locksmith MovingCompany Plumber RoofingContractor"
    ),
    "LegalService": "Attorney Notary",
    "LodgingBusiness": "BedAndBreakfast Campground Hostel Hotel Motel Resort VacationRental",
    "Resort": "SkiResort",
    "MedicalBusiness": (
        "Audiology CommunityHealth Dentist Dermatology DietNutrition Emergency Geriatric Gynecologic "
        "MedicalClinic Midwifery Nursing Obstetric Oncologic Ophthalmology Optician Optometric "
        "Otolaryngologic Pediatric Pharmacy Physician Physiotherapy PlasticSurgery Podiatric PrimaryCare "
        "Psychiatric PublicHealth"
    ),
    "MedicalClinic": "CovidTestingFacility",
    "Physician": "IndividualPhysician PhysiciansOffice",
    "SportsActivityLocation": (
        "BowlingAlley ExerciseGym GolfCourse HealthClub PublicSwimmingPool SkiResort SportsClub "
        "StadiumOrArena TennisComplex"
    ),
    "Store": (
        "AutoPartsStore BikeStore BookStore ClothingStore ComputerStore ConvenienceStore DepartmentStore "
        "ElectronicsStore Florist FurnitureStore GardenStore GroceryStore HardwareStore HobbyShop "
        "HomeGoodsStore JewelryStore LiquorStore MensClothingStore MobilePhoneStore MovieRentalStore "
        "MusicStore OfficeEquipmentStore OutletStore PawnShop PetStore ShoeStore SportingGoodsStore TireShop "
        "ToyStore WholesaleStore"
    ),
}


def _names(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


#: Organizations that are no LocalBusiness: businesses when a page says where or how to reach them.
ORGANIZATIONS: Final = _names(
    "Organization Airline CollegeOrUniversity Consortium Cooperative Corporation DanceGroup DiagnosticLab",
    "EducationalOrganization ElementarySchool FundingAgency GovernmentOrganization HighSchool LibrarySystem",
    "MedicalOrganization MiddleSchool MusicGroup NGO NewsMediaOrganization OnlineBusiness OnlineMarketplace",
    "OnlineStore PerformingGroup PoliticalParty Preschool Project ResearchOrganization ResearchProject School",
    "SearchRescueOrganization SportsOrganization SportsTeam TheaterGroup VeterinaryCare WorkersUnion",
)
#: What is sold, and the offers of it.
PRODUCTS: Final = _names(
    "Product IndividualProduct ProductCollection ProductGroup ProductModel SomeProducts Vehicle Car Motorcycle Drug",
    "DietarySupplement Service MenuItem",
)
OFFERS: Final = frozenset({"Offer", "AggregateOffer", "OfferForLease", "OfferForPurchase"})
#: Those that sell online by their very type.
ONLINE: Final = frozenset({"OnlineBusiness", "OnlineMarketplace", "OnlineStore"})
#: Types that say nothing about what a business does.
_VAGUE: Final = frozenset({"LocalBusiness", "Organization", "Corporation", "Project", "ProfessionalService"})

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*")


def below(kind: str) -> Iterator[str]:
    """Yield a type of the tree and everything below it."""
    yield kind
    for child in _LOCAL.get(kind, "").split():
        yield from below(child)


LOCAL_BUSINESS: Final = frozenset(below("LocalBusiness"))
FOOD: Final = frozenset(below("FoodEstablishment"))
_DEPTH: Final = {kind: sum(kind in below(other) for other in LOCAL_BUSINESS) for kind in LOCAL_BUSINESS}


def category_of(kinds: Iterable[str]) -> str:
    """Return the most telling of some types in words, as in "Cafe or coffee shop"; empty when all are vague."""
    telling = [kind for kind in kinds if kind in LOCAL_BUSINESS | ORGANIZATIONS and kind not in _VAGUE]
    if not telling:
        return ""
    deepest = max(telling, key=lambda kind: _DEPTH.get(kind, 1))
    words = _WORDS.findall(deepest)
    return " ".join([words[0], *(word if word.isupper() and len(word) > 1 else word.lower() for word in words[1:])])
