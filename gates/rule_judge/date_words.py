"""Names of months and weekdays in English, German and French, and the English abbreviations."""

from collections.abc import Sequence
from typing import Final

MONTH_NAMES: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAY_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_MONTHS: Final = (
    ("january", "jan", "januar", "jänner", "janvier"),
    ("february", "feb", "februar", "février"),
    ("march", "mar", "märz", "mars"),
    ("april", "apr", "avril"),
    ("may", "mai"),
    ("june", "jun", "juni", "juin"),
    ("july", "jul", "juli", "juillet"),
    ("august", "aug", "août"),
    ("september", "sept", "sep", "septembre"),
    ("october", "oct", "oktober", "octobre"),
    ("november", "nov", "novembre"),
    ("december", "dec", "dezember", "décembre"),
)
_WEEKDAYS: Final = (
    ("monday", "mon", "montag", "lundi"),
    ("tuesday", "tues", "tue", "dienstag", "mardi"),
    ("wednesday", "wed", "mittwoch", "mercredi"),
    ("thursday", "thurs", "thur", "thu", "donnerstag", "jeudi"),
    ("friday", "fri", "freitag", "vendredi"),
    ("saturday", "sat", "samstag", "sonnabend", "samedi"),
    ("sunday", "sun", "sonntag", "dimanche"),
)
# Words of the language as well: in lower case they are no month unless more says so.
SPOKEN_MONTHS: Final = frozenset({"may", "march", "mar", "jan", "sep", "dec", "mars", "august", "mai"})


def _numbers(names: Sequence[Sequence[str]], first: int) -> dict[str, int]:
    return {name: number for number, row in enumerate(names, first) for name in row}


MONTHS: Final = _numbers(_MONTHS, 1)
WEEKDAYS: Final = _numbers(_WEEKDAYS, 0)
