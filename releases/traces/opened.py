"""Bodies of traces in clear, for those who may read them: what was asked, answered and sent along.

A page opens many at once with one query for the keys; one that is gone, or damaged, leaves the others alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from releases.traces.bodies import BodyKeys, Bytes, DamagedBodyError
from releases.traces.keys import Keys, keys_of

State = Literal["open", "none", "erased", "damaged"]
STATES: Final[tuple[State, ...]] = ("open", "none", "erased", "damaged")


class Sealed(Protocol):
    """What there is to open: a trace, or those columns of one."""

    @property
    def subject(self) -> Bytes:
        """Whose key it is under."""

    @property
    def body(self) -> Bytes | None:
        """What was sealed."""


@dataclass(frozen=True, slots=True)
class Body:
    """What a trace carried; all None unless `state` is open."""

    state: State
    input: Any = None
    output: Any = None
    metadata: Any = None


def opened(organization_id: str, rows: Sequence[Sealed]) -> list[Body]:
    """The bodies of these traces, in their order. The caller has asked whether they may be read."""
    subjects = keys_of(organization_id, (bytes(row.subject) for row in rows)) if rows else {}
    keys = BodyKeys(organization_id, subjects)
    return [_opened(keys, subjects, bytes(row.subject), bytes(row.body or b"")) for row in rows]


def _opened(keys: BodyKeys, subjects: Keys, subject: bytes, sealed: bytes) -> Body:
    if subjects.get(subject, b"") is None:
        return Body("erased")
    if not sealed:
        return Body("none")
    try:
        plain = keys.open(subject, sealed)
    except DamagedBodyError:
        return Body("damaged")
    if plain is None:  # sealed, but its subject has no key at all any more
        return Body("erased")
    body: Mapping[str, Any] = json.loads(plain)
    return Body("open", body.get("input"), body.get("output"), body.get("metadata"))
