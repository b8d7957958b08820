"""The vocabulary of events."""

import pytest

from audit import verify
from audit.events import ALIASES, Event, resolve


def test_the_verifier_knows_exactly_the_events_that_can_be_written() -> None:
    assert {event.value for event in Event} == verify.EVENTS


@pytest.mark.parametrize("event", Event)
def test_a_dotted_name_resolves_to_its_event(event: Event) -> None:
    assert resolve(event.value) is event


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("register", "release.registered"),
        ("gate-pass", "gate.passed"),
        ("gate-fail", "gate.failed"),
        ("gate-override", "gate.overridden"),
        ("checkpoint-promote", "checkpoint.promoted"),
        ("checkpoint-hold", "checkpoint.held"),
        ("auto-rollback", "rollback.auto"),
        ("manual-rollback", "rollback.manual"),
    ],
)
def test_the_seeds_words_resolve_too(word: str, name: str) -> None:
    assert resolve(word) == name


def test_there_is_no_alias_that_is_not_listed() -> None:
    assert len(ALIASES) == 8


def test_an_unknown_word_is_refused_with_what_to_use() -> None:
    with pytest.raises(ValueError, match=r"release\.registered"):
        resolve("deploy")


def test_the_family_is_the_word_before_the_dot() -> None:
    assert Event.DESIRED_STATE_RECONCILED.family == "desired_state"
