"""The kinds of receipts that the generator writes, as forms made by `audit.statement`, which checks them once each."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from audit import statement
from audit.chain import Link, commitment
from audit.events import Event
from relcontrol.bench.forms import Form
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.version import VERSION

FIRST_MARK_INTEGER = 9_007_199_254_740_001


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


SALT = _digest("salt")[:32]
SEQ, RELEASE_SEQ = FIRST_MARK_INTEGER, FIRST_MARK_INTEGER + 1
MARKS = {
    "origin": "origin.of.a.chain",
    "keyid": _digest("keyid"),
    "event_id": "rcp_" + "z" * 26,
    "issued_at": "1999-01-01T00:00:00.000001Z",
    "until": "1999-01-01T00:00:00.000002Z",
    "seq": str(SEQ),
    "prev": _digest("prev"),
    "release_seq": str(RELEASE_SEQ),
    "release_prev": _digest("release_prev"),
    "manifest_sha256": _digest("manifest_sha256"),
    "actor": "prn_" + "z" * 26,
    "release": "rel_" + "z" * 26,
    "route": "rte_" + "z" * 26,
    "application": "slug-of-an-application",
}
# In a state every gap is its name between @; the manifest is JSON itself, so its quotes are a part of the mark.
STATE_GAPS = ("id", "name", "release", "bundle_sha256", "ref", "digest", "manifest_sha256", "suite")
STATE_MARKS = {name: f"@{name}@" for name in STATE_GAPS} | {"manifest": '"@manifest@"'}


@dataclass(frozen=True)
class Kind:
    """One event with an outcome, what it is about, and the state that it commits to."""

    event: Event
    outcome: str
    about: str
    state: Mapping[str, Any]
    inputs: Sequence[statement.DecisionInput] = ()
    delivery: statement.Delivery | None = None
    names_release: bool = False
    names_manifest: bool = False

    @cached_property
    def state_form(self) -> Form:
        """The committed state."""
        return Form(dict(self.state), STATE_MARKS)

    @cached_property
    def first(self) -> Form:
        """The receipt, as the first about its manifest where it is about one."""
        return self._form(begins=True)

    @cached_property
    def following(self) -> Form:
        """The receipt after another one about the same manifest."""
        return self._form(begins=False)

    @property
    def is_about_manifest(self) -> bool:
        """Whether it stands in a release's chain."""
        return self.names_release or self.names_manifest

    def _form(self, *, begins: bool) -> Form:
        disclosure = statement.Disclosure("state", dict(self.state), SALT)
        marks = MARKS | {
            "commitment": commitment("state", SALT, disclosure.value),
            "subject": sha256_hex([SALT, disclosure.value]),
            "name": STATE_MARKS["name"],
        }
        return Form(self._statement(disclosure, begins=begins), marks)

    def _statement(self, disclosure: statement.Disclosure, *, begins: bool) -> dict[str, Any]:
        chained = self.is_about_manifest
        link = Link(
            seq=SEQ,
            prev=MARKS["prev"],
            release_seq=(1 if begins else RELEASE_SEQ) if chained else None,
            release_prev=MARKS["release_prev"] if chained and not begins else None,
        )
        return statement.build_statement(
            event=self.event,
            event_id=MARKS["event_id"],
            issued_at=MARKS["issued_at"],
            occurred_at=MARKS["issued_at"],
            origin=MARKS["origin"],
            link=link,
            signer_keyid=MARKS["keyid"],
            actor=statement.Actor("person", MARKS["actor"], "session", "0123456789abcdef", "recorded"),
            about=self._about(disclosure),
            build=statement.Build(VERSION, None),
            weights=statement.AttestedWeights() if chained else statement.NoWeights(),
            application=MARKS["application"] if chained else None,
            delivery=self.delivery,
            decision=statement.Decision(self.outcome, None, list(self.inputs)),
            disclosures=[disclosure],
            retention=statement.Retention("standard", MARKS["until"]),
        )

    def _about(self, disclosure: statement.Disclosure) -> statement.ReleaseRef | statement.Subject:
        if self.names_release:
            return statement.ReleaseRef(MARKS["manifest_sha256"], MARKS["release"], MARKS["route"])
        if self.names_manifest:
            return statement.ReleaseRef(MARKS["manifest_sha256"])
        return statement.Subject(self.about, STATE_MARKS["name"], [disclosure.salt, disclosure.value])


_AGREEMENT = statement.DecisionInput(
    metric="agreement", verdict="pass", slice="contract-drafting", value="0.82", threshold="0.7", op=">=", n=80
)

ARTIFACT = Kind(
    Event.ARTIFACT_CREATED,
    "created",
    "artifact",
    {"id": "@id@", "ref": "@name@", "kind": "prompt_template", "sha256": "@digest@"},
)
REGISTERED = Kind(
    Event.RELEASE_REGISTERED,
    "registered",
    "release",
    {
        "id": "@release@",
        "name": "@name@",
        "manifest": "@manifest@",
        "bundle_sha256": "@bundle_sha256@",
        "refs": {"prompt_template": "@ref@", "dataset": "@suite@"},
        "changes": ["prompt_template"],
        "cold_start": False,
        "fast_gate": [],
    },
    delivery=statement.Delivery(None, "registered"),
    names_release=True,
)
GATE_PASSED = Kind(
    Event.GATE_PASSED,
    "passed",
    "gate",
    {"id": "@id@", "manifest_sha256": "@manifest_sha256@", "result": "passed"},
    inputs=[_AGREEMENT],
    names_manifest=True,
)
GATE_FAILED = Kind(
    Event.GATE_FAILED,
    "failed",
    "gate",
    {"id": "@id@", "manifest_sha256": "@manifest_sha256@", "result": "failed"},
    inputs=[_AGREEMENT],
    names_manifest=True,
)
SLICE = Kind(Event.POLICY_CHANGED, "changed", "slice", {"id": "@id@", "slug": "@name@", "threshold": "0.7"})
TOKEN = Kind(Event.TOKEN_CHANGED, "created", "token", {"id": "@id@", "name": "@name@", "scopes": ["releases:write"]})
LATER = (GATE_PASSED, SLICE, GATE_FAILED, TOKEN)
