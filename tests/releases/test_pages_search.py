"""The search of the top bar: straight to the one thing that was meant, else what matches by kind."""

import pytest
from django.test import Client

from audit.models import Receipt
from tests.releases.page_visitors import visitor
from tests.releases.scene import OTHER_MODEL, SUITE, Scene

SEARCH = "/o/northgate/search"


@pytest.fixture
def manager(northgate: Scene) -> Client:
    return visitor(northgate.organization, "release-manager")


def _leads_to(client: Client, text: str) -> str:
    answer = client.get(SEARCH, {"q": text})
    assert answer.status_code == 302, answer.context["groups"]
    return str(answer.headers["Location"])


def test_every_name_of_a_release_leads_straight_to_it(northgate: Scene, manager: Client) -> None:
    made = northgate.registered()
    page = f"/o/northgate/releases/{made['release_id']}"
    digest = made["manifest_sha256"]
    for text in (made["release_id"], digest, f" {digest[:12]} ", digest.upper(), "r1", "R1", "legal-assistant r1"):
        assert _leads_to(manager, text) == page


def test_a_receipt_is_found_by_hash_and_by_number(northgate: Scene, manager: Client) -> None:
    row = Receipt.objects.filter(organization=northgate.organization).order_by("seq")[2]
    for text in (row.receipt_hash, row.receipt_hash[:12], "#3"):
        assert _leads_to(manager, text) == f"/o/northgate/audit/receipts/{row.receipt_hash}/"


def test_a_suite_and_a_prompt_are_found_by_a_part_of_their_names(northgate: Scene, manager: Client) -> None:
    assert _leads_to(manager, "scored-QA") == f"/o/northgate/suites/{SUITE}/"
    assert _leads_to(manager, "templates/leg") == "/o/northgate/prompts/templates/legal-qa/?version=v15"
    assert _leads_to(manager, "templates/legal-qa@v14") == "/o/northgate/prompts/templates/legal-qa/?version=v14"


def test_a_digest_of_content_leads_to_the_prompt_that_has_it(northgate: Scene, manager: Client) -> None:
    digest = northgate.ci.get("artifacts/templates/legal-qa@v14").json()["sha256"]
    for text in (digest, digest.removeprefix("sha256:")[:12]):
        assert _leads_to(manager, text) == "/o/northgate/prompts/templates/legal-qa/?version=v14"


def test_several_matches_are_listed_by_kind(northgate: Scene, manager: Client) -> None:
    northgate.registered()
    northgate.registered(model_ref=OTHER_MODEL)
    page = manager.get(SEARCH, {"q": "e"})
    assert [(group.kind, len(group.matches)) for group in page.context["groups"]] == [
        ("Releases", 2),
        ("Suites", 1),
        ("Prompts", 1),
    ]


def test_no_match_says_what_can_be_looked_for(northgate: Scene, manager: Client) -> None:
    page = manager.get(SEARCH, {"q": "zzz"})
    assert page.status_code == 200
    assert "Nothing matches" in page.text


@pytest.mark.parametrize("text", ["", " ", "\0", "%", "'", "r999999999999", "#99999999999999", "@", "a" * 5_000, "☃"])
def test_any_words_are_answered(northgate: Scene, manager: Client, text: str) -> None:
    assert manager.get(SEARCH, {"q": text}).status_code == 200


def test_a_viewer_finds_no_receipts(northgate: Scene) -> None:
    row = Receipt.objects.filter(organization=northgate.organization)[0]
    page = visitor(northgate.organization, "viewer").get(SEARCH, {"q": row.receipt_hash})
    assert (page.status_code, page.context["count"]) == (200, 0)


def test_nothing_of_another_organization_is_found(northgate: Scene, eastgate: Scene, manager: Client) -> None:
    foreign = eastgate.registered()
    for text in (foreign["release_id"], foreign["manifest_sha256"], "r1"):
        assert manager.get(SEARCH, {"q": text}).context["count"] == 0
    assert manager.get("/o/eastgate/search", {"q": "r1"}).status_code == 404
    assert Client().get(SEARCH).headers["Location"].startswith("/sign-in")


def test_the_words_come_back_as_text(northgate: Scene, manager: Client) -> None:
    assert "<script>alert" not in manager.get(SEARCH, {"q": "<script>alert(1)</script>"}).text
