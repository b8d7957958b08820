"""The parts that pages are built of, as tags; their HTML is in `templates/parts/`. Everything is autoescaped.

A part that the design does not know (a status, an icon) is a programmer's error and raises.
"""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from relcontrol import clock
from relcontrol.web import words
from relcontrol.web.charts import Chart
from relcontrol.web.differences import line_differences

register = template.Library()

# kind -> (class of app.css, glyph of the sprite, the word where none is given)
STATUS = {
    "pass": ("pass", "s-pass", "Passed"),
    "fail": ("fail", "s-fail", "Failed"),
    "hold": ("hold", "s-hold", "Hold"),
    "running": ("info", "s-run", "Running"),
    "skip": ("skip", "s-skip", "Not checked"),
    "override": ("over", "s-over", "Override"),
}
EMPTY = {"first-use": "rocket", "no-match": "search", "not-yet": "clock"}
MESSAGE_GLYPHS = {"success": "pass", "warning": "hold", "error": "fail", "info": "running", "debug": "skip"}
SHORT_SHA = 12
JSON_KEY = re.compile(r'^(\s*)("(?:[^"\\]|\\.)*")(: .*)$')

register.filter("number", lambda value, decimals=0: words.number(_decimal(value), int(decimals)))
register.filter("signed", lambda value, decimals=2: words.signed(_decimal(value), int(decimals)))
register.filter("percent", lambda value, decimals=0: words.percent(_decimal(value), int(decimals)))
register.filter("size", lambda value: words.size(int(value)))


def _inline(template_name: str, parts: dict[str, Any]) -> SafeString:
    """A part that stands within a sentence: without white space around it, so that a full stop may follow."""
    return mark_safe(render_to_string(template_name, parts).strip())  # noqa: S308 - the template has escaped it


def _decimal(value: object) -> Decimal:
    return Decimal(str(value))


@register.simple_tag
def icon(name: str, css: str = "ico") -> SafeString:
    """An icon of the sprite, hidden from screen readers: words stand beside it or in a label."""
    return format_html('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>', css, name)


@register.simple_tag
def glyph(kind: str, word: str = "") -> SafeString:
    """A status glyph alone, where the sentence beside it says the verdict; `word` is for screen readers."""
    css, symbol, _ = STATUS[kind]
    spoken = format_html('<span class="visually-hidden">{}</span>', word) if word else ""
    return format_html('<svg class="glyph {}" aria-hidden="true"><use href="#{}"/></svg>{}', css, symbol, spoken)


@register.simple_tag
def message_glyph(level: str) -> SafeString:
    """The glyph for a message of django.contrib.messages."""
    return glyph(MESSAGE_GLYPHS[level])


@register.simple_tag
def status(kind: str, word: str = "", *, large: bool = False) -> SafeString:
    """A status: a word, a glyph and a shape, never colour alone."""
    css, symbol, default = STATUS[kind]
    return _inline("parts/status.html", {"css": css, "symbol": symbol, "word": word or default, "large": large})


@register.simple_tag
def sha(digest: str, name: str = "digest", href: str = "", length: int = SHORT_SHA) -> SafeString:
    """A digest: twelve characters, the whole in the title and in what the copy button copies."""
    short = digest[:length]
    return _inline("parts/sha.html", {"digest": digest, "short": short, "copied": f"{name} {short}", "href": href})


@register.inclusion_tag("parts/copy.html")
def copy_button(text: str, name: str) -> dict[str, Any]:
    """A button that copies and says so."""
    return {"text": text, "name": name}


@register.simple_tag(takes_context=True)
def when(context: Context, at: datetime | None, *, absolute: bool = False, missing: str = "never") -> SafeString:
    """A time: relative with the absolute in its title, or absolute first (audit pages)."""
    if at is None:
        return _inline("parts/when.html", {"missing": missing})
    now = context.get("now") or clock.now()
    shown = {"relative": words.relative(at, now), "long": words.long_time(at), "audit": words.audit_time(at)}
    return _inline("parts/when.html", shown | {"iso": words.iso_time(at), "absolute": absolute})


@register.inclusion_tag("parts/facts.html")
def facts(rows: Iterable[tuple[str, object]]) -> dict[str, Any]:
    """A list of facts: label and value."""
    return {"rows": rows}


@register.inclusion_tag("parts/progress.html")
def progress(done: int, of: int, label: str, unit: str = "") -> dict[str, Any]:
    """How far a long work is: `1,204 of 10,000 rows`; `unit` names what is counted."""
    return {"done": done, "of": of, "label": label, "unit": unit, "finished": of > 0 and done >= of}


@register.inclusion_tag("parts/pager.html", takes_context=True)
def pager(context: Context, next_cursor: str | None, shown: int, noun: str = "rows") -> dict[str, Any]:
    """Older rows by cursor and back to the newest; filters stay in the address."""
    request = context["request"]
    return {
        "request": request,
        "next_cursor": next_cursor,
        "shown": shown,
        "noun": noun,
        "paged": "cursor" in request.GET,
    }


@register.inclusion_tag("parts/figure.html")
def figure(chart: Chart) -> dict[str, Any]:
    """A chart: the finding as its caption, key, plot and the same rows as a table."""
    return {"chart": chart, "data_id": f"{chart.id}-data", "caption_id": f"{chart.id}-caption"}


@register.inclusion_tag("parts/diff.html")
def diff(before: str, after: str, before_name: str = "before", after_name: str = "after") -> dict[str, Any]:
    """A visual line difference of two texts."""
    lines = line_differences(before, after)
    return {"lines": lines, "before_name": before_name, "after_name": after_name, "equal": before == after}


@register.inclusion_tag("parts/json.html")
def json_view(value: object, label: str = "JSON") -> dict[str, Any]:
    """JSON for reading: indented, keys marked. A string is taken for JSON text."""
    parsed = json.loads(value) if isinstance(value, str) else value
    text = json.dumps(parsed, indent=2, ensure_ascii=False, default=str)
    return {"markup": format_html_join("\n", "{}", ((_json_line(line),) for line in text.split("\n"))), "label": label}


def _json_line(line: str) -> SafeString | str:
    match = JSON_KEY.match(line)
    return format_html('{}<span class="k">{}</span>{}', *match.groups()) if match else line


@register.simple_block_tag
def capture(content: str) -> str:
    """HTML kept under a name for a part with several places: `{% capture as meta %}…{% endcapture %}`."""
    return content


@register.simple_block_tag
def page_head(
    content: str,
    title: str,
    lede: str = "",
    crumbs: Sequence[tuple[str, str | None]] = (),
    meta: str = "",
) -> str:
    """The head of a page: crumbs, meta line, verdict and lede; the block is the actions."""
    parts = {"title": title, "lede": lede, "crumbs": crumbs, "meta": meta, "actions": content.strip() and content}
    return render_to_string("parts/page_head.html", parts)


@register.simple_block_tag
def empty_state(content: str, kind: str, title: str, command: str = "", clear_url: str = "") -> str:
    """An empty state: `first-use` with the command to run, `no-match` with a way out, `not-yet` saying for what."""
    parts = {"icon_name": EMPTY[kind], "kind": kind, "title": title, "command": command, "clear_url": clear_url}
    return render_to_string("parts/empty.html", parts | {"content": content})


@register.simple_block_tag(takes_context=True)
def live(
    context: Context,
    content: str,
    name: str,
    url: str,
    seq: int,
    *,
    final: bool = False,
    announce: str = "",
    every: int = 3,
) -> str:
    """A part that renews itself every few seconds until it is final (relcontrol.web.polling). `name` is its id."""
    poll_url = f"{url}{'&' if '?' in url else '?'}seq={int(seq)}"
    parts = {"name": name, "poll_url": poll_url, "final": final, "announce": announce, "every": every}
    return render_to_string("parts/live.html", parts | {"content": content, "now": context.get("now") or clock.now()})


@register.simple_block_tag(takes_context=True)
def dangerous(
    context: Context, content: str, action: str, typed: str, button: str, recorded: str, form: Any = None
) -> str:
    """A dangerous act: the block says what follows, `recorded` what the receipt will say, `typed` what to type."""
    parts = {"action": action, "typed": typed, "button": button, "recorded": recorded, "form": form, "content": content}
    return render_to_string("parts/dangerous.html", parts, request=context.get("request"))
