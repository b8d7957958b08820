"""What standing and delivery mean for a rollout, and the sentences that say so."""

import pytest

from releases.deployability import deployability


@pytest.mark.parametrize("standing", ["pass", "overridden"])
def test_a_registered_release_that_passed_or_was_overridden_may_roll(standing: str) -> None:
    state = deployability(standing=standing, delivery="registered")
    assert (state.deployable, state.why_not, state.delivery) == (True, (), "registered")


@pytest.mark.parametrize("standing", ["none", "running", "hold", "fail"])
def test_any_other_standing_stops_it_with_one_reason(standing: str) -> None:
    state = deployability(standing=standing, delivery="registered")
    assert (state.deployable, len(state.why_not)) == (False, 1)


@pytest.mark.parametrize("delivery", ["rolling", "stable", "superseded", "halted", "rolled_back", "archived"])
def test_any_other_delivery_stops_it_whatever_its_standing(delivery: str) -> None:
    state = deployability(standing="pass", delivery=delivery)
    assert (state.deployable, len(state.why_not), state.delivery) == (False, 1, delivery)


def test_a_failed_release_is_shown_as_archived() -> None:
    state = deployability(standing="fail", delivery="registered")
    assert state.delivery == "archived"
    assert "archived" in state.why_not[0]


@pytest.mark.parametrize("delivery", ["halted", "rolled_back", "stable"])
def test_only_a_registered_release_is_archived_by_its_gate(delivery: str) -> None:
    assert deployability(standing="fail", delivery=delivery).delivery == delivery


def test_a_used_override_lets_nothing_more_through() -> None:
    state = deployability(standing="overridden", delivery="registered", override_usable=False)
    assert state.why_not == ("Its override has been used; it covers one rollout.",)


def test_a_pass_needs_no_override() -> None:
    assert deployability(standing="pass", delivery="registered", override_usable=False).deployable
