"""Figures travel as plain data with tokens for colours."""

import pytest

from relcontrol.web.charts import Chart, chart_payload, token
from tests.web.kitchen_sink import chart, forest


def test_a_figure_has_no_template_and_a_clear_ground() -> None:
    layout = chart_payload(forest())["layout"]
    assert layout["template"] is None
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"


def test_colours_stay_tokens_until_they_are_drawn() -> None:
    assert chart_payload(forest())["data"][0]["line"]["color"] == "var(--fail)"


def test_a_chart_for_a_phone_travels_beside_the_wide_one() -> None:
    assert chart().payload["narrow"]["layout"]["yaxis"]["showticklabels"] is False


def test_a_chart_without_one_is_the_same_everywhere() -> None:
    assert "narrow" not in Chart("a", {"data": []}, "Nothing.", ("A",), ()).payload


def test_a_colour_that_is_no_token_is_refused() -> None:
    with pytest.raises(ValueError, match="no colour token"):
        token("red")
