"""What must hold after any accident: a chain without gap, fork or forgery, and each decision receipted once."""

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

from audit import verify
from audit.models import Receipt
from audit.selectors import envelope_of
from audit.trust import trust_document
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.models import LeasedJob

CASES = 6_000


def receipts_verified(owner: Organization) -> list[Receipt]:
    """All receipts of an organization in order, after each and each link was verified by the auditor's own file."""
    rows, trust = list(Receipt.objects.filter(organization=owner).order_by("seq")), trust_document(owner)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    checked = [verify.verify_envelope(envelope_of(row), trust) for row in rows]
    for before, after in pairwise(checked):
        verify.check_link(before, after)
    return rows


def events(owner: Organization, event: str) -> int:
    """How many verified receipts say this."""
    return sum(row.event == event for row in receipts_verified(owner))


def lease_lapsed(job: LeasedJob) -> None:
    """Time passes until nobody holds the lease."""
    type(job)._default_manager.filter(pk=job.pk).update(lease_until=now() - timedelta(seconds=1))


def suite_file() -> bytes:
    """A suite that takes a moment to import."""
    rows: list[dict[str, Any]] = [
        {"case_id": f"c{number}", "slice": "ip-licensing", "input": f"Question {number}?"} for number in range(CASES)
    ]
    return "\n".join(map(json.dumps, rows)).encode()
