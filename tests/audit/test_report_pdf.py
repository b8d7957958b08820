"""The report as PDF: what others' programs find in it, and the same bytes wherever it is made again."""

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction

from audit import verify
from audit.exporting.bundle import manifest_of, measured, zip_bytes
from audit.exporting.exports import content_of
from audit.keys.keyring import signer
from audit.keys.signing import EXPORT
from audit.models import Export, ExportPart, Receipt
from audit.report.rendering import render_report
from audit.trust import trust_document
from relcontrol.accounts.models import Organization
from tests.audit.reported import COMMENT, MANIFEST, REASON, exported, reported
from tests.audit.tools import ran, text_of

AGAIN = """
import json, sys, django
django.setup()
from audit.report.rendering import render_report
trust = json.loads(sys.stdin.buffer.readline())
sys.stdout.buffer.write(render_report(sys.stdin.buffer.read(), None, trust).content)
"""


@pytest.fixture(scope="module")
def organization(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    """With gate runs and an override, in one transaction that is undone after the file's last test."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield reported()
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def export(organization: Organization) -> Export:
    """Its export."""
    return exported(organization)


@pytest.fixture(scope="module")
def document(export: Export) -> bytes:
    """The JSON."""
    return b"".join(content_of(export))


@pytest.fixture(scope="module")
def pdf(export: Export) -> bytes:
    """The report."""
    return b"".join(content_of(export, ExportPart.Kind.PDF))


def test_the_text_names_verdicts_rationale_and_both_persons(pdf: bytes, tmp_path: Path) -> None:
    text = text_of(pdf, tmp_path)
    assert "r128 failed its gate: IP licensing" in text
    assert "r128 passed its gate on 5 slices" in text
    assert " ".join(REASON.split()) in text
    assert "Mara Lindqvist" in text
    assert "John Okafor" in text
    assert COMMENT in text


def test_the_text_says_what_is_proven_and_what_is_not(pdf: bytes, tmp_path: Path) -> None:
    text = text_of(pdf, tmp_path)
    for check in verify.CHECKS:
        assert check in text
    assert "gpt-5 is behind the closed API of openai" in text
    assert "not legal advice" in text


def test_every_receipt_stands_in_the_timeline_by_its_hash(
    pdf: bytes, organization: Organization, export: Export, tmp_path: Path
) -> None:
    text = text_of(pdf, tmp_path)
    hashes = Receipt.objects.filter(organization=organization, seq__lte=export.upto)
    for receipt_hash in hashes.values_list("receipt_hash", flat=True):
        assert receipt_hash in text


def test_the_embedded_json_is_the_export_byte_by_byte_and_verifies(
    pdf: bytes, document: bytes, organization: Organization, tmp_path: Path
) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf)
    taken = tmp_path / "taken.json"
    ran("pdfdetach", "-save", "1", "-o", taken, tmp_path / "report.pdf")
    assert taken.read_bytes() == document
    assert verify.verify_document(taken.read_bytes(), trust_document(organization)).exit_code == 3


def test_the_zip_with_this_report_verifies_and_holds_these_bytes(
    pdf: bytes, export: Export, organization: Organization
) -> None:
    bundle = b"".join(content_of(export, ExportPart.Kind.ZIP))
    assert verify.verify_file(bundle, trust_document(organization)).exit_code == 3
    with zipfile.ZipFile(io.BytesIO(bundle)) as read:
        assert read.read("report.pdf") == pdf


def test_a_zip_whose_report_embeds_another_export_is_refused(export: Export, organization: Organization) -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(content_of(export, ExportPart.Kind.ZIP)))) as read:
        files = {name: read.read(name) for name in read.namelist()}
    files["report.pdf"] = b"".join(content_of(exported(organization, {"release": MANIFEST}), ExportPart.Kind.PDF))
    listed = [measured(name, content) for name, content in files.items() if name != "manifest.json"]
    said = json.loads(files["export.json"])["manifest"]["payload"]
    named = {name: json.loads(base64.b64decode(said))[name] for name in ("export_id", "origin", "created_at")}
    files["manifest.json"] = b"".join(manifest_of(**named, files=listed, key=signer(EXPORT)).content())
    with pytest.raises(verify.VerificationError, match="report"):
        verify.verify_file(zip_bytes(files), trust_document(organization))


def test_qpdf_finds_nothing_wrong(pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf)
    assert "No syntax or stream encoding errors" in ran("qpdf", "--check", tmp_path / "report.pdf")


def test_it_is_tagged_pdf_a_3a_with_a_title_and_a_language(pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf)
    facts = ran("pdfinfo", tmp_path / "report.pdf")
    assert "Title:           Release decisions of Northgate" in facts
    assert "Tagged:          yes" in facts
    plain = tmp_path / "plain.pdf"
    ran("qpdf", "--qdf", "--object-streams=disable", tmp_path / "report.pdf", plain)
    content = plain.read_bytes()
    assert b'pdfaid:part="3"' in content
    assert b'pdfaid:conformance="A"' in content
    assert b"/AFRelationship /Source" in content
    assert b"/Lang (en)" in content
    assert b"/Alt (Forest plot of r128, gate run 41." in content


def test_it_is_the_same_again(pdf: bytes, document: bytes, organization: Organization) -> None:
    assert render_report(document, None, trust_document(organization)).content == pdf


@pytest.mark.parametrize("variables", [{"TZ": "Asia/Kolkata", "LC_ALL": "C", "PYTHONHASHSEED": "1"}])
def test_another_process_in_another_place_makes_the_same_bytes(
    pdf: bytes, document: bytes, organization: Organization, variables: dict[str, str]
) -> None:
    given = json.dumps(trust_document(organization)).encode() + b"\n" + document
    environment = {**os.environ, **variables, "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"]}
    command = [sys.executable, "-c", AGAIN]
    answer = subprocess.run(
        command, input=given, capture_output=True, env=environment, cwd=settings.BASE_DIR, check=False
    )
    assert answer.returncode == 0, answer.stderr.decode()
    assert answer.stdout == pdf


def test_the_receipt_names_both_digests(organization: Organization, export: Export) -> None:
    receipt = Receipt.objects.get(organization=organization, seq=export.upto + 1)
    state = receipt.openings.get(field="state").value
    assert receipt.event == "export.issued"
    assert (state["sha256"], state["pdf_sha256"]) == (export.sha256, export.report_sha256)


def test_a_release_is_told_by_its_own_receipts_alone(organization: Organization, tmp_path: Path) -> None:
    export = exported(organization, {"release": MANIFEST})
    text = text_of(b"".join(content_of(export, ExportPart.Kind.PDF)), tmp_path)
    assert "The release r128" in text
    assert "r127 registered" not in text
