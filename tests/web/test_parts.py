"""Parts render what they are given, escaped."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.template import engines
from django.test import RequestFactory

from tests.web.kitchen_sink import AT, DIGEST, chart

NASTY = "<script>alert('x')</script>\"&"


def render(source: str, **context: Any) -> str:
    return str(engines["django"].from_string(source).render(context, RequestFactory().get("/list?q=r1&cursor=old")))


@pytest.mark.parametrize(
    "source",
    [
        '{% status "pass" nasty %}',
        '{% glyph "fail" nasty %}',
        "{% sha nasty name=nasty href=nasty %}",
        "{% copy_button nasty nasty %}",
        "{% facts rows %}",
        "{% progress 1 2 nasty nasty %}",
        "{% pager nasty 3 nasty %}",
        "{% diff nasty before nasty nasty %}",
        "{% json_view value nasty %}",
        "{% page_head title=nasty lede=nasty crumbs=rows meta=nasty %}{{ nasty }}{% endpage_head %}",
        '{% empty_state kind="first-use" title=nasty command=nasty clear_url=nasty %}{{ nasty }}{% endempty_state %}',
        "{% live name=nasty url=nasty seq=1 announce=nasty %}{{ nasty }}{% endlive %}",
        "{% dangerous action=nasty typed=nasty button=nasty recorded=nasty %}{{ nasty }}{% enddangerous %}",
        '{% include "parts/not_allowed.html" with reason=nasty %}',
    ],
)
def test_no_part_lets_markup_through(source: str) -> None:
    html = render(source, nasty=NASTY, rows=[(NASTY, NASTY)], before="before", value={NASTY: [NASTY]})
    assert "alert" in html
    assert "<script" not in html
    assert "&lt;script" in html or "%3Cscript" in html


def test_a_figure_carries_its_words_as_inert_json() -> None:
    html = render("{% figure chart %}", chart=chart())
    payload = re.search(r'<script id="forest-data" type="application/json">(.*?)</script>', html)
    assert payload is not None
    assert json.loads(payload[1])["layout"]["template"] is None


def test_a_status_is_a_word_a_glyph_and_a_shape() -> None:
    html = render('{% status "override" "Overridden" %}')
    assert "Overridden" in html
    assert "#s-over" in html


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(KeyError):
        render('{% status "fine" %}')


def test_a_digest_shows_twelve_characters_and_copies_all() -> None:
    html = render('{% sha digest name="manifest" %}', digest=DIGEST)
    assert f">{DIGEST[:12]}<" in html
    assert f'title="{DIGEST}"' in html
    assert f'data-copy="{DIGEST}"' in html


def test_a_time_is_relative_with_the_absolute_in_its_title() -> None:
    html = render("{% when at %}", at=AT, now=AT + timedelta(minutes=38))
    assert 'title="20 Nov 2026, 13:27:52 UTC" data-relative>38 min ago<' in html


def test_on_audit_pages_the_absolute_time_stands_first() -> None:
    html = render("{% when at absolute=True %}", at=AT, now=AT + timedelta(hours=2))
    assert 'title="2 h ago">2026-11-20 13:27:52 UTC<' in html


def test_a_full_stop_may_follow_a_part_within_a_sentence() -> None:
    html = render('By Mara, {% when at %}. It is {% status "pass" %}. See {% sha digest %}.', at=AT, digest=DIGEST)
    assert "</time>. It" in html
    assert html.count("</span>.") == 2


def test_a_time_that_is_not_there_is_said() -> None:
    assert ">never<" in render("{% when None %}")


def test_the_pager_keeps_the_filters() -> None:
    html = render('{% pager "next" 25 "releases" %}')
    assert 'href="?q=r1&amp;cursor=next"' in html
    assert 'href="?q=r1"' in html


def test_without_more_rows_there_is_no_pager() -> None:
    source = engines["django"].from_string("{% pager None 2 %}")
    assert source.render({}, RequestFactory().get("/list")).strip() == ""


def test_each_empty_state_has_its_way_out() -> None:
    first = render('{% empty_state kind="first-use" title="None" command="curl -X POST" %}x{% endempty_state %}')
    assert 'data-copy="curl -X POST"' in first
    none_fit = render('{% empty_state kind="no-match" title="None" clear_url="/list" %}x{% endempty_state %}')
    assert 'href="/list"' in none_fit


def test_a_live_part_asks_with_its_number_and_the_final_one_does_not_ask() -> None:
    source = '{% live name="job" url="/job?a=1" seq=7 final=done %}x{% endlive %}'
    assert 'hx-get="/job?a=1&amp;seq=7"' in render(source, done=False)
    assert "hx-" not in render(source, done=True)


def test_keys_of_json_are_marked() -> None:
    html = render("{% json_view value %}", value={"event": "gate.failed"})
    assert '<span class="k">&quot;event&quot;</span>: &quot;gate.failed&quot;' in html


def test_a_finished_progress_is_marked() -> None:
    assert 'class="done"' in render('{% progress 3 3 "Rows" %}')
    assert 'class="done"' not in render('{% progress 0 0 "Rows" %}')
