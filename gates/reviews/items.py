"""What a run left for review, read from its document. Pure.

An item is `slice:<slug>:<question>` or `limit:<metric>`. A sign-off answers reviews and nothing else: a run is lifted
by it only if everything else in it passed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gates.statistics.policies import Outcome

QUESTIONS: Final = ("agreement", "quality", "change")
STANDS_IN_THE_WAY: Final = (Outcome.FAIL, Outcome.INSUFFICIENT)


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer of a run that is no pass: an item with its reasons in words."""

    item: str
    title: str
    verdict: str
    reasons: tuple[str, ...]
    slice: str | None = None


def reviews_in(document: Mapping[str, Any] | None) -> list[Finding]:
    """What a person may sign off, in the document's order."""
    return [finding for finding in _findings(document) if finding.verdict == Outcome.REVIEW]


def blocks_in(document: Mapping[str, Any] | None) -> list[Finding]:
    """What no sign-off lifts: failed or insufficient."""
    return [finding for finding in _findings(document) if finding.verdict in STANDS_IN_THE_WAY]


def is_lifted(document: Mapping[str, Any] | None, signed: Iterable[str]) -> bool:
    """Whether reviews were all that held the run, and all of them are signed."""
    reviews = {finding.item for finding in reviews_in(document)}
    return bool(reviews) and reviews <= set(signed) and not blocks_in(document)


def _findings(document: Mapping[str, Any] | None) -> Iterator[Finding]:
    if document is None:
        return  # not finished: nothing was found yet
    for entry in document["slices"]:
        yield from _of_slice(entry)
    for kind in ("floors", "limits"):
        for entry in document[kind]:
            item = f"{kind.removesuffix('s')}:{entry['metric']}"
            yield Finding(item, entry["metric"].replace("_", " "), entry["verdict"], tuple(entry["reasons"]))


def _of_slice(entry: Mapping[str, Any]) -> Iterator[Finding]:
    slug, name = entry["slice"], entry["name"]
    asked = [question for question in QUESTIONS if entry[question]]
    for question in asked:
        answer = entry[question]
        title = f"{name}: {question}"
        yield Finding(f"slice:{slug}:{question}", title, answer["verdict"], tuple(answer["reasons"]), slug)
    if not asked:
        yield Finding(f"slice:{slug}", name, entry["verdict"], tuple(entry["reasons"]), slug)
