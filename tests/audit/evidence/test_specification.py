"""The examples of relcontrol/docs/receipts.md, read from the page and checked: the specification holds real bytes.

Most are computed here with hashlib and `cryptography` alone, as somebody would who has only read the page.
"""

import base64
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import relcontrol
from audit import verify
from tests.audit.evidence.bundles import trust
from tests.audit.evidence.test_every_byte import DOCUMENT

DOCS = Path(relcontrol.__file__).parent / "docs"
PAGE = (DOCS / "receipts.md").read_text("utf-8")
EXAMPLES = dict(re.findall(r"<!-- example: ([a-z-]+) -->\n```[a-z]+\n(.*?)```", PAGE, re.DOTALL))
ORIGIN = "relcontrol.test/acme"


def fields(name: str) -> dict[str, str]:
    """The lines of an example, each a word and a value."""
    return dict(line.split(" ", 1) for line in EXAMPLES[name].splitlines())


def hashed(*parts: bytes) -> bytes:
    return sha256(b"".join(parts)).digest()


def key(name: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(fields(name)["public_key"]))


def lines_of(note: str) -> list[bytes]:
    """What the lines of signatures hold."""
    return [base64.b64decode(line.split(" ")[2]) for line in note.splitlines() if line.startswith("— ")]


def body_of(note: str) -> str:
    return note.rpartition("\n\n")[0] + "\n"


def test_the_receipt_has_the_hash_and_the_signature_that_stand_beside_it() -> None:
    payload, said = EXAMPLES["payload"].rstrip("\n").encode(), fields("receipt")
    assert sha256(payload).hexdigest() == said["receipt_hash"]
    assert sha256(base64.b64decode(said["public_key"])).hexdigest() == said["keyid"]
    signed = b"DSSEv1 28 application/vnd.in-toto+json %d %b" % (len(payload), payload)
    key("receipt").verify(base64.b64decode(said["sig"]), signed)


def test_the_first_receipt_points_to_the_genesis() -> None:
    said = fields("genesis")
    assert hashed(b"relcontrol/genesis/v1\0", said["origin"].encode()).hex() == said["genesis"]
    assert json.loads(EXAMPLES["payload"])["predicate"]["chain"]["prev"] == said["genesis"]


def test_the_tree_grows_from_receipts_to_the_root() -> None:
    found = [line.split(" ") for line in EXAMPLES["leaves"].splitlines()]
    receipts, leaves = ([bytes.fromhex(value) for word, value in found if word == kind] for kind in ("receipt", "leaf"))
    assert [hashed(b"\0", one) for one in receipts] == leaves
    node = hashed(b"\1", leaves[0], leaves[1])
    assert [node.hex(), hashed(b"\1", node, leaves[2]).hex()] == [value for _, value in found[-2:]]


def test_the_checkpoint_is_signed_by_the_log_over_that_root() -> None:
    note, said = EXAMPLES["checkpoint"], fields("checkpoint-key")
    [line] = lines_of(note)
    public = base64.b64decode(said["public_key"])
    assert line[:4] == hashed(ORIGIN.encode(), b"\n\1", public)[:4]
    key("checkpoint-key").verify(line[4:], body_of(note).encode())
    assert sha256(note.encode()).hexdigest() == said["note_sha256"]
    root = fields("leaves")["root"]
    assert body_of(note) == f"{ORIGIN}\n3\n{base64.b64encode(bytes.fromhex(root)).decode()}\n"


def test_the_proof_leads_from_the_second_receipt_to_the_checkpoint() -> None:
    head, _, note = EXAMPLES["proof"].partition("\n\n")
    first, index, *hashes = head.split("\n")
    assert (first, index, note) == ("c2sp.org/tlog-proof@v1", "index 1", EXAMPLES["checkpoint"])
    left, right = (base64.b64decode(one) for one in hashes)
    leaf = [line.split(" ")[1] for line in EXAMPLES["leaves"].splitlines() if line.startswith("leaf")][1]
    root = hashed(b"\1", hashed(b"\1", left, bytes.fromhex(leaf)), right)
    assert root.hex() == fields("leaves")["root"]


def test_the_witness_cosigned_the_checkpoint() -> None:
    said, [line] = fields("witness"), lines_of(EXAMPLES["cosignature"])
    assert line[:4] == hashed(said["name"].encode(), b"\n\4", base64.b64decode(said["public_key"]))[:4]
    assert int.from_bytes(line[4:12], "big") == int(said["time"])
    message = f"cosignature/v1\ntime {said['time']}\n{body_of(EXAMPLES['checkpoint'])}"
    key("witness").verify(line[12:], message.encode())


def test_the_release_heads_of_one_release_are_its_leaf() -> None:
    said = fields("release-heads")
    assert hashed(b"\0", said["leaf_data"].encode()).hex() == said["root"]


def test_the_commitment_is_over_its_preimage() -> None:
    said = fields("commitment")
    assert hashed(b"relcontrol/commit/v1\0", said["preimage"].encode()).hex() == said["commitment"]
    assert said["commitment"] in EXAMPLES["payload"]


def test_the_digests_of_weights_are_over_the_predicate_and_over_its_digests() -> None:
    text, said = EXAMPLES["weights"].rstrip("\n"), fields("weights-digests")
    assert sha256(text.encode()).hexdigest() == said["weights_sha256"]
    digests = [bytes.fromhex(one["digest"]) for one in json.loads(text)["resources"]]
    assert hashed(*digests).hex() == said["root_sha256"]


def example() -> tuple[bytes, dict[str, Any]]:
    return (DOCS / "receipts-example.json").read_bytes(), json.loads((DOCS / "receipts-example-trust.json").read_text())


def test_the_example_export_is_the_one_that_is_made_here() -> None:
    assert example() == (DOCUMENT, trust())


def test_the_example_export_verifies() -> None:
    report = verify.verify_file(*example())
    outcomes = {verdict.check: verdict.outcome for verdict in report.verdicts}
    assert outcomes.pop(verify.COMPLETENESS) == verify.NOT_CHECKED
    assert set(outcomes.values()) == {verify.HOLDS}


def test_the_page_names_every_event_and_every_check() -> None:
    named = re.findall(r"`([a-z_]+)\.\{?([a-z_,]+)\}?`", PAGE)
    events = {f"{family}.{word}" for family, words in named for word in words.split(",")}
    assert sorted(verify.EVENTS - events) == []
    assert all(f"| {check} |" in PAGE for check in verify.CHECKS)


@pytest.mark.parametrize("form", ["_SHA256", "_ORIGIN", "_SLUG", "_WORD", "_DECIMAL", "_FILE_NAME"])
def test_the_page_has_the_forms_of_the_verifier(form: str) -> None:
    """Each as the expression that the verifier matches, so that neither changes alone."""
    source = Path(verify.__file__).read_text("utf-8")
    [expression] = re.findall(rf'^{form} = _matching\(\s*r"([^"]*)"', source, re.MULTILINE)
    wanted = "[a-z0-9][a-z0-9._-]*" if form == "_FILE_NAME" else expression
    assert wanted in expression
    assert f"`{wanted}`" in PAGE


@pytest.mark.parametrize("table", verify._PARTS, ids=["version 1", "version 2"])
def test_the_page_names_every_member_of_a_document(table: dict[str, Any]) -> None:
    assert [name for name in table if f"`{name}`" not in PAGE] == []
