"""Nothing is kept of what somebody says of the answers of a subject who was erased."""

from typing import Final

from django.db import connection

from relcontrol.errors import Conflict
from releases.trace_models import SubjectKey, Trace
from releases.traces.keys import ADVISORY

WAIT: Final = "SELECT pg_advisory_xact_lock_shared(%s, hashtext(%s))"


def require_not_erased(organization_id: str, request_id: str) -> None:
    """Raise `Conflict` where whoever asked this was erased. Call it in the transaction that keeps what is said.

    An erasure waits for that transaction, or is over: so it finds what is kept, or this finds the erasure. Where the
    request is still on its way, it takes along what was said before (releases.traces.ingest).
    """
    with connection.cursor() as cursor:
        cursor.execute(WAIT, [ADVISORY, organization_id])
    asked = Trace.objects.filter(organization_id=organization_id, request_id=request_id)
    erased = SubjectKey.objects.filter(organization_id=organization_id, wrapped_key__isnull=True)
    if erased.filter(subject__in=asked.order_by().values("subject")).exists():
        raise Conflict("Whoever asked this was erased, so nothing that is said of the answer is kept.", code="erased")
