"""The scorecard in Markdown, for pull requests and `$GITHUB_STEP_SUMMARY`. Pure.

Names and reasons are texts that people wrote: nothing in them becomes markup, a link or a mention, and no cell breaks
its table. Long runs are cut where GitHub would cut them, and the scorecard says so.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gates.scorecards.card import Card
from gates.scorecards.headline import headline
from gates.scorecards.words import (
    NONE,
    OUTCOME_WORDS,
    VERDICT_WORDS,
    Part,
    beside,
    interval,
    limit_beside,
    limit_text,
    measured,
    metric_title,
    points,
)
from gates.statistics.limits import shown_change

MARKS: Final = {
    "gate_pass": "✅",
    "gate_hold": "⚠️",
    "gate_fail": "❌",
    "pass": "✅",
    "review": "⚠️",
    "insufficient": "⚠️",
    "fail": "❌",
    "not_measured": "⏭️",
}
SLICES_SHOWN: Final = 200
REASONS_SHOWN: Final = 40
CASES_SHOWN: Final = 10
LONGEST_CELL: Final = 200
LONGEST_REASON: Final = 1_000
SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|~$-])")
SPACE: Final = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def markdown(card: Card) -> str:
    """The whole scorecard."""
    document = card.document
    told = headline(document, release=card.release, dry_run=card.dry_run)
    heading = f"{MARKS[document['verdict']]} {VERDICT_WORDS[document['verdict']]}"
    blocks = [
        f"## {heading}: {plain(card.application)} {plain(card.release)}",
        f"**{plain(told.finding)} {told.consequence}** {plain(told.lede)}",
        *_slices(document["slices"]),
        *_why(document),
        *_conditions([*document["floors"], *document["limits"]]),
        *_cases(document["cases"]),
        "\n".join(_facts(card)),
    ]
    return "\n\n".join(blocks) + "\n"


def plain(text: str, longest: int = LONGEST_REASON) -> str:
    """A text as it is read: one line, no markup, no HTML, no mention, no link."""
    line = SPACE.sub(" ", text).strip()
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    escaped = SPECIAL.sub(r"\\\1", line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return escaped.replace("@", "&#64;").replace("://", "&#58;//").replace("www.", "www&#46;")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _slices(slices: Sequence[Part]) -> Iterator[str]:
    if not slices:
        return
    head = ("Slice", "Verdict", "Agreement ρ", "Quality", "Change", "Answers")
    yield _table(head, [_slice(part) for part in slices[:SLICES_SHOWN]])
    if len(slices) > SLICES_SHOWN:
        yield f"{len(slices) - SLICES_SHOWN:,} more slices follow in the gate run; those above are the worst."


def _slice(part: Part) -> list[str]:
    name, verdict = plain(part["name"], LONGEST_CELL), _verdict(part["verdict"])
    agreement, quality, change = part["agreement"], part["quality"], part["change"]
    if agreement is None:
        return [name, verdict, NONE, NONE, NONE, "0"]
    return [
        name,
        f"{verdict}, {part['evidence']}" if part["evidence"] != "none" else verdict,
        _limited(agreement["rho"], agreement["ci90"], agreement["threshold"], agreement["verdict"]),
        _limited(quality["mean"], quality["ci90"], quality["floor"], quality["verdict"]),
        _moved(change),
        f"{agreement['n']:,}",
    ]


def _verdict(outcome: str) -> str:
    return f"{MARKS[outcome]} {OUTCOME_WORDS[outcome]}"


def _limited(value: float | None, ends: Sequence[float | None] | None, limit: float | None, outcome: str) -> str:
    if value is None:
        return _verdict(outcome)
    span = f" ({interval(ends, limit)})" if ends else ""
    against = f" of {limit_beside(limit, value)}" if limit is not None else ""
    return f"{MARKS[outcome]} {beside(value, limit)}{against}{span}"


def _moved(change: Part) -> str:
    if change["mean_difference"] is None:
        return _verdict(change["verdict"])
    return f"{MARKS[change['verdict']]} {shown_change(change['mean_difference'])}"


def _why(document: Part) -> Iterator[str]:
    reasons = document["reasons"]
    lines = [f"- {plain(reason)}" for reason in reasons[:REASONS_SHOWN]]
    if len(reasons) > REASONS_SHOWN:
        lines.append(f"- and {len(reasons) - REASONS_SHOWN:,} more in the gate run")
    if lines:
        yield "\n".join(["### Why", "", *lines])


def _conditions(rows: Sequence[Part]) -> Iterator[str]:
    if rows:
        cells = [_condition(row) for row in rows[:SLICES_SHOWN]]
        yield "### Floors and limits\n\n" + _table(("Metric", "Verdict", "Measured", "Limit"), cells)


def _condition(row: Part) -> list[str]:
    metric = row["metric"]
    limit = f"at least {limit_text(row['floor'])}" if "floor" in row else plain(measured(row["limit"], metric), 40)
    value = beside(row["value"], row["floor"]) if "floor" in row else plain(measured(row["value"], metric), 40)
    return [plain(metric_title(metric), LONGEST_CELL), _verdict(row["verdict"]), value, limit]


def _cases(cases: Part) -> Iterator[str]:
    flagged = cases["flagged"][:CASES_SHOWN]
    if not flagged:
        return
    rows = [
        (
            plain(case["case_id"], LONGEST_CELL),
            plain(case["slice"], LONGEST_CELL),
            points(case["previous_score"]),
            points(case["score"]),
            f"\N{MINUS SIGN}{points(case['drop'])}",
        )
        for case in flagged
    ]
    count = cases["flagged_count"]
    yield (
        f"### Answers that got worse: {count:,}\n\n"
        f"The {len(rows)} with the largest drop, in points of 100.\n\n"
        f"{_table(('Case', 'Slice', 'Before', 'Now', 'Change'), rows)}"
    )


def _facts(card: Card) -> Iterator[str]:
    against = f", against {plain(card.previous)}" if card.previous else ", a cold start"
    yield f"[Gate run {card.number}]({card.link}) on suite {plain(card.suite, LONGEST_CELL)}{against}.  "
    yield f"Manifest `{card.manifest_sha256}`  "
    yield f"Gate run `{card.gate_run_sha256}`" + ("  " if card.receipt_hash else "")
    if card.receipt_hash:
        yield f"Receipt `{card.receipt_hash}`"
