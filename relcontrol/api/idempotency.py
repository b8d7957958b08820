"""`Idempotency-Key`: the same key and body get the stored answer, for a day (api.md).

The record is the first row that a command locks (contracts.md "Lock order") and is written in the command's own
transaction: there is no answer without its effect and no effect without its answer. A command that fails leaves no
record, so that it can be mended and sent again under the same key.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from relcontrol.accounts.models import Token
from relcontrol.api.models import IdempotencyRecord
from relcontrol.api.renderers import JSONRenderer
from relcontrol.errors import Invalid, Malformed

KEPT = timedelta(hours=24)
MAX_KEY = 255


def once(request: Request, token: Token, now: datetime, command: Callable[[], Response]) -> Response:
    """Run `command` at most once for the request's key; without a key, simply run it."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return command()
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable():
        raise Malformed(f"Idempotency-Key must have 1 to {MAX_KEY} printable characters.")
    with transaction.atomic():
        record = _locked(token, key, _digest(request), now)
        if record.status is not None:
            return _replayed(record)
        response = command()
        record.status, record.answer = response.status_code, _as_sent(response)
        record.save(update_fields=["status", "answer"])
    return response


def _replayed(record: IdempotencyRecord) -> Response:
    """The stored answer again; a conflict that was answered is a problem document now as it was then."""
    status = record.status or 200
    kind = "application/problem+json" if status >= 400 else None
    return Response(record.answer, status=status, headers={"Idempotent-Replayed": "true"}, content_type=kind)


def _as_sent(response: Response) -> Any:
    """The answer as JSON has it: times and decimals are texts there, now and when it is sent again."""
    return json.loads(JSONRenderer().render(response.data))


def _digest(request: Request) -> str:
    head = f"{request.method} {request.get_full_path()}\n".encode()
    return hashlib.sha256(head + request._request.body).hexdigest()


def _locked(token: Token, key: str, digest: str, now: datetime) -> IdempotencyRecord:
    """The record of this key, locked; made where there is none or where the old one has lapsed."""
    IdempotencyRecord.objects.filter(token=token, key=key, created_at__lt=now - KEPT).delete()
    fresh = IdempotencyRecord(token=token, key=key, request_sha256=digest, created_at=now)
    IdempotencyRecord.objects.bulk_create([fresh], ignore_conflicts=True)
    record = IdempotencyRecord.objects.select_for_update().get(token=token, key=key)
    if record.request_sha256 != digest:
        raise Invalid(
            "This Idempotency-Key was used for another request. Send the same body again, or take a new key.",
            code="idempotency_key_reused",
        )
    return record
