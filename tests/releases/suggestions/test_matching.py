"""Which of the newest requests a rule takes: as it would be in the tree, with every overlap told."""

from datetime import timedelta
from typing import Any

import pytest

from gates.models import Slice
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from relcontrol.errors import Invalid
from releases.suggestions import looking
from releases.suggestions.matching import Draft, Matches, find_matches
from releases.suggestions.wording import a_day, sentences
from releases.trace_models import SubjectKey, Trace
from tests import factories
from tests.factories import organization
from tests.releases.suggestions.requests import asked, slices

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TAX = {"metadata": {"topic": "tax"}}
LICENCE = {"pattern": "licen[cs]e"}


@pytest.fixture
def owner(db: None) -> Organization:
    return organization("northgate")


def tried(owner: Organization, match: dict[str, Any] | None = None, **place: Any) -> Matches:
    return find_matches(owner, Draft(match or TAX, **place), now())


def said(owner: Organization, match: dict[str, Any] | None = None, **place: Any) -> str:
    return " ".join(sentences(tried(owner, match, **place), match or TAX))


def test_requests_that_the_rule_matches_are_counted_by_day_and_shown_newest_first(owner: Organization) -> None:
    asked(owner, "Old.", metadata={"topic": "tax"}, ago=2 * DAY)
    asked(owner, "New.", metadata={"topic": "tax"})
    asked(owner, "Other.", metadata={"topic": "ip"})
    found = tried(owner)
    assert (found.look.opened, found.matched, found.taken) == (3, 2, 2)
    assert [example.text for example in found.examples] == ["New.", "Old."]
    assert sorted(found.days) == [(now() - 2 * DAY).date(), (now() - timedelta(minutes=1)).date()]
    assert "2 of 3 requests match: about 1 a day." in said(owner)


@pytest.mark.parametrize(
    ("match", "count"), [(LICENCE, 1), ({"locale": "fr"}, 1), (TAX, 1), ({"judge": "external:topics@1"}, 0)]
)
def test_every_kind_of_rule_is_tried_as_it_is_when_traces_arrive(
    owner: Organization, match: dict[str, Any], count: int
) -> None:
    asked(owner, "May I share the licence?")
    asked(owner, "Et alors ?", metadata={"locale": "fr-BE"})
    asked(owner, metadata={"topic": "tax"})
    assert tried(owner, match).matched == count


def test_a_judge_that_sorts_is_said_not_to_be_asked(owner: Organization) -> None:
    asked(owner)
    assert said(owner, {"judge": "external:topics@1"}).startswith("A judge that sorts traces is not asked")


def test_what_goes_to_a_slice_that_is_asked_first_is_told(owner: Organization) -> None:
    slices(owner, patents={"pattern": "patent"})
    asked(owner, "Is the patent licence mine?")
    asked(owner, "Is the licence mine?")
    text = said(owner, LICENCE, slug="zebra")
    assert "2 of 2 requests match" in text
    assert "1 of 2 goes to Patents, which is asked first." in text
    assert "and would come here" not in text
    assert [example.slice for example in tried(owner, LICENCE, slug="zebra").examples] == ["zebra", "patents"]


def test_what_would_be_taken_away_from_another_slice_is_told(owner: Organization) -> None:
    slices(owner, patents={"pattern": "patent"})
    asked(owner, "Is the patent licence mine?")
    asked(owner, "Is this patent licence mine?")
    found = tried(owner, LICENCE, slug="aardvark")
    assert (found.taken, dict(found.moved)) == (2, {"patents": 2})
    assert "2 of 2 go to Patents today and would come here." in said(owner, LICENCE, slug="aardvark")


def test_what_goes_on_to_a_part_of_the_slice_is_told(owner: Organization) -> None:
    slices(owner, licences=LICENCE, patents=("licences", {"pattern": "patent"}))
    asked(owner, "Is the patent licence mine?")
    asked(owner, "Is the licence mine?")
    row = Slice.objects.get(slug="licences")
    assert "1 of 2 goes on to Patents, a part of this slice." in said(owner, LICENCE, changes=row)


def test_what_a_slice_above_turns_away_is_told(owner: Organization) -> None:
    slices(owner, french={"locale": "fr"})
    asked(owner, "La licence ?", metadata={"locale": "fr-BE"})
    asked(owner, "The licence?", metadata={"locale": "en"})
    text = said(owner, LICENCE, slug="licences", parent="french")
    assert "1 of 2 requests matches" in text
    assert "1 more matches the rule but is not within French, which this slice is a part of." in text


def test_a_slice_is_tried_with_its_new_rule_and_not_with_that_which_holds(owner: Organization) -> None:
    slices(owner, licences=LICENCE)
    asked(owner, "The licence?")
    asked(owner, "The royalty?")
    row = Slice.objects.get(slug="licences")
    assert tried(owner, {"pattern": "royalt(y|ies)"}, changes=row).taken == 1
    row.refresh_from_db()
    assert row.match == LICENCE


def test_only_requests_of_the_application_count_where_the_slice_is_for_one(owner: Organization) -> None:
    legal = factories.application(owner)
    asked(owner, metadata={"topic": "tax"}, route=legal.routes.get().pk)
    asked(owner, metadata={"topic": "tax"}, route="rte_elsewhere")
    found = tried(owner, TAX, application="legal-assistant")
    assert (found.look.opened, found.matched) == (1, 1)


def test_copies_to_a_shadow_and_other_organizations_and_old_requests_do_not_count(owner: Organization) -> None:
    asked(organization("southgate"), metadata={"topic": "tax"})
    asked(owner, metadata={"topic": "tax"}, arm="shadow")
    asked(owner, metadata={"topic": "tax"}, ago=8 * DAY)
    assert tried(owner).look.opened == 0
    assert said(owner).startswith("There is no request to try it on yet.")


def test_what_was_erased_or_damaged_is_neither_matched_nor_shown(owner: Organization) -> None:
    asked(owner, "Erased.", metadata={"topic": "tax"}, subject="gone")
    SubjectKey.objects.update(wrapped_key=None, destroyed_at=now())
    asked(owner, "Damaged.", metadata={"topic": "tax"})
    Trace.objects.filter(request_id="req-2").update(body=b"\x01" + b"0" * 40)
    asked(owner, "Here.", metadata={"topic": "tax"})
    found = tried(owner)
    assert (found.matched, found.look.closed) == (1, 2)
    assert [example.text for example in found.examples] == ["Here."]
    assert "The 1 request of the last 7 days was looked at; 2 more cannot be read." in said(owner)


def test_the_same_question_is_shown_once_and_five_at_most(owner: Organization) -> None:
    for number in range(8):
        asked(owner, f"Question {number // 2 if number < 4 else number}?", metadata={"topic": "tax"})
    texts = [example.text for example in tried(owner).examples]
    assert len(texts) == len(set(texts)) == 5


def test_a_slice_that_could_not_be_saved_so_is_refused(owner: Organization) -> None:
    slices(owner, a=TAX, b=("a", TAX))
    with pytest.raises(Invalid):
        tried(owner, {"pattern": "("})
    with pytest.raises(Invalid):
        tried(owner, TAX, parent="nowhere")
    with pytest.raises(Invalid):
        tried(owner, TAX, parent="b", changes=Slice.objects.get(slug="a"))
    with pytest.raises(Invalid):
        tried(owner, TAX, slug="a")


def test_a_look_ends_at_so_many_requests_and_says_how_far_it_came(
    owner: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_OPENED", 3)
    for number in range(5):
        asked(owner, metadata={"topic": "tax"}, ago=timedelta(hours=number + 1))
    found = tried(owner)
    assert (found.matched, found.look.whole) == (3, False)
    assert "The newest 3 requests, back to " in said(owner)
    assert round(found.a_day) == 24


def test_a_rate_of_some_minutes_is_one_of_a_day(owner: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST_OPENED", 2)
    for minutes in (20, 10, 0):
        asked(owner, metadata={"topic": "tax"}, ago=timedelta(minutes=minutes))
    assert tried(owner).a_day == pytest.approx(2 * 144, rel=0.1)  # ten minutes, and the seconds that the test took


@pytest.mark.parametrize(
    ("rate", "words"),
    [(0.14, "0.1"), (1.02, "1"), (9.5, "9.5"), (10.4, "10"), (99.4, "99"), (936, "940"), (168_480, "170,000")],
)
def test_a_rate_is_told_no_more_exactly_than_it_is(rate: float, words: str) -> None:
    assert a_day(rate) == words


def test_a_look_ends_when_its_time_is_up(owner: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "AT_A_TIME", 2)
    monkeypatch.setattr(looking, "SECONDS", -1)
    for _ in range(5):
        asked(owner, metadata={"topic": "tax"})
    found = tried(owner)
    assert (found.look.opened, found.look.whole) == (2, False)


def test_bodies_that_are_too_long_to_look_into_are_told(owner: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LONGEST_BODY", 500)
    asked(owner, "x" * 1000, metadata={"topic": "tax"})
    asked(owner, "Short.", metadata={"topic": "tax"})
    found = tried(owner)
    assert (found.matched, found.look.closed) == (1, 1)
