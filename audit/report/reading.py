"""Reading an export's JSON entry by entry: each receipt with what opens it. Pure.

A report is made from that JSON alone, never from the database, so whoever has the JSON can make it again.

The document is canonical, so its members stand in the order of their names, and each entry can be decoded alone: a
large export never stands in memory as objects. Exports of the first form have fewer members.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

STATE, PERSONAL = "state", "personal."  # fields that receipts commit to
FIRST_FORM = ("checkpoints", "keys", "manifest", "openings", "receipts")
EVIDENCE = ("anchors", "asides", "attestations", "heads", "keyring", "proofs")
FORMS = (list(FIRST_FORM), sorted([*FIRST_FORM, *EVIDENCE]))
LAST = FIRST_FORM[-1]
_decoder = json.JSONDecoder()


class ReportError(ValueError):
    """The bytes are no export of relcontrol."""


@dataclass(frozen=True, slots=True)
class Opened:
    """One receipt: its statement, and by field what opens its commitments."""

    receipt_hash: str
    predicate: Mapping[str, Any]
    subject: str
    fields: Mapping[str, Any]
    closed: int  # commitments that nothing opens

    @property
    def seq(self) -> int:
        """Its number in the chain."""
        number = object_of(self.predicate.get("chain")).get("seq")
        return number if isinstance(number, int) else 0

    @property
    def event(self) -> str:
        """The event's dotted name."""
        return str(self.predicate.get("event", ""))

    @property
    def issued_at(self) -> str:
        """When, by the issuer's clock."""
        return str(self.predicate.get("issued_at", ""))

    @property
    def actor(self) -> str:
        """The pseudonym of who did it."""
        return str(object_of(self.predicate.get("actor")).get("id", ""))

    @property
    def decision(self) -> Mapping[str, Any]:
        """What was decided, from what, by which policy."""
        return object_of(self.predicate.get("decision"))

    @property
    def manifest_sha256(self) -> str | None:
        """The release, where there is one."""
        value = object_of(self.predicate.get("release")).get("manifest_sha256")
        return value if isinstance(value, str) else None

    @property
    def state(self) -> Mapping[str, Any]:
        """What opens the recorded object; empty after an erasure."""
        return object_of(self.fields.get(STATE))

    @property
    def is_erased(self) -> bool:
        """It committed to its content, and nothing here opens it."""
        return not self.fields and self.closed > 0

    def told(self, name: str) -> Any:
        """One detail: from an opening of its own, or from the recorded object."""
        return self.fields.get(f"{PERSONAL}{name}", self.state.get(name))


@dataclass
class Export:
    """An export's bytes, opened for reading."""

    content: bytes
    manifest: Mapping[str, Any] = field(init=False)
    keys: list[Mapping[str, Any]] = field(init=False)
    sha256: str = field(init=False)
    _text: str = field(init=False, repr=False)
    _starts: dict[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Find where the parts begin; read the small ones."""
        self.sha256 = sha256(self.content).hexdigest()
        try:
            self._text = self.content.decode("utf-8")
            self._starts = self._found()
            self.manifest = _payload(self._value("manifest"))
            self.keys = [object_of(key) for key in self.entries("keys")]
        except (ValueError, LookupError, RecursionError) as error:
            raise ReportError("these bytes are no export: its JSON cannot be read") from error

    def receipts(self) -> Iterator[Opened]:
        """Every receipt in order, with what opens it."""
        openings = self._openings()
        following = next(openings, None)
        for receipt_hash, statement in self._statements("receipts"):
            fields: dict[str, Any] = {}
            while following is not None and following.get("receipt_hash") == receipt_hash:
                fields[str(following.get("field"))] = following.get("value")
                following = next(openings, None)
            yield _opened(receipt_hash, statement, fields)

    def asides(self) -> Iterator[Opened]:
        """The receipts outside the scope that anchors rely on."""
        for receipt_hash, statement in self._statements("asides"):
            yield _opened(receipt_hash, statement, {})

    def entries(self, name: str) -> Iterator[Any]:
        """The entries of a member; none where this form of the document has no such member."""
        at = self._starts.get(name, -1) + 1
        while at and self._text[at] != "]":
            value, at = _decoder.raw_decode(self._text, at + (self._text[at] == ","))
            yield value

    def _statements(self, name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for envelope in self.entries(name):
            payload = _bytes_of(envelope)
            yield sha256(payload).hexdigest(), object_of(json.loads(payload))

    def _openings(self) -> Iterator[Mapping[str, Any]]:
        """Openings stand in the order of the receipts that they open."""
        yield from map(object_of, self.entries("openings"))

    def _found(self) -> dict[str, int]:
        """Where the value of each member begins: the decoder itself walks over what lies between."""
        starts: dict[str, int] = {}
        at = 0
        while LAST not in starts:
            name, end = _decoder.raw_decode(self._text, at + 1)
            if self._text[at] != ("," if starts else "{") or self._text[end] != ":" or not isinstance(name, str):
                raise ReportError("these bytes are no export: its members are not where they belong")
            starts[name] = end + 1
            at = end + 1 if name == LAST else self._end(end + 1)
        if list(starts) not in FORMS:
            raise ReportError("these bytes are no export: its members are not those of one")
        return starts

    def _end(self, start: int) -> int:
        if self._text[start] != "[":
            return _decoder.raw_decode(self._text, start)[1]
        at = start + 1
        while self._text[at] != "]":
            at += self._text[at] == ","
            at = _decoder.raw_decode(self._text, at)[1]
        return at + 1

    def _value(self, name: str) -> Any:
        return _decoder.raw_decode(self._text, self._starts[name])[0]


def _opened(receipt_hash: str, statement: Mapping[str, Any], fields: Mapping[str, Any]) -> Opened:
    predicate = object_of(statement.get("predicate"))
    subjects = list_of(statement.get("subject"))
    subject = str(object_of(subjects[0]).get("name", "")) if subjects else ""
    closed = len(list_of(predicate.get("commitments"))) - len(fields)
    return Opened(receipt_hash, predicate, subject, fields, max(closed, 0))


def _payload(envelope: Any) -> Mapping[str, Any]:
    return object_of(json.loads(_bytes_of(envelope)))


def _bytes_of(envelope: Any) -> bytes:
    try:
        return base64.b64decode(str(object_of(envelope).get("payload", "")), validate=True)
    except binascii.Error as error:
        raise ReportError("a payload of this export is no base64") from error


def object_of(value: Any) -> Mapping[str, Any]:
    """The object, or an empty one where something else stands."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """The array, or an empty one where something else stands."""
    return value if isinstance(value, list) else []
