"""The forest plot: what is in the picture, and that nothing a person wrote becomes markup in it."""

import json
from typing import Any

import pytest

from gates.pages.runs.forest import SHOWN, caption, forest
from relcontrol.web.charts import Chart
from tests.gates.runs.documents import COLLAPSE, document, passing, slice_part, unjudged


def drawn(found: dict[str, Any], previous: str | None = "r127") -> Chart:
    chart = forest(found, previous=previous)
    assert chart is not None
    return chart


def texts(figure: Any) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def test_every_slice_has_its_name_estimate_and_number_of_answers() -> None:
    said = texts(drawn(document()).payload)
    for words in ("IP licensing", "0.41", "n 84 · own grades", "threshold 0.65", "threshold 0.60", "−0.27 since r127"):
        assert words in said


def test_only_what_fails_is_an_octagon() -> None:
    marks = [mark for mark in drawn(document()).payload["data"] if mark["mode"] == "markers"]
    octagons = [mark["x"] for mark in marks if mark["marker"]["symbol"] == "octagon"]
    assert octagons == [[0.41]]


def test_a_phone_gets_agreement_alone() -> None:
    payload = drawn(document()).payload
    assert {"xaxis2", "xaxis3"} <= payload["layout"].keys()
    assert not {"xaxis2", "xaxis3"} & payload["narrow"]["layout"].keys()


def test_a_name_is_never_markup() -> None:
    part = slice_part("x", ("<b onclick=x>&%{x}", *COLLAPSE["ip-licensing"][1:]))
    assert "<b" not in json.dumps(drawn(document([part])).payload)


def test_the_worst_are_shown_of_many_and_the_caption_says_so() -> None:
    found = document([slice_part(f"s{number}", COLLAPSE["contract-drafting"]) for number in range(1_000)])
    chart = drawn(found)
    assert sum("own grades" in text for text in texts(chart.payload)) == SHOWN
    assert chart.caption == f"No slice fails. The chart shows the worst {SHOWN} of 1,000."


def test_what_lies_below_the_usual_axis_widens_it() -> None:
    part = slice_part("x", ("FEQA", -0.4, 84, 0.5, None, None))
    low, high = drawn(document([part]), None).payload["layout"]["xaxis"]["range"]
    assert low <= -0.56 < high == 1.0


@pytest.mark.parametrize(("mean", "ends"), [(0.3, [0.25, 0.35]), (0.02, [0.0, 0.05])])
def test_the_axis_of_quality_begins_at_nothing_where_it_goes_low(mean: float, ends: list[float]) -> None:
    part = slice_part("x", ("FEQA", 0.7, 84, 0.5, 0.7, None))
    part["quality"] |= {"mean": mean, "ci90": ends, "floor": mean}
    found = drawn(document([part])).payload["layout"]["xaxis2"]
    assert (found["range"], found["tickvals"]) == ([0.0, 1.0], [0.0, 0.5, 1.0])


def test_a_slice_that_cannot_be_judged_keeps_its_row() -> None:
    assert "cannot be judged" in texts(drawn(document([unjudged("case-summarization")])).payload)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            document(),
            (
                "The whole 90 % interval of IP licensing, 0.24 to 0.56, lies left of its threshold of 0.65. Every "
                "other slice is at or right of its own."
            ),
        ),
        (passing(), "No slice fails."),
        (
            document([slice_part("x", ("X", 0.6, 40, 0.65, None, None))]),
            "The estimate of X, 0.60, lies left of its threshold of 0.65.",
        ),
    ],
)
def test_the_caption_is_the_finding(found: dict[str, Any], said: str) -> None:
    assert caption(found) == said
