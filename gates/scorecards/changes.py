"""What a candidate changed, as far as a run keeps it. Pure."""

from collections.abc import Sequence

from gates.scorecards.words import Part, capital, counted, spoken


def serving_changes(candidate: Part) -> list[Part]:
    """The changed components that serve."""
    return [change for change in candidate["changes"] if change["kind"] == "serving"]


def changed_sentence(candidate: Part) -> tuple[str, str]:
    """`One thing changed:` and what it was."""
    if candidate["previous_name"] is None:
        return "Nothing to compare with:", "it is the first release of its route."
    changes = serving_changes(candidate)
    if not changes:
        return "Nothing that serves changed", f"since {candidate['previous_name']}."
    heading = f"{capital(counted(len(changes), 'thing'))} changed:"
    return heading, f"{spoken([_moved(change) for change in changes])}. The rest is as it was."


def version_of(ref: str | None) -> str:
    """`v15` of `templates/legal-qa@v15`, else the ref itself."""
    return (ref or "").rpartition("@")[2]


def _moved(change: Part) -> str:
    before, after = change["before_ref"], change["after_ref"]
    ends = f", from {before} to {after}" if _readable(before) and _readable(after) else ""
    return f"the {change['title']}{ends}"


def _readable(ref: str | None) -> bool:
    return bool(ref) and not str(ref).startswith("sha256:")


def in_words(changes: Sequence[Part]) -> str:
    """The titles of changed components."""
    return spoken([str(change["title"]) for change in changes])
