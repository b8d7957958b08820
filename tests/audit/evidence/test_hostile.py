"""Whatever stands in an export, rightly signed or not: it verifies, or is refused with a reason. Nothing breaks."""

import base64
import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import pytest

from audit import verify
from relcontrol.bundle.canonical import canonical_bytes
from tests.audit.evidence.bundles import KEYRING_TYPE, ROOT_KEY, Bundle, application, whole
from tests.audit.evidence.spoiling import Case, document
from tests.audit.evidence.test_mutations import judged
from tests.audit.pure.chains import payload_of
from tests.audit.pure.forgeries import signed

JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    2**53 - 1,
    "",
    "x",
    "0" * 64,
    [],
    {},
    [["x"]],
    {"a": [1]},
    "\u2014 x y",
    "A" * 88,
)
PARTS = ("anchors", "attestations", "checkpoints", "heads", "proofs")
STEP = 3  # of the places, one in so many is spoiled

Path = tuple[Any, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where something stands in a value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from places(item, (*path, key))


def spoiled(value: Any, path: Path, junk: Any) -> Any:
    """A copy with junk at this place."""
    copy = json.loads(json.dumps(value))
    target = copy
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = junk
    return copy


def variants(value: Any) -> Iterator[Any]:
    """The value spoiled at some of its places, each with another piece of junk."""
    junk = cycle(JUNK)
    for path in islice(places(value), 0, None, STEP):
        yield spoiled(value, path, next(junk))


def judge(bundle: Bundle) -> verify.Report:
    return judged(Case(canonical_bytes(json.loads(document(bundle).file)), bundle.trust))


@pytest.mark.parametrize("part", PARTS)
def test_no_part_breaks_the_verifier(part: str) -> None:
    bundle = application(6)
    sound = getattr(bundle, part)
    assert judge(bundle).failures == ()
    for variant in variants(sound):
        setattr(bundle, part, variant)
        assert judge(bundle).exit_code in {0, 1, 3}


def test_no_anchor_made_breaks_the_verifier() -> None:
    bundle = whole(4)
    sound = payload_of(bundle.receipts[3])
    outcomes = set()
    for variant in variants(sound):
        bundle.receipts[3] = signed(canonical_bytes(variant))
        outcomes.add(judge(bundle).exit_code)
    assert outcomes <= {0, 1, 3}
    assert 1 in outcomes


def test_no_keyring_breaks_the_verifier() -> None:
    bundle = whole(3)
    sound = json.loads(base64.b64decode((bundle.keyring or {})["payload"]))
    for variant in [*variants(sound), [], None]:
        envelope = signed(canonical_bytes(variant), ROOT_KEY, KEYRING_TYPE)
        bundle.keyring = envelope
        assert judge(bundle).exit_code in {0, 1, 3}
