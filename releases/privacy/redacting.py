"""The redactions of an organization as they are now, for the processes that store what it sends.

They are read again after two seconds, so that a change reaches every running edge process within seconds.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from relcontrol.accounts.models import Organization
from releases.privacy.redaction import Redactor

FRESH_FOR: Final = timedelta(seconds=2)
MAX_REMEMBERED: Final = 1000


class _Known(NamedTuple):
    redactor: Redactor | None
    read_at: datetime


_remembered: dict[str, _Known] = {}


def redactor_of(organization: Organization, now: datetime) -> Redactor | None:
    """What redacts this organization's requests, at most two seconds old; None where nothing is to be redacted."""
    known = _remembered.get(organization.pk)
    if known and timedelta(0) <= now - known.read_at < FRESH_FOR:
        return known.redactor
    if len(_remembered) >= MAX_REMEMBERED:
        _remembered.clear()
    redactions = Organization.objects.values_list("redactions", flat=True).get(pk=organization.pk)
    read = _remembered[organization.pk] = _Known(Redactor(redactions) if redactions else None, now)
    return read.redactor
