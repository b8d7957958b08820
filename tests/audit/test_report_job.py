"""The report as a job, by API and on the pages: progress, restarts, who may have it, and what is said without one."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from audit.exporting.exports import content_of, make_export, request_export
from audit.models import Export, ExportPart
from audit.report import rendering, writing
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.jobs.leases import MAX_ATTEMPTS, Lease, LeaseLostError, claim
from relcontrol.jobs.running import run
from tests import factories
from tests.audit.reported import exported

pytestmark = pytest.mark.django_db
PDF = ExportPart.Kind.PDF


@pytest.fixture
def organization() -> Organization:
    """With an application."""
    made = factories.organization()
    factories.application(made)
    return made


@pytest.fixture
def waiting(organization: Organization) -> Export:
    """An export that nobody has begun."""
    return request_export(actor=command_actor(organization), scope={"organization": True})


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of a report, for tests of who may have it and where it is offered."""
    monkeypatch.setattr(writing, "render_report", lambda *_: rendering.Rendered(b"%PDF-1.7", 3))


def auditor(organization: Organization) -> factories.Api:
    """Somebody who may read the evidence."""
    return factories.api(factories.service_token(organization, "audit:read"))


def made(export: Export) -> Export:
    """The same, finished."""
    assert run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    assert export.state == Export.State.DONE
    return export


def content(export: Export) -> bytes:
    """Its PDF."""
    return b"".join(content_of(export, PDF))


def test_the_report_comes_by_the_api_with_its_digest(organization: Organization, waiting: Export) -> None:
    api, export = auditor(organization), made(waiting)
    shown = api.get(f"exports/{export.pk}").json()
    assert shown["files"]["pdf"] == f"/v1/exports/{export.pk}.pdf"
    assert shown["report"]["pages"] == export.report_pages > 2
    answer = api.get(f"exports/{export.pk}.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-SHA256"] == shown["report"]["sha256"] == export.report_sha256
    assert answer.getvalue() == content(export)


def test_until_it_is_ready_the_api_answers_how_far_it_is(organization: Organization, waiting: Export) -> None:
    answer = auditor(organization).get(f"exports/{waiting.pk}.pdf")
    assert answer.status_code == 202
    assert answer.json()["progress"]["done"] == 0
    assert answer.json()["files"] == {}


def test_the_report_cannot_be_posted_to(organization: Organization, waiting: Export) -> None:
    assert auditor(organization).post(f"exports/{waiting.pk}.pdf").status_code == 405


def test_a_report_of_another_organization_is_not_found(waiting: Export, stand_in: None) -> None:
    outsider = factories.organization("southgate")
    assert auditor(outsider).get(f"exports/{made(waiting).pk}.pdf").status_code == 404


def test_without_the_right_to_read_evidence_there_is_no_report(
    organization: Organization, waiting: Export, stand_in: None
) -> None:
    api = factories.api(factories.service_token(organization, "releases:write"))
    assert api.get(f"exports/{made(waiting).pk}.pdf").status_code == 403


def test_a_cancelled_export_has_no_report(organization: Organization, waiting: Export) -> None:
    Export.objects.filter(pk=waiting.pk).update(state=Export.State.CANCELLED)
    assert auditor(organization).get(f"exports/{waiting.pk}.pdf").status_code == 409


def test_progress_counts_receipts_and_then_pages(
    organization: Organization, waiting: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int | None, int | None]] = []
    keep = Lease.keep

    def watched(lease: Lease[Export], at: object, *, done: int | None = None, of: int | None = None) -> None:
        told.append((done, of))
        keep(lease, now(), done=done, of=of)

    monkeypatch.setattr(Lease, "keep", watched)
    monkeypatch.setattr(writing, "KEEP_SECONDS", 0.0)
    export = made(waiting)
    pages = [done for done, of in told if of is not None]
    assert pages[0] == 0
    assert max(done or 0 for done in pages) == export.report_pages
    assert export.progress_done == export.progress_of == export.receipts


def test_a_worker_killed_at_the_report_is_followed_by_one_that_keeps_the_json(
    organization: Organization, waiting: Export
) -> None:
    whole = exported(organization, with_report=False)
    dead = claim(Export.objects.filter(pk=waiting.pk), "dead", now())
    assert dead is not None
    ExportPart.objects.filter(export=whole, kind=ExportPart.Kind.JSON).update(export=waiting)
    ExportPart.objects.create(export=waiting, kind=PDF, number=0, content=b"half a PDF")
    Export.objects.filter(pk=waiting.pk).update(sha256=whole.sha256, size=whole.size, lease_until=now())
    before = ExportPart.objects.get(export=waiting, kind=ExportPart.Kind.JSON).pk
    export = made(waiting)
    assert ExportPart.objects.get(export=export, kind=ExportPart.Kind.JSON).pk == before
    assert content(export).startswith(b"%PDF-1.7")


def test_a_worker_that_lost_its_lease_while_rendering_writes_nothing(
    waiting: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = claim(Export.objects.filter(pk=waiting.pk), "late", now())
    assert late is not None
    render = rendering.render_report

    def overtaken(*given: Any) -> rendering.Rendered:
        Export.objects.filter(pk=waiting.pk).update(fence=late.fence + 1)
        return render(*given)

    monkeypatch.setattr(writing, "render_report", overtaken)
    with pytest.raises(LeaseLostError):
        make_export(late)
    assert not ExportPart.objects.filter(export=waiting, kind=PDF).exists()


def test_without_pango_the_json_is_issued_and_the_report_says_what_is_missing(
    organization: Organization, waiting: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(_name: str) -> None:
        raise OSError("cannot load library 'libpango-1.0-0'")

    monkeypatch.setattr(rendering, "import_module", without)
    export = made(waiting)
    assert "Pango is missing" in export.report_problem
    answer = auditor(organization).get(f"exports/{export.pk}.pdf")
    assert answer.status_code == 409
    assert "libpango-1.0-0" in answer.json()["detail"]


def test_a_large_export_is_issued_without_a_report_and_says_so(
    organization: Organization, waiting: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "MOST_JSON_BYTES", 10)
    export = made(waiting)
    assert "too large for a report" in export.report_problem
    client = Client()
    client.force_login(factories.person(organization, "auditor"))
    shown = client.get(f"/o/northgate/audit/exports/{export.pk}/").content.decode()
    assert "too large for a report" in shown
    assert "Download the report" not in shown


def test_a_report_that_felled_every_worker_does_not_take_the_json_with_it(waiting: Export) -> None:
    Export.objects.filter(pk=waiting.pk).update(attempts=MAX_ATTEMPTS - 1)
    assert "log of the worker" in made(waiting).report_problem


def test_the_page_offers_the_report(organization: Organization, waiting: Export, stand_in: None) -> None:
    export, client = made(waiting), Client()
    client.force_login(factories.person(organization, "auditor"))
    shown = client.get(f"/o/northgate/audit/exports/{export.pk}/").content.decode()
    assert export.report_sha256 in shown
    assert f"{export.report_pages} pages" in shown
    file = client.get(f"/o/northgate/audit/exports/{export.pk}/report.pdf")
    assert file.getvalue() == content(export)


def test_the_page_of_a_report_that_is_rendered_counts_pages(organization: Organization, waiting: Export) -> None:
    claim(Export.objects.filter(pk=waiting.pk), "busy", now())
    Export.objects.filter(pk=waiting.pk).update(sha256="ab" * 32, progress_done=3, progress_of=9)
    client = Client()
    client.force_login(factories.person(organization, "auditor"))
    shown = client.get(f"/o/northgate/audit/exports/{waiting.pk}/").content.decode()
    assert "Pages rendered" in shown
    assert "3 of 9 pages" in shown


def test_a_report_opens_its_own_fonts_and_nothing_else(tmp_path: Path) -> None:
    fetcher = rendering._fetcher(rendering._weasyprint())
    for address in (
        "http://127.0.0.1/x.woff2",
        (tmp_path / "x.woff2").as_uri(),
        "data:text/plain,x",
        "file:///etc/hosts",
    ):
        with pytest.raises(ValueError, match="nothing else"):
            fetcher.fetch(address)
