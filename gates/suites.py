"""Suites: asked for with a file, imported as a job, found by name, id or digest (domain.md "Suite").

The file is kept with the job until its cases are rows, so that a killed process loses nothing. The suite, its cases,
its receipt and the end of the job are one transaction under the job's fence: all of it, or nothing.
"""

import re
import zlib
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet

from audit.events import Event
from audit.receipts import Record, append
from gates.models import GradedAnswer, Rating, Slice, Suite, SuiteCase, SuiteImport
from gates.requesters import how_known, requester_of
from gates.suite_files.cases import Scale
from gates.suite_files.collecting import SuiteCollector, SuiteContent
from gates.suite_files.digests import decimal_text
from gates.suite_files.rows import count_lines, read_rows
from gates.suite_rows import write_rows
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import WRITE_GATES
from relcontrol.accounts.selectors import found
from relcontrol.clock import now
from relcontrol.errors import Conflict, DomainError, invalid
from relcontrol.jobs.leases import Lease
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run
from relcontrol.jobs.wake import wake

KIND = "suite-import"
INLINE_BYTES = 8 * 1024 * 1024
ROWS_PER_KEEP = 2000

_NAME = re.compile(r"(?!sui_)[A-Za-z0-9][A-Za-z0-9._@-]{0,199}")
_KEY = re.compile(r"[A-Za-z0-9._@:-]{1,200}")
_DIGEST = re.compile(r"(?:sha256:)?(?P<hex>[0-9a-f]{64})")


@transaction.atomic
def request_import(
    *, actor: Actor, name: str, body: bytes, file_format: str, scale: Scale | None = None
) -> SuiteImport:
    """Keep a file for import. `carry_out` starts the work once this has been committed."""
    actor.require(WRITE_GATES)
    if not body.strip():
        raise invalid("body", "The file is empty; send JSON lines, CSV or YAML.")
    return SuiteImport.objects.create(
        organization=actor.organization,
        name=checked_suite_name(name),
        file_format=file_format,
        grade_scale=scale,
        body=zlib.compress(body),
        size=len(body),
        progress_of=count_lines(body),
        requested_by=actor.id,
        requested_by_label=actor.label,
        requested_with=how_known(actor),
        created_at=now(),
    )


def carry_out(row: SuiteImport) -> SuiteImport:
    """Import a small file here and now, leave a large one to a worker; returns the job as it is then."""
    if row.size <= INLINE_BYTES:
        run(SuiteImport.objects.filter(pk=row.pk), import_suite)
    else:
        wake(KIND, row.pk)
    return import_named(row.organization, row.pk)


def import_suite(lease: Lease[SuiteImport]) -> None:
    """The job: read every row, then write the suite; or end with all that is wrong with the file."""
    try:
        _write(lease, _read(lease))
    except DomainError as error:
        _end_refused(lease, error)


def checked_suite_name(name: str) -> str:
    """A name that stands in addresses and manifests and cannot be taken for an id or a digest."""
    if not _NAME.fullmatch(name) or _DIGEST.fullmatch(name):
        message = "Use 1 to 200 letters, digits, '.', '_', '@' and '-'; not the form of an id or a digest."
        raise invalid("name", message)
    return name


def suites_of(organization: Organization) -> QuerySet[Suite]:
    """Suites of an organization, newest first."""
    return Suite.objects.filter(organization=organization).order_by("-pk")


def suite_named(organization: Organization, text: str) -> Suite:
    """The suite with this name, id (`sui_…`) or digest (with or without `sha256:`; the oldest of equal ones)."""
    rows = suites_of(organization).order_by("pk")
    if not _KEY.fullmatch(text):
        return found(rows.none(), "suite", name=text)
    if text.startswith("sui_"):
        return found(rows, "suite", pk=text)
    if digest := _DIGEST.fullmatch(text):
        return found(rows, "suite", sha256=f"sha256:{digest['hex']}")
    return found(rows, "suite", name=text)


def cases_of(suite: Suite) -> QuerySet[SuiteCase]:
    """The cases of a suite with their slices and the number of their graded answers, by case_id."""
    rows = SuiteCase.objects.filter(suite=suite).select_related("slice")
    return rows.annotate(answer_count=Count("graded_answers")).order_by("case_id")


def imports_of(organization: Organization) -> QuerySet[SuiteImport]:
    """Imports of an organization, newest first, without their files."""
    rows = SuiteImport.objects.filter(organization=organization).select_related("organization", "suite")
    return rows.defer("body").order_by("-pk")


def import_named(organization: Organization, key: str) -> SuiteImport:
    """One import."""
    return found(imports_of(organization), "suite import", pk=key)


def _read(lease: Lease[SuiteImport]) -> SuiteContent:
    row = lease.job
    slugs = Slice.objects.filter(organization=row.organization).values_list("slug", flat=True)
    collector = SuiteCollector(set(slugs), (row.grade_scale[0], row.grade_scale[1]) if row.grade_scale else None)
    for count, read in enumerate(read_rows(zlib.decompress(bytes(row.body or b"")), row.file_format), start=1):
        collector.take(read)
        if collector.is_full:
            break
        if count % ROWS_PER_KEEP == 0:
            lease.keep(now(), done=min(read.line, row.progress_of))
    content = collector.finished()
    lease.keep(now(), done=row.progress_of)
    return content


def _write(lease: Lease[SuiteImport], content: SuiteContent) -> None:
    sha256 = content.sha256
    with lease.writing() as row:
        actor = requester_of(row)
        actor.require(WRITE_GATES)
        suite = _new_suite(actor, row, content, sha256)
        row.made_suite = suite is not None
        row.suite = suite or _same_suite(row, content, sha256)
        _end(row, LeasedJob.State.DONE)
        if suite is not None:
            write_rows(suite, content)
            _record(actor, suite, content)


def _new_suite(actor: Actor, row: SuiteImport, content: SuiteContent, sha256: str) -> Suite | None:
    """The row of a new suite; None where the name is taken."""
    suite = Suite(
        organization=row.organization,
        name=row.name,
        sha256=sha256,
        case_count=len(content.cases),
        graded_answer_count=content.answer_count(),
        slice_counts=content.slice_counts(),
        grade_scale=row.grade_scale,
        imported_by=actor.id,
        imported_by_label=row.requested_by_label,
        created_at=now(),
    )
    try:
        with transaction.atomic():
            suite.save(force_insert=True)
    except IntegrityError:
        return None
    return suite


def _same_suite(row: SuiteImport, content: SuiteContent, sha256: str) -> Suite:
    """The suite that has this name and this very content; `Conflict` where the content differs."""
    suite = suite_named(row.organization, row.name)
    state = {"suite_id": suite.pk, "name": suite.name, "sha256": suite.sha256, "cases": suite.case_count}
    if suite.sha256 != sha256:
        message = (
            f"There is a suite {suite.name} with other cases. A suite never changes: give this one a new name, "
            f"such as the next version ({suite.name}-2)."
        )
        raise Conflict(message, code="suite_differs", state=state)
    if _graded_in(suite) != _graded_in_file(content) or suite.grade_scale != row.grade_scale:
        message = (
            f"The suite {suite.name} has these cases, but other graded answers or another grade scale. Give this "
            "upload a new name; the digest of the cases stays the same."
        )
        raise Conflict(message, code="suite_grades_differ", state=state)
    return suite


def _graded_in(suite: Suite) -> tuple[set[Any], set[Any]]:
    answers = GradedAnswer.objects.filter(case__suite=suite)
    ratings = Rating.objects.filter(answer__case__suite=suite)
    return (
        set(answers.values_list("case__case_id", "answer_id", "output", "system")),
        set(ratings.values_list("answer__case__case_id", "answer__answer_id", "rater", "grade")),
    )


def _graded_in_file(content: SuiteContent) -> tuple[set[Any], set[Any]]:
    answers = {
        (case.case_id, answer.answer_id, answer.output, answer.system)
        for case in content.cases
        for answer in case.answers
    }
    return answers, {(*key, grade) for key, grade in content.ratings()}


def _end(row: SuiteImport, state: str) -> None:
    """The file has served: it is deleted with the end of the job."""
    row.state, row.body, row.finished_at = state, None, now()
    row.progress_done = row.progress_of if state == LeasedJob.State.DONE else row.progress_done
    row.save(update_fields=["state", "body", "finished_at", "progress_done", "problem", "suite", "made_suite"])


def _end_refused(lease: Lease[SuiteImport], error: DomainError) -> None:
    with lease.writing() as row:
        row.problem = {
            "status": error.status,
            "code": error.code,
            "detail": error.detail,
            "errors": [{"field": item.field, "message": item.message} for item in error.errors],
            "state": error.state,
        }
        _end(row, LeasedJob.State.ERROR)


def _record(actor: Actor, suite: Suite, content: SuiteContent) -> None:
    state = {
        "id": suite.pk,
        "name": suite.name,
        "sha256": suite.sha256,
        "cases": suite.case_count,
        "slices": suite.slice_counts,
        "graded_answers": suite.graded_answer_count,
        "grade_scale": [decimal_text(end) for end in suite.grade_scale] if suite.grade_scale else None,
        "ratings_sha256": content.ratings_sha256,
    }
    append(
        actor,
        Record(event=Event.SUITE_IMPORTED, outcome="imported", kind="suite", name=suite.name, state=state),
    )
