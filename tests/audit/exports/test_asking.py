"""The ZIP by the API and on the pages; the scope of a person, and what a reader may open, as people ask for them."""

import pytest
from django.test import Client

from audit.api import NO_ZIP
from audit.exporting.exports import content_of, make_export, request_export
from audit.models import Export, ExportPart
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization, Person
from relcontrol.clock import now
from relcontrol.jobs.leases import claim
from relcontrol.jobs.running import run
from tests import factories
from tests.audit.exports.anchored import exported

pytestmark = pytest.mark.django_db
EXPORTS = "/o/northgate/audit/exports/"


@pytest.fixture
def api(northgate: Organization) -> factories.Api:
    """Somebody who may read the evidence."""
    return factories.api(factories.service_token(northgate, "audit:read"))


@pytest.fixture
def mara(northgate: Organization) -> Client:
    """Mara's browser."""
    client = Client()
    client.force_login(Person.objects.get(name="Mara"))
    return client


def test_the_zip_comes_by_the_api_with_its_digest(api: factories.Api) -> None:
    asked = api.post("exports", {"scope": {"organization": True}, "opens": "nothing", "report": False}).json()
    key = asked["export_id"]
    assert (asked["opens"], asked["zip"]) == ("nothing", {"sha256": None, "size": 0})
    waiting = api.get(f"exports/{key}.zip")
    assert (waiting.status_code, waiting.json()["state"]) == (202, "queued")
    assert run(Export.objects.filter(pk=key), make_export)
    shown, answer = api.get(f"exports/{key}").json(), api.get(f"exports/{key}.zip")
    assert shown["files"]["zip"] == f"/v1/exports/{key}.zip"
    assert answer["Content-Type"] == "application/zip"
    assert answer["X-Content-SHA256"] == shown["zip"]["sha256"]
    content = answer.getvalue()
    assert len(content) == shown["zip"]["size"] == int(answer["Content-Length"])
    assert content == b"".join(content_of(Export.objects.get(), ExportPart.Kind.ZIP))


def test_an_export_from_before_there_were_zips_says_so(
    api: factories.Api, mara: Client, northgate: Organization
) -> None:
    export = exported(northgate)
    Export.objects.update(zip_sha256="", zip_size=0)
    answer = api.get(f"exports/{export.pk}.zip")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_zip")
    assert "zip" not in api.get(f"exports/{export.pk}").json()["files"]
    shown = mara.get(f"{EXPORTS}{export.pk}/").content.decode()
    assert NO_ZIP in shown
    assert "Download the ZIP" not in shown
    assert f"python3 verify.py {export.pk}.json" in shown


def test_another_word_for_what_it_opens_is_refused_by_the_api(api: factories.Api) -> None:
    answer = api.post("exports", {"scope": {"organization": True}, "opens": "some"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "opens")


def test_the_form_asks_for_a_person_by_name_and_the_pages_name_her(mara: Client, northgate: Organization) -> None:
    request_export(actor=command_actor(northgate), scope={"organization": True})
    mara.post(EXPORTS, {"scope": "organization"})
    assert run(Export.objects.filter(requested_by_label__startswith="Mara"), make_export)
    refused = mara.post(EXPORTS, {"scope": "person"})
    assert "Name the person." in refused.content.decode()
    nobody = mara.post(EXPORTS, {"scope": "person", "person": "Zoe"})
    assert "nobody named Zoe" in nobody.content.decode()
    answer = mara.post(EXPORTS, {"scope": "person", "person": "command", "opens": "impersonal"})
    export = Export.objects.latest("pk")
    assert answer["Location"] == f"{EXPORTS}{export.pk}/"
    assert (export.scope["person"], export.opens) == ("command", "impersonal")
    assert "What the server&#x27;s command line did" in mara.get(EXPORTS).content.decode()


def test_the_page_offers_the_zip_first_and_gives_its_bytes(mara: Client, northgate: Organization) -> None:
    export = exported(northgate)
    shown = mara.get(f"{EXPORTS}{export.pk}/").content.decode()
    assert shown.index("Download the ZIP") < shown.index("Download the JSON")
    assert export.zip_sha256 in shown
    file = mara.get(f"{EXPORTS}{export.pk}/export.zip")
    assert file.getvalue() == b"".join(content_of(export, ExportPart.Kind.ZIP))


def test_the_page_counts_receipts_then_pages_then_bytes(mara: Client, northgate: Organization) -> None:
    export = request_export(actor=command_actor(northgate), scope={"organization": True})
    claim(Export.objects.filter(pk=export.pk), "busy", now())
    address, seqs = f"{EXPORTS}{export.pk}/", []
    for columns, word in (
        ({"progress_done": 8, "progress_of": 9}, "8 of 9 receipts"),
        ({"sha256": "ab" * 32, "progress_done": 2, "progress_of": 9}, "2 of 9 pages"),
        ({"report_sha256": "ab" * 32, "progress_done": 1, "progress_of": 9}, "1 of 9 bytes"),
    ):
        Export.objects.filter(pk=export.pk).update(**columns)
        answer = mara.get(address)
        assert word in answer.content.decode()
        seqs.append(answer.context["seq"])
    assert seqs == sorted(set(seqs))


def test_a_zip_of_another_organization_is_not_found(northgate: Organization) -> None:
    export = exported(northgate)
    outsider = factories.organization("southgate")
    api = factories.api(factories.service_token(outsider, "audit:read"))
    assert api.get(f"exports/{export.pk}.zip").status_code == 404


@pytest.mark.parametrize("text", ["\x00", "a" * 5000, "\ud800", "%_", "prn_\x00"])
def test_any_text_for_a_person_is_answered_in_words(api: factories.Api, text: str) -> None:
    answer = api.post("exports", {"scope": {"person": text}})
    assert answer.status_code in {400, 422}, answer.content
