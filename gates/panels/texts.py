"""The texts that a rater sees of an answer: the input, the answer and the reference. Nothing else leaves here.

Texts of live traces are sealed under their subjects' keys, which are `releases`' own; it registers here how they are
opened. An answer whose subject was erased is gone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gates.panel_models import PanelItem


@dataclass(frozen=True, slots=True)
class ItemTexts:
    """What is graded. `gone` where it cannot be opened any more."""

    input: str
    output: str
    reference: str | None = None
    gone: bool = False


GONE = ItemTexts("", "", gone=True)

# Of an organization's id and (subject, sealed) pairs, in their order; None for what cannot be opened any more.
Opener = Callable[[str, Sequence[tuple[bytes, bytes]]], Sequence[ItemTexts | None]]
_OPENERS: list[Opener] = []


def register_opener(opener: Opener) -> None:
    """Say how sealed texts are opened; called once, when the program starts."""
    _OPENERS[:] = [opener]


def texts_of(item: PanelItem) -> ItemTexts:
    """What a rater sees of one answer."""
    return texts_of_many([item])[0]


def texts_of_many(items: Sequence[PanelItem]) -> list[ItemTexts]:
    """The same for many answers of one organization, opened together. Read the items `with_texts`."""
    sealed = [item for item in items if item.sealed is not None]
    opened = dict(zip((item.pk for item in sealed), _opened(sealed), strict=True))
    return [opened[item.pk] or GONE if item.pk in opened else _plain(item) for item in items]


def _opened(items: Sequence[PanelItem]) -> Sequence[ItemTexts | None]:
    if not items or not _OPENERS:
        return [None] * len(items)
    pairs = [(bytes(item.subject or b""), bytes(item.sealed or b"")) for item in items]
    return _OPENERS[0](items[0].panel.organization_id, pairs)


def _plain(item: PanelItem) -> ItemTexts:
    """An answer of a suite or a run; a live one that is not sealed any more was erased, or has expired."""
    case = item.case
    return GONE if case is None else ItemTexts(case.input, item.output, case.reference)
