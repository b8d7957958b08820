"""`manage.py keyring`, act by act."""

import json
import stat
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.keys import keyring
from audit.keys.signing import EXPORT, RECEIPTS, ROUTING
from audit.models import KeyringEntry
from audit.root.importing import newest
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.runtime.commands import needs_database
from tests.audit.keys.chains import decide, verified


def run(*arguments: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("keyring", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_the_way_to_a_signed_keyring_and_back(organization: Organization, tmp_path: Path) -> None:
    root, asked, signed = tmp_path / "root.pem", tmp_path / "request.json", tmp_path / "keyring.json"
    said = run("root", str(root))
    assert stat.S_IMODE(root.stat().st_mode) == 0o600
    asked.write_text(run("request"))
    signed.write_text(run("sign", "--root", str(root), str(asked)))
    assert run("import", str(signed)).startswith("keyring 1, root ")
    row = newest()
    assert row is not None
    assert f"root {row.root_keyid}" in said
    with pytest.raises(CommandError, match="is here already"):
        run("import", str(signed))


def test_the_root_sees_what_it_signs(organization: Organization, tmp_path: Path) -> None:
    run("root", str(tmp_path / "root.pem"))
    (tmp_path / "request.json").write_text(run("request"))
    errors = StringIO()
    arguments = ("sign", "--root", str(tmp_path / "root.pem"), str(tmp_path / "request.json"))
    call_command("keyring", *arguments, stdout=StringIO(), stderr=errors)
    assert keyring.signer(RECEIPTS).keyid in errors.getvalue()
    assert organization.origin in errors.getvalue()


def test_a_root_key_is_never_overwritten(tmp_path: Path) -> None:
    run("root", str(tmp_path / "root.pem"))
    before = (tmp_path / "root.pem").read_bytes()
    with pytest.raises(CommandError, match="never overwritten"):
        run("root", str(tmp_path / "root.pem"))
    assert (tmp_path / "root.pem").read_bytes() == before


def test_nothing_but_a_keyring_and_nothing_without_a_key_is_signed(tmp_path: Path) -> None:
    run("root", str(tmp_path / "root.pem"))
    (tmp_path / "letter.json").write_text('{"pay": 1}')
    with pytest.raises(CommandError, match="expected a keyring"):
        run("sign", "--root", str(tmp_path / "root.pem"), str(tmp_path / "letter.json"))
    with pytest.raises(CommandError, match=r"letter\.json: the root key is not"):
        run("sign", "--root", str(tmp_path / "letter.json"), str(tmp_path / "letter.json"))


def test_a_file_that_cannot_be_written_or_read_is_said(tmp_path: Path) -> None:
    for act in ("root", "import"):
        with pytest.raises(CommandError, match=r"none/file cannot be (written|read): No such file"):
            run(act, str(tmp_path / "none" / "file"))


def test_the_offline_acts_need_no_database() -> None:
    assert not needs_database("keyring", ["root", "root.pem"])
    assert not needs_database("keyring", ["sign", "--root", "root.pem", "request.json"])
    assert needs_database("keyring", ["request"])
    assert needs_database("keyring", [])


def test_rotating_prints_the_new_key(organization: Organization) -> None:
    prepared = run("prepare", RECEIPTS)
    assert run("rotate", RECEIPTS) == prepared == keyring.signer(RECEIPTS).keyid
    assert verified(organization)[-1].predicate["actor"]["auth"] == "command"


def test_a_routing_key_is_rotated_only_by_who_knows_what_gateways_do(organization: Organization) -> None:
    before = keyring.signer(ROUTING).keyid
    with pytest.raises(CommandError, match="they refuse newer routing"):
        run("rotate", ROUTING)
    assert keyring.signer(ROUTING).keyid == before
    assert run("rotate", ROUTING, "--yes") == keyring.signer(ROUTING).keyid != before


def test_a_key_is_revoked_by_the_beginning_of_its_id(organization: Organization) -> None:
    keyid = keyring.signer(EXPORT).keyid
    assert run("revoke", keyid[:12], "--reason", "The disk was stolen.") == keyid
    assert KeyringEntry.objects.get(keyid=keyid).revocation_reason == "The disk was stolen."


@pytest.mark.parametrize("length", [0, 11])
def test_a_shorter_beginning_or_an_unknown_one_names_no_key(organization: Organization, length: int) -> None:
    for text in (keyring.signer(EXPORT).keyid[:length], "ab" * 32):
        with pytest.raises(CommandError, match="names no one key"):
            run("revoke", text, "--reason", "Why.")


def test_receipts_are_lost_only_by_who_knows_how_many(organization: Organization) -> None:
    keyid, fell = keyring.signer(RECEIPTS).keyid, now()
    decide(organization)
    with pytest.raises(CommandError, match="1 receipts signed since then stop verifying"):
        run("revoke", keyid, "--reason", "Why.", "--at", fell.isoformat())
    run("revoke", keyid, "--reason", "Why.", "--at", fell.isoformat(), "--yes")
    assert KeyringEntry.objects.get(keyid=keyid).revoked_at == fell


def test_a_time_without_a_zone_is_refused(organization: Organization) -> None:
    with pytest.raises(CommandError, match="is no time such as"):
        run(
            "revoke",
            "ab" * 32,
            "--reason",
            "Why.",
            "--at",
            "2026-11-20T09:00:00",
        )


def test_the_request_is_the_document_itself(organization: Organization) -> None:
    assert json.loads(run("request"))["schema"] == "relcontrol/keyring/v1"
