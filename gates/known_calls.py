"""What model servers answered and was paid for, kept by the digest of everything that made it.

Answers of releases and draws of judges are kept alike; what each is known by is said where they are asked for
(`gates.evaluating.known_answers`, `gates.scoring.known_draws`).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from gates.judge_models import KnownCall
from relcontrol.accounts.models import Organization
from relcontrol.clock import now

KEPT: Final = timedelta(days=90)


class Known(NamedTuple):
    """What was kept, and since when."""

    document: dict[str, Any]
    at: datetime


def key_of(made_by: Mapping[str, Any]) -> str:
    """The digest of everything that made a call; `schema` in it tells the kinds apart."""
    return hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()


def known_calls(organization: Organization, keys: Iterable[str]) -> dict[str, Known]:
    """Those of these calls that are known."""
    rows = KnownCall.objects.filter(organization=organization, key_sha256__in=list(keys))
    return {key: Known(document, at) for key, document, at in rows.values_list("key_sha256", "document", "created_at")}


def remember_calls(organization: Organization, documents: Mapping[str, Mapping[str, Any]]) -> None:
    """Keep these; a fresh one takes the place of the one before."""
    at = now()
    rows = [
        KnownCall(organization=organization, key_sha256=key, document=document, created_at=at)
        for key, document in sorted(documents.items())
    ]
    KnownCall.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["organization", "key_sha256"],
        update_fields=["document", "created_at"],
    )


def forget_calls(at: datetime) -> None:
    """Drop what is older than it is kept."""
    KnownCall.objects.filter(created_at__lt=at - KEPT).delete()
