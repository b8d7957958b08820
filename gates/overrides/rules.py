"""What a request for an override must say, what it comes to, and its digest (domain.md "Override", contracts.md).

Pure: values in, values or an `Invalid` with every problem out. Quality levels are decimals on [0, 1].
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any, Final

from audit.chain import timestamp
from gates.slices.rules import decimal_text
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.bundle.reading import Reader
from relcontrol.errors import FieldError, Invalid

OVERRIDE_SCHEMA: Final = "relcontrol/override/v1"
FORCE: Final = "forceGateOverride"
REASON: Final = "overrideReason"
SLICES: Final = "slices"
LEVELS: Final = "accepted_levels"
EXPIRES: Final = "expires_in_seconds"
MIN_REASON: Final = 20
MAX_REASON: Final = 4_000
DISTINCT: Final = 8
MAX_COMMENT: Final = 2_000
MIN_REJECTION: Final = 10
MIN_SECONDS: Final = 60
SECONDS_PER_HOUR: Final = 3_600
PLACES: Final = 6
SHOWN: Final = 3

OPEN: Final = frozenset({"pending_approval", "active"})


@dataclass(frozen=True, slots=True)
class Terms:
    """What an override covers and for how long; a level of None leaves the plain tolerance in that slice."""

    slices: tuple[str, ...]
    accepted_levels: Mapping[str, str | None]
    lifetime: timedelta


def read_statement(force: object, reason: object) -> str:
    """The reason, where both structural fields are as they must be; `Invalid` names each that is not."""
    reader = Reader()
    if force is not True:
        reader.refuse(FORCE, "Must be true, the JSON boolean: an override is never given by accident.")
    said = _reason(reader, reason, REASON)
    _close(reader)
    return said


def checked_reason(value: object, field: str = REASON) -> str:
    """A reason of 20 characters or more that say something, in NFC and without blanks around it."""
    reader = Reader()
    said = _reason(reader, value, field)
    _close(reader)
    return said


def checked_comment(value: object, *, at_least: int = 1, field: str = "comment") -> str:
    """What a person says to her decision: not blank, and not endless."""
    reader = Reader()
    said = reader.text(value, field, at_most=MAX_COMMENT).strip()
    if not reader.problems and len(said) < at_least:
        wanted = f"at least {at_least} characters" if at_least > 1 else "a sentence"
        reader.refuse(field, f"Write {wanted}: the receipt keeps it beside your name.")
    _close(reader)
    return said


def stopping_slices(document: Mapping[str, Any]) -> tuple[str, ...]:
    """The slices of a run that do not pass, by slug."""
    return tuple(sorted(row["slice"] for row in document["slices"] if row["verdict"] != "pass"))


def read_terms(
    *, document: Mapping[str, Any], hours: int, slices: object = None, levels: object = None, seconds: object = None
) -> Terms:
    """The terms of an override of this run, defaults filled in; `Invalid` with every problem."""
    reader = Reader()
    stopping = stopping_slices(document)
    _check_slices(reader, slices, stopping)
    given = _levels(reader, levels, stopping)
    lifetime = _lifetime(reader, seconds, hours)
    _close(reader)
    measured = {row["slice"]: default_level(row) for row in document["slices"]}
    return Terms(stopping, {slug: given.get(slug, measured[slug]) for slug in stopping}, lifetime)


def default_level(row: Mapping[str, Any]) -> str | None:
    """The lower bound of the quality that was measured in a slice; None where none was."""
    interval = (row["quality"] or {}).get("ci90")
    if not interval or interval[0] is None:
        return None
    bound = min(max(Decimal(repr(interval[0])), Decimal(0)), Decimal(1))
    return decimal_text(bound.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_EVEN))


def override_document(
    *,
    manifest_sha256: str,
    gate_run_sha256: str,
    terms: Terms,
    reason: str,
    requested_by: str,
    requested_at: datetime,
    expires_at: datetime,
) -> dict[str, Any]:
    """What `gate_override_sha256` is the digest of."""
    return {
        "schema": OVERRIDE_SCHEMA,
        "manifest_sha256": manifest_sha256,
        "gate_run_sha256": gate_run_sha256,
        "slices": sorted(terms.slices),
        "accepted_levels": dict(terms.accepted_levels),
        "force_gate_override": True,
        "reason": reason,
        "requested_by": requested_by,
        "requested_at": timestamp(requested_at),
        "expires_at": timestamp(expires_at),
    }


def override_sha256(document: Mapping[str, Any]) -> str:
    """The digest of an override, known when it is requested."""
    return sha256_hex(dict(document))


def state_at(state: str, expires_at: datetime, at: datetime) -> str:
    """The state as it is now: what has lapsed counts as expired before the ticker has written so."""
    return "expired" if state in OPEN and expires_at <= at else state


def says_something(text: str) -> bool:
    """Whether a text is more than a key held down; letters of every script count, so that short scripts can say it."""
    distinct = {character for character in text.casefold() if character.isalnum()}
    return len(" ".join(text.split())) >= MIN_REASON and len(distinct) >= DISTINCT


def _reason(reader: Reader, value: object, field: str) -> str:
    known = len(reader.problems)
    said = reader.text(value, field, at_most=MAX_REASON).strip()
    if len(reader.problems) == known and not says_something(said):
        reader.refuse(field, f"Say why in {MIN_REASON} characters or more that mean something to a reader.")
    return said


def _check_slices(reader: Reader, value: object, stopping: Collection[str]) -> None:
    """An override covers all that stops the release, and names nothing else."""
    if value is None:
        return
    if not isinstance(value, Sequence) or not all(isinstance(slug, str) for slug in value) or isinstance(value, str):
        reader.refuse(SLICES, 'Must be a list of slice slugs, such as ["ip-licensing"].', "wrong_type")
        return
    if missing := sorted(set(stopping) - set(value)):
        reader.refuse(SLICES, f"These do not pass either, so name them too: {', '.join(missing)}.")
    if extra := sorted(set(value) - set(stopping)):
        reader.refuse(SLICES, f"There is nothing to override in: {', '.join(extra)[:300]}.")


def _levels(reader: Reader, value: object, stopping: Collection[str]) -> dict[str, str | None]:
    if value is None:
        return {}
    given = reader.mapping(value, LEVELS)
    if extra := sorted(set(given) - set(stopping)):
        reader.refuse(LEVELS, f"There is nothing to override in: {', '.join(extra)[:300]}.")
    return {slug: _level(reader, level, f"{LEVELS}.{slug}") for slug, level in given.items() if slug in stopping}


def _level(reader: Reader, value: object, field: str) -> str | None:
    if value is None:
        return None
    try:
        level = Decimal(str(value)) if isinstance(value, (int, float, str, Decimal)) else Decimal("NaN")
    except InvalidOperation:
        level = Decimal("NaN")
    if isinstance(value, bool) or not level.is_finite() or not 0 <= level <= 1:
        reader.refuse(field, "Must be a decimal from 0 to 1 such as 0.612, or null.", "out_of_range")
    elif level != round(level, PLACES):
        reader.refuse(field, f"Give at most {PLACES} decimal places.", "out_of_range")
    else:
        return decimal_text(abs(level))
    return None


def _lifetime(reader: Reader, value: object, hours: int) -> timedelta:
    longest = hours * SECONDS_PER_HOUR
    if value is None:
        return timedelta(hours=hours)
    if not isinstance(value, int) or isinstance(value, bool) or not MIN_SECONDS <= value <= longest:
        reader.refuse(EXPIRES, f"Must be a whole number from {MIN_SECONDS} to {longest:,}, which the policy allows.")
        return timedelta(hours=hours)
    return timedelta(seconds=value)


def _close(reader: Reader) -> None:
    if reader.problems:
        errors = [FieldError(problem.field, problem.message) for problem in reader.problems]
        raise Invalid("; ".join(f"{wrong.field}: {wrong.message}" for wrong in errors[:SHOWN]), errors=errors)
