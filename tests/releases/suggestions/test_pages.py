"""The parts of the slice pages that look at live requests, with scripts and without."""

from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from gates.models import Slice
from relcontrol.accounts.models import Organization
from tests.factories import organization
from tests.releases.page_visitors import visitor
from tests.releases.pages_roll.test_rollout_page import text_of
from tests.releases.suggestions.requests import asked, slices

pytestmark = pytest.mark.django_db
SLICES = "/o/northgate/slices/"
DRAFT = f"{SLICES}preview/traces/"
NOWHERE = f"{SLICES}new/suggestions/"
HTMX = {"HX-Request": "true"}
TAX = {"metadata": {"topic": "tax"}}


@pytest.fixture
def owner(db: None) -> Organization:
    return organization("northgate")


@pytest.fixture
def editor(owner: Organization) -> Client:
    """The browser of a domain owner, who makes slices and may read what was asked."""
    return visitor(owner, "domain-owner")


@pytest.fixture
def viewer(owner: Organization) -> Client:
    """The browser of somebody who may do neither."""
    return visitor(owner, "viewer")


def typed(**fields: Any) -> dict[str, Any]:
    """A form as it is half filled in."""
    return {"name": "Tax", "match_kind": "metadata", "match_metadata_key": ["topic"], **fields}


def test_the_form_tells_what_the_rule_takes_as_it_is_typed(editor: Client, owner: Organization) -> None:
    slices(owner, patents={"pattern": "patent"})
    asked(owner, "Tax on a patent?", metadata={"topic": "tax"})
    asked(owner, "<b>Tax?</b>", metadata={"topic": "tax"})
    answer = editor.post(DRAFT, typed(match_metadata_value=["tax"]), headers=HTMX)
    text = text_of(answer)
    assert "2 of 2 requests match: about 2 a day." in text
    assert "1 of 2 goes to Patents, which is asked first." in text
    assert "goes to Patents" in text
    assert escape("<b>Tax?</b>") in answer.text
    assert "/o/northgate/traces/req-1/" in answer.text
    assert not Slice.objects.filter(slug="tax").exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"match_kind": ""}, "Choose how a live trace is known to belong here"),
        ({"match_kind": "pattern", "match_pattern": "("}, "pattern"),
        ({"match_kind": "pattern"}, "Name a pattern, or choose another way above."),
        ({"match_metadata_value": ["tax"], "parent": "nowhere"}, "There is no slice"),
    ],
)
def test_a_rule_that_is_not_there_yet_or_wrong_says_so(editor: Client, fields: dict[str, Any], words: str) -> None:
    fields = {"match_metadata_key": [], "match_metadata_value": [], **fields}
    if fields.get("match_metadata_value"):
        fields["match_metadata_key"] = ["topic"]
    answer = editor.post(DRAFT, typed(**fields), headers=HTMX)
    assert answer.status_code == 200
    assert words in text_of(answer)


def test_what_a_suggestion_left_in_the_form_does_not_stand_in_the_way_of_another_rule(
    editor: Client, owner: Organization
) -> None:
    asked(owner, "The licence?")
    left = {"match_metadata_key": ["topic"], "match_metadata_value": ["tax"]}
    other = {"match_kind": "pattern", "match_pattern": "licence"}
    begun = f"{DRAFT}?match_kind=metadata&match_metadata_key=topic&match_metadata_value=tax"
    assert "1 of 1 requests matches" in text_of(editor.post(begun, typed(**left, **other)))
    assert "You wrote metadata below and chose another way." in text_of(editor.post(DRAFT, typed(**left, **other)))
    page = editor.get(f"{SLICES}new/?match_kind=metadata&match_metadata_key=topic&match_metadata_value=tax").text
    assert f'hx-post="{escape(begun)}"' in page


def test_only_who_makes_slices_may_try_a_rule(viewer: Client) -> None:
    assert viewer.post(DRAFT, typed(match_metadata_value=["tax"])).status_code == 403


def test_both_forms_ask_for_their_matches(editor: Client, owner: Organization) -> None:
    slices(owner, tax=TAX)
    assert f'hx-post="{DRAFT}"' in editor.get(f"{SLICES}new/").text
    assert f'hx-post="{DRAFT}?slice=tax"' in editor.get(f"{SLICES}tax/edit/").text


def test_the_page_of_a_slice_leads_to_its_newest_requests(editor: Client, owner: Organization) -> None:
    slices(owner, tax=TAX)
    asked(owner, "Tax?", metadata={"topic": "tax"})
    url = f"{SLICES}tax/traces/"
    assert f'hx-get="{url}"' in editor.get(f"{SLICES}tax/").text
    part, page = editor.get(url, headers=HTMX), editor.get(url)
    for answer in (part, page):
        assert "1 of 1 requests matches" in text_of(answer)
        assert "Tax?" in answer.text
    assert "<html" not in part.text
    assert "<html" in page.text


def test_who_may_not_read_what_was_asked_sees_counts_and_why_no_more(viewer: Client, owner: Organization) -> None:
    slices(owner, tax=TAX)
    asked(owner, "Secret?", metadata={"topic": "tax"})
    answer = viewer.get(f"{SLICES}tax/traces/")
    assert "1 of 1 requests matches" in text_of(answer)
    assert "What was asked is not shown to you." in text_of(answer)
    assert "Secret" not in answer.text


def test_what_belongs_nowhere_is_suggested_beside_the_tree(editor: Client, owner: Organization) -> None:
    for number in range(5):
        asked(owner, f"Tax {number}?", metadata={"topic": "tax law"})
    assert f'hx-get="{NOWHERE}"' in editor.get(SLICES).text
    answer = editor.get(NOWHERE, headers=HTMX)
    text = text_of(answer)
    assert "5 requests of the last 7 days belong to no slice: about 5 a day." in text
    assert "topic = tax law 5 requests of 5 subjects, about 5 a day" in text
    assert "Tax 4?" in text
    url = f"{SLICES}new/?name=Tax+law&amp;slug=tax-law&amp;match_kind=metadata&amp;match_metadata_key=topic"
    assert f'{url}&amp;match_metadata_value=tax+law"' in answer.text


@pytest.mark.parametrize(("metadata", "rule"), [({"tier": "3"}, {"metadata": {"tier": "3"}}), ({"locale": "fr"}, None)])
def test_a_suggestion_is_a_form_that_only_needs_saving(
    editor: Client, owner: Organization, metadata: dict[str, Any], rule: dict[str, Any] | None
) -> None:
    for _ in range(5):
        asked(owner, metadata=metadata)
    url = editor.get(NOWHERE).text.partition(f'href="{SLICES}new/?')[2].partition('"')[0].replace("&amp;", "&")
    form = editor.get(f"{SLICES}new/?{url}")
    fields = form.context["form"]
    sent = {"name": fields["name"].value(), "slug": fields["slug"].value(), "policy": "point", "n_min": "20"}
    sent["match_kind"] = fields["match_kind"].value()
    pairs = fields["match_metadata"].value() or []
    sent |= {"match_metadata_key": [key for key, _ in pairs], "match_metadata_value": [value for _, value in pairs]}
    sent["match_locale"] = fields["match_locale"].value() or ""
    assert editor.post(f"{SLICES}new/", sent).status_code == 302
    assert Slice.objects.get(organization=owner).match == (rule or metadata)


def test_who_makes_no_slices_sees_shares_and_no_values_of_metadata(viewer: Client, owner: Organization) -> None:
    for _ in range(5):
        asked(owner, "Secret?", metadata={"topic": "tax law"})
    answer = viewer.get(NOWHERE)
    assert answer.status_code == 200
    assert "tax law" not in answer.text
    assert "Secret" not in answer.text


def test_another_organization_s_slice_is_not_there(editor: Client) -> None:
    slices(organization("southgate"), theirs=TAX)
    assert editor.get(f"{SLICES}theirs/traces/").status_code == 404
    assert editor.get("/o/southgate/slices/theirs/traces/").status_code == 404
