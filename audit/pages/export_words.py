"""What the pages of exports say: how one stands, what it holds, and the commands that verify it."""

from collections.abc import Iterable, Mapping
from typing import Any

from audit.models import Export
from audit.names import Names, names_of
from relcontrol.web.pages import PageRequest

STATUS = {
    Export.State.QUEUED: ("running", "Waiting"),
    Export.State.RUNNING: ("running", "Being made"),
    Export.State.DONE: ("pass", "Ready"),
    Export.State.ERROR: ("fail", "Not made"),
    Export.State.CANCELLED: ("skip", "Cancelled"),
}
UNITS = ("receipts", "pages", "bytes", "bytes")  # of progress, by step
SEQ_PER_ATTEMPT = 4 * 10**9
SEQ_PER_STEP = 10**9


def step_of(row: Export) -> int:
    """How many of the steps are over: JSON, report, ZIP."""
    if row.is_over:
        return 3
    return bool(row.sha256) + bool(row.report_sha256 or row.report_problem)


def seq_of(row: Export) -> int:
    """A number that only grows, by two at least: attempts, in them steps, in them progress."""
    progress = step_of(row) * SEQ_PER_STEP + min(row.progress_done, SEQ_PER_STEP - 1)
    return 2 * (row.fence * SEQ_PER_ATTEMPT + progress)


def verifying(row: Export) -> str:
    """The commands of an auditor, with the ZIP where there is one."""
    file = f"{row.pk}.{'zip' if row.zip_sha256 else 'json'}"
    command = f"python3 verify.py {file} --trust trust.json"
    return (
        f"# in the folder of the three files\n{command}\n"
        "# instead, with a head that you hold from an earlier visit\n"
        f"python3 verify.py {file} \\\n    --trust trust.json --head SEQ:HASH"
    )


def names_in(request: PageRequest, rows: Iterable[Export]) -> Names:
    """The names of those whose deeds these exports hold."""
    return names_of(request.actor.organization, {row.scope["person"] for row in rows if row.scope.get("person")})


def scope_in_words(scope: Mapping[str, Any], names: Names) -> str:
    """What an export holds."""
    if scope.get("application"):
        what = f"the application {scope['application']}"
    elif scope.get("release"):
        what = f"the release with manifest {scope['release'][:12]}"
    elif scope.get("person"):
        what = f"what {names.of(scope['person'])} did"
    else:
        what = "the whole organization"
    limits = [
        f"{word} {scope[end][:16].replace('T', ' ')} UTC"
        for word, end in (("from", "from"), ("until", "to"))
        if scope[end]
    ]
    return " ".join([what, *limits])


def first_command(request: PageRequest) -> str:
    """The same by curl."""
    base = request.build_absolute_uri("/v1/exports")
    headers = '-H "Authorization: Bearer $TOKEN" \\\n  -H "Content-Type: application/json"'
    return f'curl -X POST {base} \\\n  {headers} \\\n  -d \'{{"scope": {{"organization": true}}}}\''
