"""Failed sign-ins slow the next one down: ten in fifteen minutes for one address from one place, then wait.

The address is kept as a digest only, and no row is kept longer than it counts.
"""

import hashlib
from datetime import datetime, timedelta

from django.http import HttpRequest

from relcontrol.accounts.models import SignInAttempt

FAILURES_ALLOWED = 10
WINDOW = timedelta(minutes=15)


def email_digest(email: str) -> str:
    """The address as it is compared: without spaces around it, whatever its case."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def came_from(request: HttpRequest) -> str:
    """The network address that connected to us."""
    return str(request.META["REMOTE_ADDR"])


def minutes_to_wait(email: str, ip: str, now: datetime) -> int:
    """Whole minutes until the next try is allowed; 0 when it is allowed now."""
    rows = SignInAttempt.objects.filter(email_digest=email_digest(email), ip=ip, at__gt=now - WINDOW)
    counting = list(rows.order_by("-at").values_list("at", flat=True)[:FAILURES_ALLOWED])
    if len(counting) < FAILURES_ALLOWED:
        return 0
    return max(1, -int((now - counting[-1] - WINDOW).total_seconds() // 60))


def record_failure(email: str, ip: str, now: datetime) -> None:
    """Count this failure and forget those that no longer count."""
    SignInAttempt.objects.filter(at__lte=now - WINDOW).delete()
    SignInAttempt.objects.create(email_digest=email_digest(email), ip=ip, at=now)


def forget_failures(email: str, ip: str) -> None:
    """After a success the count starts anew."""
    SignInAttempt.objects.filter(email_digest=email_digest(email), ip=ip).delete()
