"""Pages of anchors: what an administrator sets, what an auditor reads, and checks by hand with what she downloads."""

import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from audit.anchor_models import Anchor, AnchorSchedule, AnchorSink, Checkpoint
from audit.anchors.checkpoints import anchor_now
from audit.keys.keyring import signer
from audit.keys.signing import LOG
from audit.models import Receipt
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.witness.app import Witness
from relcontrol.witness.ledger import Ledger
from tests.audit.anchors.authority import Authority
from tests.audit.anchors.factory import receipts, worked
from tests.audit.anchors.loopback import Loopback, loopback
from tests.audit.anchors.serving import serving
from tests.factories import PASSWORD, organization, person

pytestmark = pytest.mark.django_db

SETTINGS = "/o/northgate/settings/anchors/"
AUDIT = "/o/northgate/audit/anchors/"
NAMES = {"rfc3161": "the authority", "witness": "the notary", "webhook": "our copy", "file": "the tape"}


@pytest.fixture
def northgate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Organization:
    """An organization whose worker may write below the test's folder and has a secret."""
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    monkeypatch.setenv("RELCONTROL_CREDENTIAL_HEADS", "whsec_c2VjcmV0")
    return organization()


def _browser(owner: Organization, *roles: str) -> Client:
    """Somebody with these roles who has just signed in."""
    client = Client()
    answer = client.post("/sign-in", {"email": person(owner, *roles).email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


@pytest.fixture
def outside(northgate: Organization, tmp_path: Path, tsa: Authority) -> Iterator[dict[str, Any]]:
    """Somebody of each kind outside, as the forms are filled in for them; `hook` is the server of the webhook."""
    ledger = Ledger(tmp_path / "witness")
    logs = {northgate.origin: [signer(LOG).public]}
    witness = Witness("witness.example/w1", ledger.key(), logs, ledger)
    with ExitStack() as running:
        stamps = running.enter_context(loopback(lambda asked: (200, tsa.stamp(asked.body))))
        hook = running.enter_context(loopback(lambda asked: (200, b"")))
        yield {
            "hook": hook,
            "rfc3161": {"url": f"{stamps.url}/tsr", "roots": tsa.root, "policy": ""},
            "witness": {"url": running.enter_context(serving(witness.app())), "public_key": witness.vkey},
            "webhook": {"url": hook.url, "secret_name": "heads"},
            "file": {"folder": str(tmp_path / "heads")},
        }


def _added(admin: Client, outside: dict[str, Any]) -> None:
    for kind, name in NAMES.items():
        answer = admin.post(f"{SETTINGS}new/{kind}/", outside[kind] | {"name": name})
        assert answer.status_code == 302, answer.text


def test_sinks_of_every_kind_are_added_anchor_and_are_checked_by_hand(
    northgate: Organization, outside: dict[str, Any], tmp_path: Path
) -> None:
    admin, auditor = _browser(northgate, "admin"), _browser(northgate, "auditor")
    _added(admin, outside)
    answer = admin.post(f"{SETTINGS}now")
    checkpoint = Checkpoint.objects.get()
    assert answer.headers["Location"] == f"{AUDIT}{checkpoint.pk}/"
    assert {row.state for row in worked(checkpoint)} == {"done"}
    page = auditor.get(f"{AUDIT}{checkpoint.pk}/").text
    assert "4 of 4 made" in page
    for sentence in ("Nobody can back-date one", "The log only grew", "The head that you hold is in this chain"):
        assert sentence in page
    assert checkpoint.note.splitlines()[0] in page
    listed = auditor.get(AUDIT).text
    assert f"Anchored to #{checkpoint.size}." in listed
    assert "Every receipt but those of anchors themselves is covered." in listed
    _check_by_hand(auditor, checkpoint, tmp_path / "downloads")
    assert f"#{checkpoint.size}" in admin.get(SETTINGS).text


def _check_by_hand(auditor: Client, checkpoint: Checkpoint, folder: Path) -> None:
    """What the page says for time stamps and witnesses, with the files that it offers."""
    folder.mkdir()
    base, size = f"{AUDIT}{checkpoint.pk}/", checkpoint.size
    stamp = Anchor.objects.get(checkpoint=checkpoint, sink__kind="rfc3161")
    cosignature = Anchor.objects.get(checkpoint=checkpoint, sink__kind="witness")
    files = {
        f"checkpoint-{size}.txt": "note.txt",
        f"checkpoint-{size}.tsr": f"{stamp.pk}/evidence",
        f"checkpoint-{size}.cosignature.txt": f"{cosignature.pk}/evidence",
        "roots.pem": f"{stamp.pk}/roots.pem",
    }
    for name, path in files.items():
        answer = auditor.get(base + path)
        assert f'filename="{name}"' in answer.headers["Content-Disposition"]
        (folder / name).write_bytes(answer.content)
    command = f"openssl ts -verify -in checkpoint-{size}.tsr -data checkpoint-{size}.txt -CAfile roots.pem"
    assert command in auditor.get(base).text
    said = subprocess.run(shlex.split(command), cwd=folder, capture_output=True, text=True, check=False)
    assert (said.returncode, "Verification: OK" in said.stdout + said.stderr) == (0, True)
    together = (folder / f"checkpoint-{size}.txt").read_text() + (
        folder / f"checkpoint-{size}.cosignature.txt"
    ).read_text()
    assert together.count("\n— ") == 2
    assert auditor.get(f"{base}{cosignature.pk}/roots.pem").status_code == 422


def test_a_sink_that_fails_shows_what_it_said_and_when_it_is_tried_again(
    northgate: Organization, outside: dict[str, Any]
) -> None:
    hook: Loopback = outside["hook"]
    hook.reply = lambda asked: (500, b"out of paper")
    admin, auditor = _browser(northgate, "admin"), _browser(northgate, "auditor")
    admin.post(f"{SETTINGS}new/webhook/", outside["webhook"] | {"name": "our copy"})
    worked(anchor_now(actor=command_actor(northgate)))
    receipts(northgate)
    for page in (auditor.get(AUDIT).text, admin.get(SETTINGS).text, auditor.get(f"{AUDIT}{_newest().pk}/").text):
        assert "It answered 500: out of paper." in page
    assert "Tried again" in auditor.get(AUDIT).text
    assert "Failing" in admin.get(SETTINGS).text
    Anchor.objects.update(created_at=now() - timedelta(hours=5))
    assert "our copy has not anchored" in auditor.get(AUDIT).text


def _newest() -> Checkpoint:
    return Checkpoint.objects.latest("size")


def test_a_sink_is_changed_and_switched_off_and_on(northgate: Organization, outside: dict[str, Any]) -> None:
    admin = _browser(northgate, "admin")
    _added(admin, outside)
    for row in AnchorSink.objects.all():
        path, form = f"{SETTINGS}{row.pk}/", outside[row.kind]
        assert admin.get(path).status_code == 200
        assert admin.post(path, form | {"name": f"{row.name} 2"}).status_code == 302
        settings = row.settings
        row.refresh_from_db()
        assert (row.name[-1], row.settings, row.revision) == ("2", settings, 2)
        assert admin.post(f"{path}switch", {"turn": "off"}).status_code == 302
    assert AnchorSink.objects.filter(enabled=True).count() == 0
    row = AnchorSink.objects.get(kind="file")
    path = f"{SETTINGS}{row.pk}/"
    assert admin.post(f"{path}switch", {"turn": "round"}).status_code == 422
    assert admin.post(f"{path}switch", {"turn": "on"}).status_code == 302
    assert AnchorSink.objects.filter(enabled=True).get() == row


def test_what_is_wrong_stands_at_its_field(northgate: Organization) -> None:
    admin = _browser(northgate, "admin")
    wrong = {
        "rfc3161": ({"url": "tsa", "roots": "PEM", "policy": ""}, "Give an http or https address"),
        "witness": ({"url": "http://127.0.0.1:1", "public_key": "key"}, "as 32 bytes in base64"),
        "webhook": ({"url": "http://127.0.0.1:1", "secret_name": "a b"}, "Give the name of its secret"),
        "file": ({"folder": "/etc"}, "RELCONTROL_ANCHOR_FOLDERS"),
    }
    for kind, (form, says) in wrong.items():
        answer = admin.post(f"{SETTINGS}new/{kind}/", form | {"name": "x"})
        assert (answer.status_code, says in answer.text) == (422, True)
        assert 'aria-invalid="true"' in answer.text
    assert admin.get(f"{SETTINGS}new/fax/").status_code == 404
    assert not AnchorSink.objects.exists()


def test_the_schedule_is_set_on_its_page(northgate: Organization) -> None:
    admin = _browser(northgate, "admin")
    form = {"every_minutes": "30", "every_receipts": "", "on_rollback": "on", "overdue_minutes": "90"}
    assert admin.post(SETTINGS, form).status_code == 302
    row = AnchorSchedule.objects.get()
    assert (row.every_minutes, row.every_receipts, row.on_promotion, row.overdue_minutes) == (30, None, False, 90)
    assert admin.post(SETTINGS, form | {"every_minutes": "999999"}).status_code == 422
    page = admin.get(SETTINGS).text
    assert f"{northgate.origin}+" in page  # the key that a witness is given
    assert "Nobody outside holds the head of this log" in page


def test_who_may_not_is_told_so_and_changes_nothing(northgate: Organization) -> None:
    viewer = _browser(northgate, "viewer")
    before = Receipt.objects.count()
    assert "To administer this organization one must be admin" in viewer.get(SETTINGS).text
    for path in (SETTINGS, f"{SETTINGS}new/file/", f"{SETTINGS}now"):
        assert viewer.post(path, {"name": "x"}).status_code == 403
    assert viewer.get(AUDIT).status_code == 403
    assert Receipt.objects.count() == before


def test_anchoring_without_a_sink_says_what_is_missing(northgate: Organization) -> None:
    admin = _browser(northgate, "admin")
    page = admin.post(f"{SETTINGS}now", follow=True).text
    assert "No sink is switched on." in page
    assert "Nothing is anchored yet." in _browser(northgate, "auditor").get(AUDIT).text
