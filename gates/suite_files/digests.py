"""Digests of a suite and of its ratings (contracts.md): RFC 8785 bytes, entry by entry, so that 100,000 fit.

Pure. The digest of a suite is over its cases sorted by case_id and over no grade: a new rating does not change it. The
canonical bytes of an object are its members' bytes in the order of their names, so the list is hashed as it is built.
Entries hold nothing but checked texts and null under ASCII names. For these Python's own encoder writes the canonical
bytes (a property test holds it to that), ten times as fast.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from gates.suite_files.cases import Case

SUITE_SCHEMA: Final = "relcontrol/suite/v1"
RATINGS_SCHEMA: Final = "relcontrol/ratings/v1"

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))

RatingKey = tuple[str, str, str]


def suite_digest(cases: Iterable[Case]) -> str:
    """`sha256:<hex>` of the suite with these cases, in whatever order they come."""
    entries = (
        {
            "case_id": case.case_id,
            "slice": case.slice,
            "input": case.input,
            "reference": case.reference,
            "cluster_id": case.cluster_id,
        }
        for case in sorted(cases, key=lambda case: case.case_id)
    )
    return f"sha256:{canonical_list_digest('cases', entries, SUITE_SCHEMA)}"


def ratings_digest(ratings: Iterable[tuple[RatingKey, float]]) -> str:
    """`sha256:<hex>` of ratings, each given as ((case_id, answer_id, rater), grade)."""
    entries = (
        {"case_id": case_id, "answer_id": answer_id, "rater": rater, "grade": decimal_text(grade)}
        for (case_id, answer_id, rater), grade in sorted(ratings)
    )
    return f"sha256:{canonical_list_digest('ratings', entries, RATINGS_SCHEMA)}"


@lru_cache(maxsize=1024)
def decimal_text(number: float) -> str:
    """A number as a decimal string in its shortest form: 4, 3.5, 0.25."""
    return format(Decimal(repr(number)).normalize(), "f")


def canonical_list_digest(name: str, entries: Iterable[Mapping[str, Any]], schema: str) -> str:
    """The SHA-256 of the canonical bytes of `{name: entries, "schema": schema}`; `name` must sort before "schema"."""
    digest = hashlib.sha256(b'{"' + name.encode() + b'":[')
    for piece in _separated(entries):
        digest.update(piece)
    digest.update(f'],"schema":"{schema}"}}'.encode())
    return digest.hexdigest()


def _separated(entries: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for index, entry in enumerate(entries):
        yield f"{',' if index else ''}{_ENCODER.encode(entry)}".encode()
