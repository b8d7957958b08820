"""What belongs nowhere: groups that a rule could take, and no value that belongs to one person."""

from typing import Any

import pytest

from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from releases.suggestions import looking
from releases.suggestions.grouping import Suggestions, suggest, traits_of
from releases.suggestions.wording import belongs_nowhere, name_of, trait_words
from releases.traces.rows import Row
from tests.factories import organization
from tests.releases.suggestions.requests import asked, slices

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(db: None) -> Organization:
    return organization("northgate")


def rules(found: Suggestions) -> list[dict[str, Any]]:
    return [group.trait.match for group in found.groups]


def test_unassigned_requests_are_grouped_by_metadata_and_language_largest_first(owner: Organization) -> None:
    for number in range(7):
        asked(owner, f"Tax {number}?", metadata={"topic": "tax", "tier": 3})
    for _ in range(5):
        asked(owner, metadata={"locale": "fr-BE"})
    found = suggest(owner, now())
    assert rules(found) == [{"metadata": {"tier": 3}}, {"metadata": {"topic": "tax"}}, {"locale": "fr-be"}]
    assert [group.count for group in found.groups] == [7, 7, 5]
    assert [example.text for example in found.groups[1].examples] == ["Tax 6?", "Tax 5?", "Tax 4?"]
    assert belongs_nowhere(found) == "12 requests of the last 7 days belong to no slice: about 12 a day."


def test_a_language_of_several_varieties_is_one_group_as_well(owner: Organization) -> None:
    for tag in ("fr-BE", "fr-CH") * 5:
        asked(owner, metadata={"locale": tag})
    assert rules(suggest(owner, now())) == [{"locale": "fr"}, {"locale": "fr-be"}, {"locale": "fr-ch"}]


@pytest.mark.parametrize(("count", "subjects"), [(4, 4), (9, 2)])
def test_a_value_of_few_requests_or_of_few_people_is_not_told(owner: Organization, count: int, subjects: int) -> None:
    for number in range(count):
        asked(owner, metadata={"customer": "Jane Roe"}, subject=f"user-{number % subjects}")
    found = suggest(owner, now())
    assert (found.unassigned, found.groups) == (count, [])


def test_a_value_that_no_rule_can_have_is_not_suggested(owner: Organization) -> None:
    for _ in range(5):
        asked(owner, metadata={"topic": "x" * 201, "ratio": 0.5, "tags": ["a"], "locale": "English please"})
    assert suggest(owner, now()).groups == []


def test_what_a_slice_took_or_would_take_by_now_is_left_out(owner: Organization) -> None:
    slices(owner, tax={"metadata": {"topic": "tax"}})
    for _ in range(5):
        asked(owner, metadata={"topic": "tax", "tier": "gold"})
    for _ in range(5):
        asked(owner, metadata={"topic": "ip"})
    assert suggest(owner, now()).unassigned == 5
    later = organization("later")
    for _ in range(5):
        asked(later, metadata={"topic": "ip"})
    slices(later, ip={"metadata": {"topic": "ip"}})
    found = suggest(later, now())
    assert (found.unassigned, found.groups) == (0, [])
    assert belongs_nowhere(found) == "No request of the last 7 days is without a slice."


def test_of_many_rows_only_the_newest_are_gone_through_for_unassigned_ones(
    owner: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "MOST_PASSED", 3)
    for _ in range(5):
        asked(owner, metadata={"topic": "tax"})
    found = suggest(owner, now())
    assert (found.unassigned, found.look.whole) == (3, False)


def test_one_and_true_are_two_values(owner: Organization) -> None:
    row = Row({}, None, None, {"a": 1, "b": True, "c": None})
    assert [trait.match for trait in traits_of(row)] == [{"metadata": {"a": 1}}, {"metadata": {"b": True}}]
    first, second = traits_of(Row({}, None, None, {"a": 1})), traits_of(Row({}, None, None, {"a": True}))
    assert set(first).isdisjoint(second)


@pytest.mark.parametrize(
    ("metadata", "name", "words"),
    [
        ({"topic": "tax_law"}, "Tax law", "topic = tax_law"),
        ({"tier": 3}, "Tier 3", "tier = 3"),
        ({"tier": "3"}, "3", 'tier = "3"'),
        ({"locale": "fr"}, "Language fr", "Language fr"),
    ],
)
def test_a_group_is_named_in_words(metadata: dict[str, Any], name: str, words: str) -> None:
    (trait,) = traits_of(Row({}, None, None, metadata))
    assert (name_of(trait), trait_words(trait)) == (name, words)
