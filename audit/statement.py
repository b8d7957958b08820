"""Receipt v1 as an in-toto Statement v1: the parts, how they are put together, and the closed schema.

Decisions (receipts.md "Receipt v1"):

* One subject. With a release: name `manifest`, digest the manifest SHA-256. Without: name `<kind>:<id>`, digest the
  SHA-256 over the RFC 8785 bytes of the recorded state.
* `delivery` is there on events of releases, rollouts, checkpoints and rollbacks, and absent on all others; receipts
  of gates and overrides name the manifest alone (`id` and `route` are null).
* `weights` is always there: closed API and not claimed, open weights and attested to some degree, or no release.
* `application` is the slug of the application that a receipt is about, and is signed, so that a receipt cannot be
  shown as one of another. It is null where the thing serves several: artifacts, suites, slices, people, tokens. What is
  about a release, an application or a route always names it. Receipts from before this field have none and verify.
* What a receipt must not show in clear is a commitment; its value and salt are a `Disclosure` kept elsewhere.
* The schema is the auditor's: `validate_statement` asks the verifier, so what it would refuse is never signed.

Pure: ids, time and place in the chain are given in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from audit import verify
from audit.chain import Link, commitment
from audit.events import Event
from relcontrol.bundle.canonical import canonical_bytes, sha256_hex

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://relcontrol.dev/attestation/release-receipt/v1"
SPEC = "relcontrol/receipt/v1"
MAX_PAYLOAD_BYTES = 256 * 1024
STATE, PERSONAL = "state", "personal."  # fields of commitments: what is so after the event, and details of a person


class StatementError(ValueError):
    """A statement outside the closed schema. `path` names the field (`predicate.chain.seq`)."""

    def __init__(self, path: str, expected: str, got: str) -> None:
        super().__init__(f"{path or 'the statement'}: expected {expected}, got {got}")
        self.path = path
        self.expected = expected
        self.got = got


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it. `kind` is person, service or system; `id` is a pseudonym, never a name or an address."""

    kind: str
    id: str
    auth: str | None = None
    session: str | None = None
    signature_meaning: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What the receipt is about, for events without a release."""

    kind: str
    id: str
    state: Any

    def as_json(self) -> dict[str, Any]:
        return _subject(f"{self.kind}:{self.id}", sha256_hex(self.state))


@dataclass(frozen=True, slots=True)
class ReleaseRef:
    """The release: by manifest always, by id and route where its delivery is meant."""

    manifest_sha256: str
    id: str | None = None
    route: str | None = None

    def as_json(self) -> dict[str, Any]:
        return _subject("manifest", self.manifest_sha256)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery state before and after; `before` is null on registration."""

    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The rule that was applied, in the revision that was applied."""

    id: str
    revision: int
    sha256: str


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """One measured value against one limit. Numbers with digits are decimal text."""

    metric: str
    verdict: str
    slice: str | None = None
    value: str | None = None
    threshold: str | None = None
    op: str | None = None
    evidence: str | None = None
    n: int | None = None
    evidence_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """The written decision to go on against a gate. Its reason stays in clear for ever; the form says so."""

    gate_override_sha256: str
    slices: list[str]
    accepted_levels: dict[str, str | None]
    reason: str
    requested_by: str
    approved_by: str | None = None
    expires_at: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome, and what it was derived from. An event that decides nothing is `recorded`."""

    outcome: str = "recorded"
    policy: Policy | None = None
    inputs: list[DecisionInput] = field(default_factory=list)
    override: Override | None = None


@dataclass(frozen=True, slots=True)
class ClosedApiWeights:
    """Nobody can see the weights behind a closed API, and the receipt says so."""

    provider: str
    model: str

    def as_json(self) -> dict[str, Any]:
        return {"provenance": "not-claimed", "reason": "closed-api", **asdict(self), "assurance": "none"}


@dataclass(frozen=True, slots=True)
class UnnamedWeights:
    """Open weights of which no digest was given: somebody could check them, but nobody said what to check against."""

    provider: str
    model: str

    def as_json(self) -> dict[str, Any]:
        return {"provenance": "not-claimed", "reason": "no-weights-digest", **asdict(self), "assurance": "none"}


@dataclass(frozen=True, slots=True)
class AttestedWeights:
    """Open weights with a digest. `declared` was seen by nobody; more than that needs who saw which manifest when."""

    assurance: str = "declared"
    manifest_sha256: str | None = None
    oms_root_sha256: str | None = None
    observed_manifest_sha256: str | None = None
    observed_at: str | None = None
    observer_keyid: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {"provenance": "attested", **asdict(self)}


@dataclass(frozen=True, slots=True)
class NoWeights:
    """An event without a release has no weights to speak of."""

    def as_json(self) -> dict[str, Any]:
        return {"provenance": "not-applicable", "reason": "no-release", "assurance": "none"}


Weights = ClosedApiWeights | UnnamedWeights | AttestedWeights | NoWeights


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A value that a receipt commits to without showing it, with its salt: what an opening later tells."""

    field: str
    value: Any
    salt: str

    def as_json(self) -> dict[str, str]:
        return {"field": self.field, "commitment": commitment(self.field, self.salt, self.value)}


def disclosures_of(state: Any, personal: Mapping[str, Any], salt: Callable[[], str]) -> list[Disclosure]:
    """The state, and beside it each personal detail with a salt of its own, so that it can be erased alone."""
    details = [Disclosure(f"{PERSONAL}{name}", value, salt()) for name, value in sorted(personal.items())]
    return [Disclosure(STATE, state, salt()), *details]


@dataclass(frozen=True, slots=True)
class Retention:
    """How long openings and bodies are kept; the receipt itself stays. `until` is null for "as long as it exists"."""

    kind: str = "standard"
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """The software that wrote the receipt."""

    version: str
    commit: str | None = None


def build_statement(
    *,
    event: Event,
    event_id: str,
    issued_at: str,
    occurred_at: str,
    origin: str,
    link: Link,
    signer_keyid: str,
    actor: Actor,
    about: ReleaseRef | Subject,
    build: Build,
    weights: Weights,
    application: str | None = None,
    delivery: Delivery | None = None,
    decision: Decision | None = None,
    disclosures: Sequence[Disclosure] = (),
    retention: Retention | None = None,
) -> dict[str, Any]:
    """The statement of one receipt, checked against the closed schema. Raises `StatementError`."""
    retention = retention or Retention()
    predicate = {
        "spec": SPEC,
        "event": event.value,
        "event_id": event_id,
        "issued_at": issued_at,
        "occurred_at": occurred_at,
        "chain": {"customer": origin, **asdict(link)},
        "signer": {"keyid": signer_keyid, "role": "receipts"},
        "actor": asdict(actor),
        "application": application,
        "release": _release(about),
        "decision": asdict(decision or Decision()),
        "weights": weights.as_json(),
        "commitments": [disclosure.as_json() for disclosure in disclosures],
        "retention": {"class": retention.kind, "until": retention.until},
        "build": asdict(build),
    }
    if delivery is not None:
        predicate["delivery"] = {"from": delivery.before, "to": delivery.after}
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [about.as_json()],
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }
    validate_statement(statement)
    return statement


def validate_statement(statement: Mapping[str, Any]) -> None:
    """The closed schema and the claim about weights, as the verifier will check them. Raises `StatementError`."""
    try:
        verify.check_statement(statement)
        verify.check_weights(statement)
    except verify.FormError as error:
        raise StatementError(error.path, error.expected, error.got) from None


def payload_bytes(statement: Mapping[str, Any]) -> bytes:
    """The RFC 8785 bytes that are hashed and signed. Raises `StatementError` over 256 KiB."""
    payload = canonical_bytes(statement)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise StatementError("", f"at most {MAX_PAYLOAD_BYTES} bytes", f"{len(payload)} bytes")
    return payload


def _subject(name: str, sha256: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": sha256}}


def _release(about: ReleaseRef | Subject) -> dict[str, Any]:
    if isinstance(about, ReleaseRef):
        return asdict(about)
    return {"manifest_sha256": None, "id": None, "route": None}
