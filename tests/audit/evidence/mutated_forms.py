"""Mutations of the form: other spellings, bombs, unknown fields, downgrades."""

import base64
import json
from collections.abc import Callable
from typing import Any

from audit.verify import AUTHENTICITY, INTEGRITY, PAYLOAD_TYPES
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence.bundles import whole
from tests.audit.evidence.spoiling import Case, Mutation, document, edited, replaced
from tests.audit.pure.chains import EXPORT_KEY, payload_of
from tests.audit.pure.forgeries import set_outcome, signed, with_payload

SEQ = b'"seq":2'


def spelled(old: bytes, new: bytes) -> Callable[[], Case]:
    """The second receipt with other bytes, rightly signed."""

    def make() -> Case:
        bundle = whole()
        payload = base64.b64decode(bundle.receipts[1]["payload"])
        if old not in payload:
            raise ValueError(f"{old!r} is not in the receipt")
        bundle.receipts[1] = signed(payload.replace(old, new, 1))
        return document(bundle)

    return make


def text(change: Callable[[bytes], bytes]) -> Callable[[], Case]:
    """Other bytes of the document, by somebody without keys."""

    def make() -> Case:
        bundle = whole()
        return Case(change(bundle.document()), bundle.trust)

    return make


def opening_of(value: bytes) -> Callable[[], Case]:
    """The first opening with another value, by somebody without keys."""
    return text(lambda found: found.replace(b'"value":"Ada"', b'"value":' + value, 1))


def manifest(change: Callable[[dict[str, Any]], object]) -> Callable[[], Case]:
    """Another manifest, rightly signed."""

    def resign(value: dict[str, Any]) -> None:
        content = json.loads(base64.b64decode(value["manifest"]["payload"]))
        change(content)
        value["manifest"] = signed(canonical_bytes(content), EXPORT_KEY, PAYLOAD_TYPES["export"])

    return lambda: edited(whole(), resign)


def changed_field() -> Case:
    bundle = whole()
    bundle.receipts[1] = with_payload(bundle.receipts[1], set_outcome)
    return document(bundle)


def other_type() -> Case:
    bundle = whole()
    payload = canonical_bytes(payload_of(bundle.receipts[1]))
    bundle.receipts[1] = signed(payload, payload_type="application/json")
    return document(bundle)


def first_format(value: dict[str, Any]) -> None:
    """A document of the first format, made of this one's parts: its manifest speaks of others."""
    for name in ("anchors", "asides", "attestations", "heads", "keyring", "proofs"):
        del value[name]
    value["checkpoints"] = []


FORM, CANONICAL, STATEMENT = "it cannot be read", "it is not in canonical form", "the statement"
MUTATIONS = [
    Mutation("field of a receipt changed", changed_field, AUTHENTICITY, "the signature does not hold"),
    Mutation(
        "byte of a receipt flipped",
        text(lambda found: found[: (at := found.index(b'"receipts":') + 700)] + b"A" + found[at + 1 :]),
        AUTHENTICITY,
        "the signature does not hold",
    ),
    Mutation("white space in the document", text(lambda found: found + b"\n"), INTEGRITY, CANONICAL),
    Mutation("white space in a receipt", spelled(b":", b": "), INTEGRITY, STATEMENT),
    Mutation("key twice in the document", text(lambda found: found[:-1] + b',"receipts":[]}'), INTEGRITY, FORM),
    Mutation("key twice in a receipt", spelled(b'"seq":2', b'"seq":2,"seq":2'), INTEGRITY, STATEMENT),
    Mutation("wrong payload type", other_type, INTEGRITY, "the envelope"),
    Mutation("unknown field of the document", text(lambda found: found[:-1] + b',"zzz":[]}'), INTEGRITY, FORM),
    Mutation("unknown field of a receipt", spelled(SEQ, b'"seq":2,"seq2":2'), INTEGRITY, STATEMENT),
    Mutation("unknown field of the manifest", manifest(lambda found: found.update(note="")), INTEGRITY, "its content"),
    Mutation("spec of a receipt downgraded", spelled(b"receipt/v1", b"receipt/v0"), INTEGRITY, STATEMENT),
    Mutation(
        "export downgraded in its manifest",
        manifest(lambda found: found.update(schema="relcontrol/export/v1")),
        INTEGRITY,
        "its content",
    ),
    Mutation("export downgraded in its form", lambda: edited(whole(), first_format), INTEGRITY, "its content"),
    Mutation("huge integer", spelled(SEQ, b'"seq":' + b"2" * 4400), INTEGRITY, STATEMENT),
    Mutation("integer over 2^53-1", spelled(SEQ, b'"seq":9007199254740992'), INTEGRITY, STATEMENT),
    Mutation("float", spelled(SEQ, b'"seq":2.0'), INTEGRITY, STATEMENT),
    Mutation("NaN in a receipt", spelled(SEQ, b'"seq":NaN'), INTEGRITY, STATEMENT),
    Mutation("NaN in the document", lambda: replaced(whole(), b'"heads":[]', b'"heads":NaN'), INTEGRITY, FORM),
    Mutation("depth bomb in a receipt", spelled(SEQ, b'"seq":' + b"[" * 60_000 + b"]" * 60_000), INTEGRITY, STATEMENT),
    Mutation("depth bomb for a document", text(lambda found: b"[" * 1_000_000), INTEGRITY, FORM),
    Mutation("value deeper than 32", opening_of(b"[" * 30 + b"]" * 30), INTEGRITY, CANONICAL),
    Mutation("value deeper than is read", opening_of(b"[" * 62 + b"]" * 62), INTEGRITY, FORM),
    Mutation("24 o'clock", spelled(b"T14:", b"T24:"), INTEGRITY, STATEMENT),
    Mutation("lone surrogate", spelled(b"ses_1", b"\\ud800"), INTEGRITY, STATEMENT),
    Mutation("receipt over 256 KiB", spelled(b'"ses_1"', b'"' + b"s" * 262_144 + b'"'), INTEGRITY, "the envelope"),
    Mutation("truncated document", text(lambda found: found[: len(found) // 2]), INTEGRITY, FORM),
    Mutation("nothing", text(lambda found: b""), INTEGRITY, FORM),
]
