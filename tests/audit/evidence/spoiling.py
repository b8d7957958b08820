"""What a mutation of an export is: what an auditor is then given, and what every verifier must say of it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from audit.verify import FAILS
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence.bundles import Bundle


@dataclass(frozen=True)
class Case:
    """What the auditor has: the file (a document or a ZIP), her trust file, and a head that she may hold."""

    file: bytes
    trust: dict[str, Any] | None
    head: str | None = None  # SEQ:HASH, or the text of a signed note


@dataclass(frozen=True)
class Mutation:
    """`check` must have this outcome, and a failure of it (or the verdict, if it is none) must say `says`.

    `tokens`: only seen by who verifies time stamps, which verify.html does not.
    """

    name: str
    make: Callable[[], Case]
    check: str
    says: str
    outcome: str = FAILS
    tokens: bool = False


def document(bundle: Bundle) -> Case:
    """The export as JSON, signed by its key whatever is in it."""
    return Case(bundle.document(), bundle.trust, bundle.head)


def archive(bundle: Bundle) -> Case:
    """The export as ZIP, signed by its key whatever is in it."""
    return Case(bundle.zip(), bundle.trust, bundle.head)


def edited(bundle: Bundle, change: Callable[[dict[str, Any]], object]) -> Case:
    """The document changed by somebody without keys, in canonical form again."""
    value = json.loads(bundle.document())
    change(value)
    return Case(canonical_bytes(value), bundle.trust, bundle.head)


def replaced(bundle: Bundle, old: bytes, new: bytes) -> Case:
    """The document with some bytes replaced by somebody without keys."""
    text = bundle.document()
    if old not in text:
        raise ValueError(f"{old!r} is not in the document")
    return Case(text.replace(old, new, 1), bundle.trust, bundle.head)
