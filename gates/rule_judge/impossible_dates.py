"""Dates that no calendar has: "Thursday March 32nd", 31 June, 2025-02-30, a Monday that was a Tuesday.

Careful on purpose, as a finding makes an answer worth nothing: a bare "May 32" or "45 March filings" is no date, and a
date that the question names, or of which the answer itself says that it does not exist, is not held against it.
"""

import re
from calendar import isleap, monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from gates.rule_judge.date_words import DAY_NAMES, MONTH_NAMES, MONTHS, SPOKEN_MONTHS, WEEKDAYS

LEAP_YEAR: Final = 2024
LAST_NUMBER: Final = 39
# Between these the calendar and its weekdays are the same for every reader.
YEARS: Final = range(1800, 2200)

_MONTH = rf"(?P<month>{'|'.join(sorted(MONTHS, key=len, reverse=True))})\b\.?"
_WEEKDAY = (
    rf"(?:\b(?P<weekday>{'|'.join(sorted(WEEKDAYS, key=len, reverse=True))})\b\.?,?\s+(?:(?:the|den|dem|le)\s+)?)?"
)
_DAY = r"(?P<day>\d{1,2})(?P<ordinal>st|nd|rd|th|\.|er)?(?![\d%])"
_YEAR = r"(?:,?\s+(?P<year>\d{4})\b(?![.,]\d))?"
_MONTH_FIRST = re.compile(rf"{_WEEKDAY}\b{_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}", re.IGNORECASE)
_DAY_FIRST = re.compile(rf"{_WEEKDAY}(?<![\w.,/:§$€£-]){_DAY}\s+(?:(?:day\s+)?of\s+)?{_MONTH}{_YEAR}", re.IGNORECASE)
_ISO = re.compile(r"(?<![\w./-])(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?![\d-])")
_DOTTED = re.compile(r"(?<![\w./-])(?P<day>\d{1,2})\.\s?(?P<month>\d{1,2})\.\s?(?P<year>\d{4})(?![\w-]|\.\d)")
_SLASHED = re.compile(r"(?<![\w./-])(?P<one>\d{1,2})/(?P<two>\d{1,2})/(?P<year>\d{4})(?![\w/-])")

_NUMBERED = re.compile(
    r"(?:sections?|articles?|pages?|rules?|clauses?|no\.?|nos\.|numbers?|chapters?|paragraphs?|items?|exhibits?|rooms?"
    r"|versions?|schedules?|appendix|annex|part|step|line|artikel|absatz|seite|ziffer|nummer|nr\.?|§§?)\s+$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\s+(?!(?:at|by|and|or|is|was|are|were|to|through|until|till|as|in|for|of|on|which|that|when|before|after|from"
    r"|will|would|should|must|und|oder|bis|um|et|ou|à|au)\b)[a-z]",
    re.IGNORECASE,
)
_OF_SOMETHING = re.compile(r"\s+(?:anniversary|annual|edition|amendment|birthday|street|avenue|floor)\b", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:not exist|n't exist|no such|not a (?:real|valid)|not real|n't a (?:real|valid)|not valid|invalid|impossible"
    r"|never (?:occurs?|exists?|comes?)|no \w+ \d|only has|only have|has only|have only|gibt es nicht|existiert nicht"
    r"|ungültig|n'existe pas|invalide)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[a-z\d)])[.!?](?=\s+[A-ZÄÖÜÀÉ]|\s*$)|\n")


@dataclass(frozen=True, slots=True)
class ImpossibleDate:
    """A date as it stands in the text, and why there is none such."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A date that was read: where it stands, and what it says."""

    start: int
    text: str
    day: int
    month: int
    year: int | None
    weekday: int | None = None


def impossible_dates(text: str, asked: str = "") -> list[ImpossibleDate]:
    """The impossible dates of an answer in the order of the text; those that `asked` names are left out."""
    known = _plain(asked)
    found = []
    for read in sorted(_dates(text), key=lambda each: each.start):
        reason = _reason(read)
        if reason and _plain(read.text) not in known and not _DENIED.search(_sentence_around(text, read.start)):
            found.append(ImpossibleDate(read.text, reason))
    return found


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _reason(read: _Found) -> str | None:
    month = MONTH_NAMES[read.month - 1]
    year = LEAP_YEAR if read.year is None else read.year
    days = monthrange(year, read.month)[1]
    if read.day > days:
        if (read.day, read.month) == (29, 2) and not isleap(year):
            return f"{year} was no leap year: its February has 28 days."
        return f"{month} has {days} days."
    if read.weekday is None or read.year is None or read.year not in YEARS:
        return None
    actual = date(read.year, read.month, read.day).weekday()
    if actual == read.weekday:
        return None
    return f"{read.day} {month} {read.year} is a {DAY_NAMES[actual]}, no {DAY_NAMES[read.weekday]}."


def _sentence_around(text: str, place: int) -> str:
    """The sentence that a date stands in; no more than what is near it."""
    low, high = max(0, place - 300), min(len(text), place + 300)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, low, high)]
    begin = max((end for end in ends if end <= place), default=low)
    return text[begin : min((end for end in ends if end > place), default=high)]


def _dates(text: str) -> Iterator[_Found]:
    yield from _written(text, _MONTH_FIRST)
    yield from _written(text, _DAY_FIRST)
    for match in _ISO.finditer(text):
        yield from _numeric(match, int(match["day"]), int(match["month"]))
    for match in _DOTTED.finditer(text):
        yield from _numeric(match, int(match["day"]), int(match["month"]))
    for match in _SLASHED.finditer(text):
        one, two = int(match["one"]), int(match["two"])
        if not _is_date(one, two, match["year"]) and not _is_date(two, one, match["year"]):
            day, month = (two, one) if one <= 12 else (one, two)
            yield from _numeric(match, day, month)


def _is_date(day: int, month: int, year: str) -> bool:
    return 1 <= month <= 12 and int(year) in YEARS and 1 <= day <= monthrange(int(year), month)[1]


def _numeric(match: re.Match[str], day: int, month: int) -> Iterator[_Found]:
    year = int(match["year"])
    if 1 <= month <= 12 and 1 <= day <= LAST_NUMBER and year in YEARS:
        yield _Found(match.start(), match.group(), day, month, year)


def _written(text: str, pattern: re.Pattern[str]) -> Iterator[_Found]:
    for match in pattern.finditer(text):
        day, month = int(match["day"]), MONTHS[match["month"].lower()]
        year = int(match["year"]) if match["year"] and int(match["year"]) in YEARS else None
        weekday = WEEKDAYS[match["weekday"].lower()] if match["weekday"] else None
        if 1 <= day <= LAST_NUMBER and _is_meant(text, match, day, sure=weekday is not None or year is not None):
            yield _Found(match.start(), match.group().strip(" .,"), day, month, year, weekday)


def _is_meant(text: str, match: re.Match[str], day: int, *, sure: bool) -> bool:
    """Whether a number beside a month's name is a date at all, and not a count, a page or a verb's object."""
    if _NUMBERED.search(text, max(0, match.start() - 20), match.start()) or _OF_SOMETHING.match(text, match.end()):
        return False
    if not match["month"][0].isupper() and match["month"].lower() in SPOKEN_MONTHS and not sure:
        return match["ordinal"] in ("st", "nd", "rd", "th") and match.re is _DAY_FIRST
    if sure or match["ordinal"]:
        return True
    return day <= 31 and not _COUNTED.match(text, match.end())
