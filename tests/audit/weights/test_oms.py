"""Statements of OpenSSF Model Signing: what `model-signing` wrote is read, and everything else is refused."""

import base64
import copy
import hashlib
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit import verify
from audit.envelope import pae
from audit.weights.hashing import hash_files
from audit.weights.listing import names_in
from audit.weights.observer_keys import ObserverKey, load_observer_key, load_observer_public_key, new_observer_pem
from audit.weights.oms import PAYLOAD_TYPE, Statement, read_bundle, sign_statement
from audit.weights.predicates import Listing, Predicate, WeightsError, predicate_of
from tests.audit.weights.files import foreign_bundle, foreign_key, tiny_model

MODEL_SIGNING = os.environ.get("RELCONTROL_TEST_MODEL_SIGNING", "")
KEY = load_observer_key(new_observer_pem())
FILES = {"a/b": "1" * 64, "a-b": "2" * 64}
Change = Callable[[dict[str, Any]], object]


def signed(predicate: Any = None, *, key: ObserverKey = KEY, change: Change = lambda _: None) -> dict[str, Any]:
    """A bundle over a statement that was changed before it was signed."""
    statement = json.loads(
        base64.b64decode(sign_statement(Statement("m", Predicate(FILES)), key).bundle["dsseEnvelope"]["payload"])
    )
    change(statement)
    bundle = copy.deepcopy(sign_statement(Statement("m", Predicate(FILES)), key).bundle)
    payload = json.dumps(statement).encode()
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(key.sign(pae(PAYLOAD_TYPE, payload))).decode()
    return bundle


def test_what_model_signing_wrote_is_read_and_the_same_files_have_its_digest(tmp_path: Path) -> None:
    theirs = read_bundle(foreign_bundle(), foreign_key())
    listing, folder = theirs.statement.predicate.listing, tiny_model(tmp_path)
    found = predicate_of(hash_files(folder, names_in(folder, listing)).digests, listing)
    assert found.as_json() == theirs.statement.predicate.as_json()
    assert found.weights_sha256 == "33b5b14cdc0a51a12c20805deeadaa9bdeaf3476ebb79ae68992b7d86f93bc91"
    assert found.root_sha256 == "79a250a209d7a74916163064d704c8d13d0d2ec1c4af5c81f3dabd07625a75a3"


def test_a_bundle_carries_its_key_so_that_it_verifies_by_itself() -> None:
    kept = read_bundle(foreign_bundle(), foreign_key()).bundle
    again = read_bundle(json.loads(json.dumps(kept)))
    assert (
        again.key.keyid
        == hashlib.sha256(foreign_key()).hexdigest()
        == kept["verificationMaterial"]["publicKey"]["hint"]
    )


def test_a_bundle_that_only_hints_at_its_key_needs_the_key_beside_it() -> None:
    with pytest.raises(WeightsError, match="public key"):
        read_bundle(foreign_bundle())


def test_another_key_than_the_one_hinted_at_is_refused() -> None:
    with pytest.raises(WeightsError, match="hints at"):
        read_bundle(foreign_bundle(), KEY.public.pem)


def test_a_statement_of_ours_is_read_back() -> None:
    made = sign_statement(
        Statement("legal", Predicate(FILES, Listing(allow_symlinks=True, ignore_paths=("logs",)))), KEY
    )
    assert read_bundle(made.bundle).statement == made.statement


@pytest.mark.skipif(not MODEL_SIGNING, reason="RELCONTROL_TEST_MODEL_SIGNING names no python with model-signing")
def test_model_signing_verifies_a_statement_of_ours(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path)
    predicate = predicate_of(hash_files(folder, names_in(folder, Listing())).digests, Listing())
    (tmp_path / "ours.sig").write_text(json.dumps(sign_statement(Statement(folder.name, predicate), KEY).bundle))
    (tmp_path / "key.pub").write_bytes(KEY.public.pem)
    files = ["--signature", str(tmp_path / "ours.sig"), "--public_key", str(tmp_path / "key.pub")]
    command = [MODEL_SIGNING, "-m", "model_signing", "verify", "key", str(folder), *files]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    (folder / "config.json").write_text("{}")
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["predicate"]["resources"].reverse(),
        lambda s: s["predicate"]["resources"].append(s["predicate"]["resources"][-1]),
        lambda s: s["predicate"]["resources"].clear(),
        lambda s: s["predicate"]["resources"][0].update(name="../b"),
        lambda s: s["predicate"]["resources"][0].update(name="/b"),
        lambda s: s["predicate"]["resources"][0].update(name="a//b"),
        lambda s: s["predicate"]["resources"][0].update(name="a\x00b"),
        lambda s: s["predicate"]["resources"][0].update(name="a\ud800b"),
        lambda s: s["predicate"]["resources"][0].update(digest="1" * 63),
        lambda s: s["predicate"]["resources"][0].update(digest="A" * 64),
        lambda s: s["predicate"]["resources"][0].update(algorithm="blake2b"),
        lambda s: s["predicate"]["resources"][0].update(size=1),
        lambda s: s["predicate"]["serialization"].update(method="shards", shard_size=10),
        lambda s: s["predicate"]["serialization"].update(allow_symlinks="no"),
        lambda s: s["predicate"]["serialization"].update(ignore_paths=[]),
        lambda s: s["predicate"]["serialization"].update(ignore_paths=["a", "a"]),
        lambda s: s["predicate"].update(model_card="x"),
        lambda s: s["subject"][0]["digest"].update(sha256="0" * 64),
        lambda s: s["subject"].append(s["subject"][0]),
        lambda s: s["subject"][0].update(name=""),
        lambda s: s["subject"][0].update(name="two\nlines"),
        lambda s: s["predicate"]["resources"][0].update(name="a" * 4_001),
        lambda s: s.update(predicateType="https://model_signing/Digests/v0.1"),
        lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"),
        lambda s: s.update(more=1),
    ],
)
def test_a_rightly_signed_statement_that_is_not_as_the_standard_wants_it_is_refused(change: Change) -> None:
    with pytest.raises(WeightsError):
        read_bundle(signed(change=change))


def test_a_renamed_file_changes_the_digest_that_is_registered_though_not_the_root() -> None:
    renamed = {"a/c": FILES["a/b"], "a-b": FILES["a-b"]}
    before, after = Predicate(FILES), Predicate(renamed)
    assert (before.root_sha256, before.weights_sha256 == after.weights_sha256) == (after.root_sha256, False)


def test_what_was_signed_cannot_be_changed() -> None:
    bundle = sign_statement(Statement("m", Predicate(FILES)), KEY).bundle
    content = bundle["dsseEnvelope"]["payload"]
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(
        base64.b64decode(content).replace(b"1111", b"1112", 1)
    ).decode()
    with pytest.raises(WeightsError, match="signature"):
        read_bundle(bundle)


@pytest.mark.parametrize(
    "change",
    [
        lambda b: b.update(mediaType="application/vnd.dev.sigstore.bundle+json;version=0.1"),
        lambda b: b.update(more=1),
        lambda b: b["verificationMaterial"].update(tlogEntries=[{}]),
        lambda b: b["verificationMaterial"].update(certificate={}),
        lambda b: b["verificationMaterial"].pop("publicKey"),
        lambda b: b["verificationMaterial"]["publicKey"].update(hint="0" * 64),
        lambda b: b["verificationMaterial"]["publicKey"].update(keyDetails="PKIX_ED25519"),
        lambda b: b["verificationMaterial"]["publicKey"].update(rawBytes="AAAA"),
        lambda b: b["dsseEnvelope"].update(payloadType="text/plain"),
        lambda b: b["dsseEnvelope"].update(payload=b["dsseEnvelope"]["payload"] + "\n"),
        lambda b: b["dsseEnvelope"]["signatures"].append(b["dsseEnvelope"]["signatures"][0]),
        lambda b: b["dsseEnvelope"]["signatures"][0].update(keyid="x"),
        lambda b: b["dsseEnvelope"]["signatures"][0].update(sig=""),
        lambda b: b.clear(),
    ],
)
def test_a_bundle_of_another_form_is_refused(change: Change) -> None:
    bundle = copy.deepcopy(sign_statement(Statement("m", Predicate(FILES)), KEY).bundle)
    change(bundle)
    with pytest.raises(WeightsError):
        read_bundle(bundle)


def test_a_key_on_another_curve_is_refused() -> None:
    public = ec.generate_private_key(ec.SECP384R1()).public_key()
    with pytest.raises(WeightsError, match="P-256"):
        load_observer_public_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(WeightsError, match="PEM"):
        load_observer_key(b"nothing")


@pytest.mark.parametrize(
    "bundle", [read_bundle(foreign_bundle(), foreign_key()).bundle, signed()], ids=["theirs", "ours"]
)
def test_the_auditors_verifier_reads_what_is_kept(bundle: dict[str, Any]) -> None:
    digest = read_bundle(bundle).statement.predicate.weights_sha256
    found = verify._read_attestation({"weights_sha256": digest, "bundle": bundle}, verify.Place("attestations[0]"))
    assert (found.weights_sha256, found.signer, found.verified) == (digest, read_bundle(bundle).key.keyid, True)
