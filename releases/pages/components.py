"""What a release is made of, as rows: each component with its name and its value, and what it was before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.bundle.canonical import canonical_bytes
from relcontrol.bundle.changes import field_difference
from relcontrol.bundle.components import MEASURING, SERVING, TITLES, component_value
from relcontrol.web.word_differences import Run, word_differences
from releases.artifact_selectors import IDENTITY_DIGEST
from releases.models import Release
from releases.selectors import ComponentDifference, component_diff, manifest_of

DIGEST: Final = "sha256:"
MAX_LINES: Final = 2_000  # longer texts are not compared in a page: the comparison is quadratic
NOTHING_DONE: Final = "none: the input goes through as it is"


@dataclass(frozen=True, slots=True)
class ComponentRow:
    """A component in a table: the name it was given, its digest or its own value."""

    title: str
    kind: str
    ref: str
    digest: str
    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A component that differs, ready to be shown: by words or lines where it has texts, else by its values."""

    change: ComponentDifference
    acknowledged: bool
    before: str
    after: str
    words: list[Run] | None
    too_long: bool


def component_rows(release: Release, manifest: Mapping[str, Any]) -> Iterator[ComponentRow]:
    """Every component that is set, those that serve first."""
    changed = {change["component"] for change in release.changes}
    for kind, names in (("serving", SERVING), ("measuring", MEASURING)):
        for name in names:
            value = component_value(dict(manifest), name)
            if not _is_set(value):
                continue
            digest = value if isinstance(value, str) and value.startswith(DIGEST) else ""
            text = "" if digest else spelled(value)
            ref = NOTHING_DONE if digest == IDENTITY_DIGEST else release.refs.get(name, "")
            yield ComponentRow(TITLES[name], kind, "" if ref == digest else ref, digest, text, name in changed)


def differences(release: Release, against: Release | None, *, by_words: bool) -> list[Difference]:
    """What `release` changes against another."""
    acknowledged = set(manifest_of(release)["acknowledged_changes"])
    return [
        _difference(change, change.component in acknowledged, by_words=by_words)
        for change in component_diff(release, against)
    ]


def pointers(release: Release, against: Release | None) -> list[dict[str, str]]:
    """The manifests' differences as JSON pointers, each with both values as canonical JSON."""
    if against is None:
        return []
    found = field_difference(manifest_of(against), manifest_of(release))
    return [{"field": row["field"], "before": _json(row["expected"]), "after": _json(row["got"])} for row in found]


def spelled(value: Any) -> str:
    """A value of a manifest as one line: `temperature = 0.2 · max_tokens = 512`."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return " · ".join(f"{key} = {_plain(part)}" for key, part in value.items() if part is not None) or "not set"
    return "not set" if value is None else _json(value)


def _difference(change: ComponentDifference, acknowledged: bool, *, by_words: bool) -> Difference:
    before, after = change.before_text or "", change.after_text or ""
    too_long = max(before.count("\n"), after.count("\n")) > MAX_LINES
    has_texts = change.before_text is not None and change.after_text is not None
    return Difference(
        change=change,
        acknowledged=acknowledged,
        before=change.before_ref or spelled(change.before),
        after=change.after_ref or spelled(change.after),
        words=word_differences(before, after) if by_words and has_texts else None,
        too_long=too_long,
    )


def _is_set(value: Any) -> bool:
    if isinstance(value, dict):
        return any(part is not None for part in value.values())
    return value is not None


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return canonical_bytes(value).decode()
