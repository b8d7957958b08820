"""Page: whether the background processes are at work and the organization's chain holds, in words.

`/readyz` says the same to load balancers, there for all organizations of this installation.
"""

from datetime import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from audit.administration.pages.acting import crumbs
from audit.anchors.alarms import overdue_of
from audit.selectors import chain_state
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import VIEW
from relcontrol.clock import now
from relcontrol.jobs.heartbeats import LATE, PROCESSES, late_processes
from relcontrol.jobs.models import ProcessHeartbeat
from relcontrol.version import VERSION
from relcontrol.web.pages import PageRequest, page

WORK = {
    "ticker": "wakes waiting jobs, looks at rollouts and checks the chains",
    "worker": "imports suites and makes exports",
    "replayer": "asks both releases of a rollout the same again, and scores the answers",
}


@require_safe
@page(VIEW)
def health(request: PageRequest) -> HttpResponse:
    """The page."""
    at, organization = now(), request.actor.organization
    head, check = chain_state(organization)
    problems = problems_of(organization, at)
    context = {
        "title": title_of(problems),
        "problems": problems,
        "processes": _processes(at),
        "head": head,
        "check": check,
        "behind": head.seq - check.seq,
        "version": VERSION,
        "ready_command": f"curl -i {request.build_absolute_uri('/readyz')}",
        "crumbs": crumbs(request, ("Health", None)),
    }
    return render(request, "settings/health.html", context)


def title_of(problems: list[str]) -> str:
    """The page's verdict."""
    if len(problems) > 1:
        return f"{len(problems)} things are not well."
    return "One thing is not well." if problems else "All is well."


def problems_of(organization: Organization, at: datetime) -> list[str]:
    """What is not as it should be, as sentences; empty where all is well."""
    _, check = chain_state(organization)
    broken = [f"The chain does not verify: {check.problem}"] if check.problem else []
    return [*late_processes(at), *broken, *(late.sentence for late in overdue_of(organization, at))]


def _processes(at: datetime) -> list[tuple[str, str, datetime | None, bool]]:
    """Each process: its name, what it does, when it was last seen, and whether that is lately enough."""
    seen = dict(ProcessHeartbeat.objects.values_list("name", "at"))
    return [(name, WORK[name], seen.get(name), name in seen and at - seen[name] <= LATE) for name in PROCESSES]
