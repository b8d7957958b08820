"""Copies that others keep: webhooks signed as Standard Webhooks has it, and files below folders that may be used."""

import base64
import hashlib
import hmac
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from audit.anchors.file import Folder
from audit.anchors.sending import SinkError
from audit.anchors.webhook import Webhook
from relcontrol.errors import Invalid
from tests.audit.anchors.conftest import AT, Log
from tests.audit.anchors.loopback import loopback

SECRET = b"a secret of the customer"


def test_a_webhook_is_signed_so_that_the_customer_can_check_it(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCONTROL_CREDENTIAL_AUDIT_HOOK", "whsec_" + base64.b64encode(SECRET).decode())
    order, sink = log.order(5), Webhook()
    with loopback(lambda asked: (204, b"")) as server:
        settings = sink.checked({"url": f"{server.url}/heads", "secret_name": "audit-hook"})
        evidence = sink.submit(order, settings)
    asked = server.asked[0]
    assert (asked.path, asked.body) == ("/heads", order.body)
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    signature = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{signature}"
    assert (asked.headers["webhook-id"], int(asked.headers["webhook-timestamp"])) == (order.key, AT.timestamp())
    assert json.loads(evidence) == {
        "status": 204,
        "at": "2026-11-20T13:30:00.000000Z",
        "webhook_id": order.key,
        "body_sha256": hashlib.sha256(order.body).hexdigest(),
    }
    assert sink.verify(order.body, evidence, settings) == AT
    with pytest.raises(SinkError):
        sink.verify(log.order(6).body, evidence, settings)


@pytest.mark.parametrize("status", [199, 301, 404, 500])
def test_a_webhook_that_does_not_take_it_has_made_nothing(
    log: Log, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("RELCONTROL_CREDENTIAL_AUDIT_HOOK", base64.b64encode(SECRET).decode())
    with loopback(lambda asked: (status, b"no")) as server, pytest.raises(SinkError):
        Webhook().submit(log.order(5), {"url": server.url, "secret_name": "audit-hook"})


def test_without_its_secret_nothing_is_sent(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELCONTROL_CREDENTIAL_AUDIT_HOOK", raising=False)
    with loopback(lambda asked: (200, b"")) as server:
        settings = {"url": server.url, "secret_name": "audit-hook"}
        with pytest.raises(SinkError, match="RELCONTROL_CREDENTIAL_AUDIT_HOOK"):
            Webhook().submit(log.order(5), settings)
        monkeypatch.setenv("RELCONTROL_CREDENTIAL_AUDIT_HOOK", "whsec_%%%")
        with pytest.raises(SinkError, match="whsec_"):
            Webhook().submit(log.order(5), settings)
    assert server.asked == []


def test_a_head_is_written_whole_below_a_folder_that_may_be_used(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", f"/nowhere, {tmp_path}")
    order, sink = log.order(5), Folder()
    settings = sink.checked({"folder": str(tmp_path / "heads")})
    evidence = sink.submit(order, settings)
    file = tmp_path / "heads" / "relcontrol.local-northgate-5.txt"
    assert json.loads(evidence)["path"] == str(file)
    assert file.read_bytes() == order.body
    assert sink.submit(order, settings) == evidence
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert sink.verify(order.body, evidence, settings) == AT
    with pytest.raises(SinkError):
        sink.verify(log.order(6).body, evidence, settings)


def test_another_head_of_the_same_size_is_a_finding_and_stays(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(tmp_path))
    order, settings = log.order(5), {"folder": str(tmp_path)}
    Folder().submit(order, settings)
    with pytest.raises(SinkError, match="another checkpoint of the same size"):
        Folder().submit(replace(order, body=b"another"), settings)
    assert next(tmp_path.iterdir()).read_bytes() == order.body


def test_no_page_can_make_the_product_write_elsewhere(
    log: Log, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (allowed / "link").symlink_to(tmp_path)
    monkeypatch.setenv("RELCONTROL_ANCHOR_FOLDERS", str(allowed))
    for folder in ("relative", str(tmp_path), f"{allowed}/../x", f"{allowed}/link", f"{allowed}2", ""):
        with pytest.raises(Invalid):
            Folder().checked({"folder": folder})
    with pytest.raises(SinkError, match="does not lie below"):
        Folder().submit(log.order(5), {"folder": f"{allowed}/link/deeper"})
    (allowed / "file").write_text("in the way")
    with pytest.raises(SinkError, match="cannot be written"):
        Folder().submit(log.order(5), {"folder": f"{allowed}/file"})
    monkeypatch.delenv("RELCONTROL_ANCHOR_FOLDERS")
    of_data = Path(settings.DATA_DIR) / "anchors"
    with pytest.raises(Invalid, match=re.escape(f"Now: {of_data}.")):
        Folder().checked({"folder": str(allowed)})
    assert Folder().checked({"folder": f"{of_data}/northgate"}) == {"folder": f"{of_data}/northgate"}
