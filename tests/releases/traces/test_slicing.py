"""The first matching leaf takes a trace; what no slice takes is counted."""

from datetime import timedelta
from typing import Any

import pytest

from gates.models import Slice
from gates.slices.services import create_slice
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from releases.trace_models import Trace
from releases.traces.locales import is_within, locale_of
from releases.traces.prompts import prompt_text
from releases.traces.slicing import Unassigned, share_of_unassigned
from tests.factories import application, route
from tests.releases.traces.samples import NOW, stored, trace_row


def slices(owner: Organization, **rules: Any) -> None:
    """Slices by slug: a rule, or a rule with a parent and an application."""
    for name, rule in rules.items():
        parent, scope, match = rule if isinstance(rule, tuple) else ("", "", rule)
        fields = {"parent": parent or None, "application": scope or None, "match": match}
        create_slice(actor=command_actor(owner), slug=name.replace("_", "-"), **fields)


def slice_of(owner: Organization, **changes: Any) -> str | None:
    """The slice that a row is stored with."""
    number = Trace.objects.filter(organization=owner).count() + 1
    assert stored(owner, trace_row(number, **changes)).accepted == 1
    return Trace.objects.get(organization=owner, trace_id=f"{number:032x}").slice


def test_without_slices_a_trace_belongs_to_none(owner: Organization) -> None:
    assert slice_of(owner) is None


def test_the_first_match_by_slug_takes_a_trace(owner: Organization) -> None:
    slices(owner, b={"metadata": {"domain": "legal"}}, a={"metadata": {"domain": "legal"}})
    assert slice_of(owner) == "a"


def test_every_key_of_a_metadata_rule_must_have_its_value(owner: Organization) -> None:
    slices(owner, pro={"metadata": {"domain": "legal", "tier": "pro"}})
    assert slice_of(owner, metadata={"domain": "legal"}) is None
    assert slice_of(owner, metadata={"domain": "legal", "tier": "pro"}) == "pro"


@pytest.mark.parametrize(
    ("wanted", "found", "matches"),
    [
        (3, 3, True),
        (3, "3", True),
        (1, True, False),
        (True, True, True),
        (True, "true", True),
        (True, 1, False),
        ("3", 3, False),
        ("pro", "PRO", False),
        ("pro", ["pro"], False),
    ],
)
def test_values_of_metadata_are_compared_with_their_kind(
    owner: Organization, wanted: Any, found: Any, matches: bool
) -> None:
    slices(owner, some={"metadata": {"tier": wanted}})
    assert (slice_of(owner, metadata={"tier": found}) == "some") is matches


def test_a_child_takes_a_trace_before_its_parent_and_leaves_it_the_rest(owner: Organization) -> None:
    slices(owner, french={"locale": "fr"}, belgian=("french", "", {"locale": "fr-BE"}))
    assert slice_of(owner, metadata={"locale": "fr-BE"}) == "belgian"
    assert slice_of(owner, metadata={"locale": "fr-CH"}) == "french"
    assert slice_of(owner, metadata={"locale": "nl-BE"}) is None


def test_a_child_takes_nothing_that_its_parent_does_not_match(owner: Organization) -> None:
    slices(owner, french={"locale": "fr"}, gold=("french", "", {"metadata": {"tier": "gold"}}))
    assert slice_of(owner, metadata={"locale": "de", "tier": "gold"}) is None
    assert slice_of(owner, metadata={"locale": "fr", "tier": "gold"}) == "gold"


def test_a_parent_without_a_rule_only_groups(owner: Organization) -> None:
    slices(owner, languages=None, french=("languages", "", {"locale": "fr"}))
    assert slice_of(owner, metadata={"locale": "fr"}) == "french"
    assert slice_of(owner, metadata={"locale": "de"}) is None


def test_a_branch_that_takes_nothing_leaves_the_trace_to_the_next(owner: Organization) -> None:
    slices(owner, a=None, leaf=("a", "", {"locale": "fr"}), b={"metadata": {"domain": "legal"}})
    assert slice_of(owner, metadata={"domain": "legal", "locale": "de"}) == "b"


def test_a_slice_of_one_application_takes_traces_of_its_routes_only(owner: Organization) -> None:
    mine, others = application(owner, "legal-assistant"), application(owner, "tax-assistant")
    own, strange = route(mine, domain="contracts"), route(others, domain="tax")
    slices(owner, legal=("", "legal-assistant", {"metadata": {"domain": "legal"}}))
    assert slice_of(owner, route=own.pk) == "legal"
    assert slice_of(owner, route=strange.pk) is None
    assert slice_of(owner, route=None) is None


def test_a_pattern_is_looked_for_in_what_the_user_asked_last(owner: Organization) -> None:
    slices(owner, patents={"pattern": "[Pp]atent"})
    asked = [{"role": "user", "content": "A patent?"}, {"role": "assistant", "content": "?"}]
    assert slice_of(owner, input={"messages": [*asked, {"role": "user", "content": "No, a trade mark."}]}) is None
    assert slice_of(owner, input={"messages": asked}) == "patents"
    assert slice_of(owner, input="Is it a Patent?") == "patents"


def test_a_judge_that_classifies_is_not_asked(owner: Organization) -> None:
    slices(owner, judged={"judge": "external:classifier@1"}, rest={"metadata": {"domain": "legal"}})
    assert slice_of(owner) == "rest"


def test_slices_of_another_organization_take_nothing(owner: Organization, other: Organization) -> None:
    slices(other, all={"metadata": {"domain": "legal"}})
    assert slice_of(owner) is None


def test_a_change_of_slices_counts_after_two_seconds(owner: Organization) -> None:
    assert slice_of(owner) is None
    slices(owner, legal={"metadata": {"domain": "legal"}})
    just, later = NOW + timedelta(seconds=1.9), NOW + timedelta(seconds=2)
    stored(owner, trace_row(8), now=just)
    stored(owner, trace_row(9), now=later)
    found = dict(Trace.objects.filter(organization=owner).values_list("trace_id", "slice"))
    assert [found[f"{number:032x}"] for number in (8, 9)] == [None, "legal"]


def test_the_share_without_a_slice_is_counted_by_route_and_time(owner: Organization) -> None:
    slices(owner, legal={"metadata": {"domain": "legal"}})
    old = (NOW - timedelta(hours=2)).isoformat()
    stored(
        owner,
        trace_row(1),
        trace_row(2, metadata={}),
        trace_row(3, metadata={}, arm=None),
        trace_row(4, metadata={}, arm="shadow"),
        trace_row(5, metadata={}, started_at=old),
        trace_row(6, metadata={}, route="rte_2"),
    )
    since = NOW - timedelta(hours=1)
    assert share_of_unassigned(owner, "rte_1", since) == Unassigned(2, 3)
    assert share_of_unassigned(owner, None, since) == Unassigned(3, 4)
    assert share_of_unassigned(owner, None, since).share == 0.75


def test_without_traces_there_is_no_share(owner: Organization) -> None:
    assert share_of_unassigned(owner, "rte_1", NOW).share is None


def test_a_slice_that_was_made_is_the_one_of_the_registry(owner: Organization) -> None:
    slices(owner, legal={"metadata": {"domain": "legal"}})
    assert Slice.objects.filter(organization=owner, slug=slice_of(owner) or "").exists()


@pytest.mark.parametrize(
    ("metadata", "tag"),
    [
        ({}, ""),
        ({"locale": "fr_BE"}, "fr-be"),
        ({"locale": 5}, ""),
        ({"locale": " ", "accept-language": "nl"}, "nl"),
        ({"locale": "de", "accept-language": "nl"}, "de"),
        ({"accept-language": "en;q=0.8, fr-BE, *"}, "fr-be"),
        ({"accept-language": "en, fr"}, "en"),
        ({"accept-language": "en;q=0, fr;q=0.1"}, "fr"),
        ({"accept-language": "en;q=many"}, ""),
        ({"Accept-Language": "fr"}, "fr"),
    ],
)
def test_the_language_of_a_trace(metadata: dict[str, object], tag: str) -> None:
    assert locale_of(metadata) == tag


def test_a_language_is_within_another_by_whole_subtags() -> None:
    assert is_within("fr-be", "fr")
    assert is_within("fr", "fr")
    assert not is_within("frr", "fr")
    assert not is_within("fr", "fr-be")


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        (None, ""),
        ("plain", "plain"),
        ({}, ""),
        ({"messages": "none"}, ""),
        ({"messages": [5, {"role": "user"}]}, ""),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"text": "b"}, {"text": 5}]}]},
            "a\nb",
        ),
    ],
)
def test_what_was_asked_is_found_in_every_shape(prompt: Any, text: str) -> None:
    assert prompt_text(prompt) == text
