"""The parts of a rollout's page that need no database: lines, cards, steps, sentences."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from releases.pages.rollout_monitors import cards, policies, table
from releases.pages.rollout_steps import Counted, steps
from releases.pages.rollout_wording import Names, act_words, lede, outlook, short_moment, title
from releases.pages.sparkline import spark
from releases.rollouts.states import State
from tests.releases.pages_roll.scene import look, monitor, verdict
from tests.releases.pure.rollouts.scene import T0, at, begun

NAMES = Names("r2", "r1", "Legal, tax")
LATER = T0 + timedelta(seconds=100)


def readings(*values: float) -> list[tuple[datetime, float]]:
    return [(T0 + timedelta(seconds=10 * number), value) for number, value in enumerate(values)]


def drawn(*values: float, limit: float = 1.2, reference: float = 1.0, above: bool = True) -> Any:
    return spark(readings(*values), reference=reference, limit=limit, above=above, label="p95")


def heights(path: str) -> list[float]:
    return [float(place.split()[1]) for place in path[1:].split("L")]


def test_one_reading_makes_no_line() -> None:
    assert drawn(1.0) is None


def test_what_lies_above_the_limit_is_drawn_above_it() -> None:
    line = drawn(1.0, 1.1, 1.3)
    below, between, over = heights(line.path)
    assert below == float(line.reference_y)
    assert over < float(line.limit_y) < between < below


def test_the_shaded_side_of_a_drop_lies_below_its_limit() -> None:
    line = drawn(0.0, -0.01, limit=-0.05, reference=0.0, above=False)
    assert line.shaded_y == line.limit_y
    assert float(line.shaded_y) + float(line.shaded_height) == pytest.approx(76)


def test_a_spike_stays_within_the_picture_and_flattens_nothing() -> None:
    line = drawn(1.0, 50.0, 1.1)
    quiet, spike, after = heights(line.path)
    assert 4 <= spike < float(line.limit_y)
    assert quiet - after > 5


@pytest.mark.parametrize(
    ("reading", "estimate", "n", "word"),
    [
        ("ok", 1.1, 500, "Within limit"),
        ("hold", 1.1, 50, "Collecting"),
        ("hold", 1.4, 500, "Over its limit"),
        ("hold", None, 0, "Nothing yet"),
        ("breach", 2.0, 500, "Breach"),
    ],
)
def test_a_card_says_how_its_monitor_reads(reading: str, estimate: float | None, n: int, word: str) -> None:
    one = monitor(verdict("errors", reading, estimate=estimate, limit=1.2, n=n), reading=reading)
    assert next(card.word for card in cards(look(errors=one), []) if card.key == "errors") == word


def test_a_card_shows_the_slice_that_lost_most() -> None:
    lost = verdict("quality", "hold", slice="tax", estimate=-0.04, limit=-0.05, op=">=")
    kept = verdict("quality", "hold", slice="licences", estimate=0.01, limit=-0.05, op=">=")
    card = next(each for each in cards(look(quality=monitor(kept, lost, reading="hold")), []) if each.key == "quality")
    assert (card.value, card.foot) == ("−0.04", "worst slice: tax")


def test_a_monitor_without_any_verdict_shows_dashes_and_its_sentence() -> None:
    card = next(each for each in cards(look(quality=monitor(reading="hold")), []) if each.key == "quality")
    assert (card.value, card.limit, card.sentences) == ("–", "–", ("Nothing has been measured yet.",))


def test_readings_of_nothing_are_no_cards() -> None:
    assert cards({}, []) == []
    assert policies({}) == []


def test_the_table_has_at_most_twenty_rows_newest_first() -> None:
    points = [{"at": f"2026-11-21T13:{number:02}:00Z", "requests": number} for number in range(60)]
    rows = table(points)
    assert len(rows) == 20
    assert rows[0][:3] == ("13:59:00", "59", "–")


def test_a_step_of_a_halted_rollout_that_was_never_reached_says_so() -> None:
    halted = at(2).changed(state=State.HALTED)
    words = [step.word for step in steps(halted, [], {2: Counted(T0, 7)}, LATER, None)]
    assert words == ["Promoted", "Halted", "Not reached"]


def test_requests_of_an_earlier_entry_do_not_count_at_the_present_one() -> None:
    now_at = next(
        step for step in steps(at(2), [], {2: Counted(T0 - timedelta(hours=1), 900)}, LATER, None) if step.current
    )
    assert now_at.gauges[1].shown == "0 of 10,000"


def test_a_shadow_comes_before_the_checkpoints() -> None:
    shares = [step.share for step in steps(begun(previous=None), [], {}, LATER, None)]
    assert shares[0] == "Shadow"
    assert len(shares) == 4


def test_the_outlook_names_the_next_share_and_its_time() -> None:
    eta = datetime(2026, 11, 21, 14, 8, 42, tzinfo=UTC)
    assert outlook(at(2), eta, None, T0) == "100\N{NO-BREAK SPACE}% at 14:08:42 UTC if nothing changes."
    assert outlook(at(3), eta, None, T0) == "Complete at 14:08:42 UTC if nothing changes."
    assert "see below" in outlook(at(2), None, None, T0)


def test_a_time_of_another_day_says_which() -> None:
    assert short_moment(T0 + timedelta(days=1), T0) == "22 Nov 13:00"
    assert "on 22 Nov at" in outlook(at(2), T0 + timedelta(days=1), None, T0)


def test_the_lede_names_what_is_not_settled() -> None:
    read = [("p95 latency", "ok"), ("Errors", "hold"), ("Answer quality", "hold")]
    assert lede(at(2), NAMES, read).startswith("Errors and answer quality are not settled yet;")
    assert lede(at(2), NAMES, [(name, "hold") for name, _ in read]).startswith("No monitor is settled yet.")
    assert lede(at(2), NAMES, [(name, "ok") for name, _ in read]).startswith("All monitors are within")


def test_the_lede_of_a_review_says_when_what_it_was_held_for_is_over() -> None:
    waits = at(2).changed(state=State.WAITING_REVIEW, reasons=("p95 was over its limit.",))
    assert lede(waits, NAMES, [("Errors", "hold")]) == "p95 was over its limit."
    assert lede(waits, NAMES, [("Errors", "ok")]).endswith("by now all monitors are within their limits.")
    assert "by now" not in lede(waits.changed(state=State.PAUSED), NAMES, [("Errors", "ok")])


def test_an_aborted_rollout_does_not_claim_where_the_traffic_is() -> None:
    assert "went back" not in title(at(2).changed(state=State.ABORTED), NAMES, T0)
    assert "went back to r1" in title(at(2).changed(state=State.HALTED), NAMES, T0)


def test_an_act_in_shadow_names_no_share_of_live_traffic() -> None:
    assert act_words("paused", 0, 0) == ("hold", "Paused at 0 %, in shadow")
