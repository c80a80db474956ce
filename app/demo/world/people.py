"""The visitors of a world: who they are, where they live, what they browse with."""

from dataclasses import dataclass
from functools import lru_cache

from app.demo.world.browsers import AT_DESK, ON_THE_MOVE, Browser
from app.demo.world.dice import Choice, dice_for
from app.demo.world.truth import Person


@dataclass(frozen=True, slots=True)
class Place:
    """Where a visitor is, as a receiver with a GeoIP database would tell it."""

    continent: str
    country: str
    subdivision: str
    city: str
    asn_org: str
    asn_id: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Someone who comes back."""

    number: int
    browser: Browser
    place: Place
    language: str
    person: Person | None  # None: never identified
    stays_in: bool  # identified from the first line on, without logging in
    is_forgotten: bool  # the application does not identify again after a full load
    user_attributes: dict[str, str]
    session_attributes: dict[str, str]
    slowness: float  # factor on every load time: device and network


PLACES = Choice(
    [
        (22, Place("NA", "US", "US-NY", "New York", "Verizon", "701", ("en-US",))),
        (
            9,
            Place(
                "NA", "US", "US-CA", "San Jose", "Comcast", "7922", ("en-US", "es-US")
            ),
        ),
        (
            13,
            Place(
                "EU",
                "DE",
                "DE-BE",
                "Berlin",
                "Deutsche Telekom AG",
                "3320",
                ("de-DE", "de"),
            ),
        ),
        (10, Place("EU", "GB", "GB-ENG", "London", "BT", "2856", ("en-GB",))),
        (
            8,
            Place(
                "EU", "FR", "FR-IDF", "Paris", "Orange S.A.", "3215", ("fr-FR", "fr")
            ),
        ),
        (
            13,
            Place(
                "AS",
                "IN",
                "IN-KA",
                "Bengaluru",
                "Reliance Jio",
                "55836",
                ("en-IN", "hi-IN"),
            ),
        ),
        (6, Place("SA", "BR", "BR-SP", "São Paulo", "Claro NXT", "28573", ("pt-BR",))),
        (4, Place("AS", "JP", "JP-13", "東京", "NTT OCN", "4713", ("ja-JP", "ja"))),
        (3, Place("EU", "SE", "SE-AB", "Stockholm", "Telia", "3301", ("sv-SE",))),
        (3, Place("EU", "AT", "AT-9", "Wien", "A1 Telekom", "8447", ("de-AT",))),
        (
            3,
            Place(
                "NA",
                "CA",
                "CA-QC",
                "Montréal",
                "Bell Canada",
                "577",
                ("fr-CA", "en-CA"),
            ),
        ),
        (3, Place("OC", "AU", "AU-NSW", "Sydney", "Telstra", "1221", ("en-AU",))),
        (3, Place("EU", "ES", "ES-MD", "Madrid", "Telefonica", "3352", ("es-ES",))),
    ]
)
_FIRST = (
    "Alice",
    "Bob",
    "Chloé",
    "Dieter",
    "Elif",
    "Farah",
    "Göran",
    "Hana",
    "Imani",
    "José",
    "Kavya",
    "Lena",
    "Mihir",
    "Noor",
    "Olga",
    "Priya",
    "Quentin",
    "Rosa",
    "Siobhán",
    "Takeshi",
    "Uma",
    "Viktor",
    "Wei",
    "Yara",
)
_LAST = (
    "Almeida",
    "Bauer",
    "Costa",
    "Dupont",
    "Evans",
    "Fischer",
    "García",
    "Hansen",
    "Iyer",
    "Johansson",
    "Kowalski",
    "Lee",
    "Müller",
    "Nakamura",
    "O'Brien",
    "Patel",
    "Rossi",
    "Silva",
    "Tanaka",
    "Weber",
)
_PLANS = Choice([(70, "free"), (22, "premium"), (8, "team")])
_IDENTIFIED = 0.45


def _identify(number: int, roll: float, first: str, last: str) -> Person:
    plain = (first + "." + last).lower().replace("'", "")
    ascii_ = plain.encode("ascii", "ignore").decode()
    email = f"{ascii_}.{number}@example.com"
    if roll < 0.06:  # noqa: PLR2004  some applications only know an address
        return Person("", email, "")
    if roll < 0.12:  # noqa: PLR2004  and some only an id
        return Person(f"u-{10_000 + number}", "", "")
    return Person(f"u-{10_000 + number}", email, f"{first} {last}")


@lru_cache(maxsize=8192)
def meet(seed: int, number: int, *, on_the_move: bool) -> Visitor:
    """Make visitor *number* of the world of this seed; the same one every time."""
    dice = dice_for(seed, number, 7 if on_the_move else 5)
    place = PLACES.draw(dice)
    browser = (ON_THE_MOVE if on_the_move else AT_DESK).draw(dice)(dice)
    identified = dice.random() < _IDENTIFIED
    plan = _PLANS.draw(dice)
    since = str(2019 + dice.below(8))
    first, last, roll = dice.one(_FIRST), dice.one(_LAST), dice.random()
    session_attributes = {"ab_test": dice.one(("checkout-A", "checkout-B"))}
    if dice.random() < 0.2:  # noqa: PLR2004  customers of a tenant
        session_attributes["tenant"] = dice.one(("acme", "globex", "initech co"))
    stays_in = dice.random() < 0.6  # noqa: PLR2004
    return Visitor(
        number,
        browser,
        place,
        language=dice.one(place.languages),
        person=_identify(number, roll, first, last) if identified else None,
        stays_in=stays_in,
        is_forgotten=not stays_in and dice.random() < 0.3,  # noqa: PLR2004
        user_attributes={"plan": plan, "since": since},
        session_attributes=session_attributes if identified else {},
        slowness=dice.spread(1.6 if browser.mobile else 1.0, 0.35),
    )
