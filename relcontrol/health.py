"""`/healthz`, `/readyz` and `/metrics`: is this process alive, can the system do its work, and in numbers."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from audit.anchors.alarms import count_overdue
from audit.models import ChainCheck, ChainHead
from relcontrol.clock import now
from relcontrol.jobs.heartbeats import late_processes
from relcontrol.jobs.models import ProcessHeartbeat


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Database, migrations, ticker, worker, chains: 200 when all are well, else 503 with the reasons."""
    reasons = not_ready()
    return JsonResponse(
        {"status": "not ready" if reasons else "ready", "reasons": reasons}, status=503 if reasons else 200
    )


def not_ready() -> list[str]:
    """Why the system cannot do its work, as sentences; empty where it can."""
    try:
        return [*_migrations(), *late_processes(now()), *_broken_chains()]
    except DatabaseError as error:
        return [f"The database does not answer: {str(error).splitlines()[0] if str(error) else 'no reason given'}."]


def _migrations() -> list[str]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{len(pending)} migrations wait; run `manage.py migrate`."] if pending else []


def _broken_chains() -> list[str]:
    """Without names: this answer is for everybody, and organizations do not know of each other."""
    broken = ChainCheck.objects.exclude(problem="").count()
    return [f"{broken} receipt chains do not verify; their auditors see where."] if broken else []


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format, version 0.0.4: nothing that belongs to one customer."""
    receipts = sum(ChainHead.objects.values_list("seq", flat=True))
    broken = ChainCheck.objects.exclude(problem="").count()
    lines = [
        "# HELP relcontrol_receipts_total Receipts appended, over all organizations.",
        "# TYPE relcontrol_receipts_total counter",
        f"relcontrol_receipts_total {receipts}",
        "# HELP relcontrol_chains_broken Chains whose last check failed.",
        "# TYPE relcontrol_chains_broken gauge",
        f"relcontrol_chains_broken {broken}",
        "# HELP relcontrol_anchors_overdue Anchor sinks, and schedules, that have made nothing for too long.",
        "# TYPE relcontrol_anchors_overdue gauge",
        f"relcontrol_anchors_overdue {count_overdue(now())}",
        "# HELP relcontrol_heartbeat_age_seconds Age of the last heartbeat of a background process.",
        "# TYPE relcontrol_heartbeat_age_seconds gauge",
    ]
    for heartbeat in ProcessHeartbeat.objects.order_by("name"):
        age = max((now() - heartbeat.at).total_seconds(), 0.0)
        lines.append(f'relcontrol_heartbeat_age_seconds{{process="{heartbeat.name}"}} {age:.3f}')
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; version=0.0.4; charset=utf-8")
