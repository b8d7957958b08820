"""The ZIP of an export: what lies in it, that it is the same at a second attempt, and its README's commands."""

import base64
import hashlib
import io
import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from audit import verify
from audit.exporting import bundle as export_bundle
from audit.exporting import bundling, parts
from audit.exporting.exports import content_of, make_export, request_export
from audit.models import Export, ExportPart, Receipt
from audit.trust import trust_document
from audit.verifier_page import verifier_page
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.leases import LeaseLostError, claim
from relcontrol.jobs.running import run
from tests import factories
from tests.audit.evidence.authority import TSA
from tests.audit.exports.anchored import exported

pytestmark = pytest.mark.django_db
ZIP = ExportPart.Kind.ZIP


def zip_of(export: Export) -> bytes:
    """Its ZIP."""
    return b"".join(content_of(export, ZIP))


def files_of(export: Export) -> dict[str, bytes]:
    """What another program finds in it."""
    with zipfile.ZipFile(io.BytesIO(zip_of(export))) as read:
        assert read.testzip() is None
        return {name: read.read(name) for name in read.namelist()}


def document_of(export: Export) -> dict[str, Any]:
    """Its JSON."""
    document: dict[str, Any] = json.loads(b"".join(content_of(export)))
    return document


def test_the_zip_says_again_what_the_json_says(northgate: Organization) -> None:
    export = exported(northgate)
    files, document = files_of(export), document_of(export)
    assert files["export.json"] == b"".join(content_of(export))
    assert [json.loads(line) for line in files["receipts.jsonl"].splitlines()] == document["receipts"]
    assert json.loads(files["openings.json"]) == document["openings"]
    assert json.loads(files["keys/keys.json"]) == document["keys"]
    assert [files[f"checkpoints/{size}.txt"].decode() for size in (3, 6)] == [
        entry["note"] for entry in document["checkpoints"]
    ]
    evidence = [base64.b64decode(entry["evidence"]) for entry in document["anchors"]]
    anchors = sorted(name for name in files if name.startswith("anchors/"))
    assert [re.sub(r"-\d\.", ".", name) for name in anchors] == [
        "anchors/3-rfc3161.tsr",
        "anchors/6-file.json",
        "anchors/6-witness.txt",
    ]
    assert {files[name] for name in anchors} == set(evidence)
    assert files["verify.py"] == Path(verify.__file__).read_bytes()
    assert files["verify.html"] == verifier_page()


def test_proofs_are_files_named_by_the_number_of_the_receipt(northgate: Organization) -> None:
    export = exported(northgate, scope={"application": "one"})
    files, document = files_of(export), document_of(export)
    proofs = {name: files[name].decode() for name in files if name.startswith("proofs/")}
    assert sorted(proofs.values()) == sorted(entry["proof"] for entry in document["proofs"])
    for name, text in proofs.items():
        seq = int(name.removeprefix("proofs/").removesuffix(".tlog-proof"))
        assert text.split("\n")[1] == f"index {seq - 1}"


def test_the_manifest_names_every_other_file_by_digest_and_size(northgate: Organization) -> None:
    export = exported(northgate)
    files = files_of(export)
    said = json.loads(base64.b64decode(json.loads(files.pop("manifest.json"))["payload"]))
    assert said["files"] == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} for name, content in files.items()
    }
    assert (said["export_id"], said["origin"]) == (export.pk, northgate.origin)


def test_the_container_is_the_one_that_its_entries_make(northgate: Organization) -> None:
    export = exported(northgate)
    assert export_bundle.zip_bytes(files_of(export)) == zip_of(export)


def test_the_receipt_of_the_export_names_the_digest_of_the_zip(northgate: Organization) -> None:
    export = exported(northgate, opens="impersonal")
    state = Receipt.objects.filter(organization=northgate).latest("seq").openings.get(field="state").value
    assert state["zip_sha256"] == export.zip_sha256 == hashlib.sha256(zip_of(export)).hexdigest()
    assert state["opens"] == "impersonal"
    assert export.zip_size == len(zip_of(export))


def test_a_worker_killed_at_the_zip_is_followed_by_one_that_makes_the_same_bytes(
    northgate: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 50_000)
    export = request_export(actor=command_actor(northgate), scope={"organization": True}, with_report=False)
    first = claim(Export.objects.filter(pk=export.pk), "first", now())
    assert first is not None
    with monkeypatch.context() as killed:
        killed.setattr("audit.exporting.exports._issue", lambda _lease: None)
        make_export(first)
    before, json_parts = zip_of(export), list(ExportPart.objects.filter(export=export, kind="json").values_list("pk"))
    assert ExportPart.objects.filter(export=export, kind=ZIP).count() > 3
    ExportPart.objects.filter(export=export, kind=ZIP, number__gte=2).delete()
    Export.objects.filter(pk=export.pk).update(lease_until=now())
    assert run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    assert zip_of(export) == before
    assert list(ExportPart.objects.filter(export=export, kind="json").values_list("pk")) == json_parts
    assert export.zip_sha256 == hashlib.sha256(before).hexdigest()
    with pytest.raises(LeaseLostError):
        bundling.write_bundle(first)


def test_an_export_that_is_too_large_for_a_zip_is_issued_without_one(
    northgate: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_bundle, "MOST_BYTES", 10_000)
    export = exported(northgate)
    assert (export.zip_sha256, export.zip_size) == ("", 0)
    assert not ExportPart.objects.filter(export=export, kind=ZIP).exists()


def commands_of(readme: str) -> str:
    """The indented lines from "By hand" on: what a reader types."""
    by_hand = readme[readme.index("By hand") :]
    return "\n".join(line[4:] for line in by_hand.splitlines() if line.startswith("    "))


def with_keys(commands: str, keys: list[str]) -> str:
    """Each `public_key='...'` filled in, in order."""
    pieces = commands.split("public_key='...'")
    assert len(pieces) == len(keys) + 1
    filled = [f"public_key='{key}'" for key in [*keys, ""]]
    return "".join(part for pair in zip(pieces, filled, strict=True) for part in pair).removesuffix("public_key=''")


def by_hand(export: Export, trust: dict[str, Any], folder: Path, **changed: bytes) -> subprocess.CompletedProcess[str]:
    """Unpack the ZIP and run what its README says, with the keys of the trust file."""
    files = files_of(export)
    for name, content in (files | changed).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "tsa-roots.pem").write_text(TSA.root_pem)
    known = {entry["purpose"]: entry["public_key"] for entry in trust["keys"]}
    keys = [known[purpose] for purpose in ("export", "receipts", "log")]
    commands = with_keys(commands_of(files["README.txt"].decode()), keys)
    return subprocess.run(
        ["/bin/sh", "-e", "-c", commands], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_commands_of_the_readme_verify_a_real_zip_by_hand(northgate: Organization, tmp_path: Path) -> None:
    done = by_hand(exported(northgate), trust_document(northgate), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Signature Verified Successfully") == 3
    assert "export.json: OK" in done.stdout
    assert "Verification: OK" in done.stdout + done.stderr
    first = Receipt.objects.get(organization=northgate, seq=1)
    assert first.receipt_hash in done.stdout


def test_the_commands_of_the_readme_stop_at_a_file_that_was_changed(northgate: Organization, tmp_path: Path) -> None:
    changed = {"checkpoints/3.txt": b"relcontrol/northgate\n4\n"}
    done = by_hand(exported(northgate), trust_document(northgate), tmp_path, **changed)
    assert done.returncode != 0
    assert "checkpoints/3.txt: FAILED" in done.stdout
    assert "Verification: OK" not in done.stdout


def test_without_anchors_the_readme_says_so() -> None:
    owner = factories.organization("southgate")
    export = exported(owner)
    readme = files_of(export)["README.txt"].decode()
    assert "Nothing here was anchored" in readme
    assert "openssl ts" not in readme
    assert max(map(len, readme.splitlines())) <= 82  # it is read in a terminal
