"""Who judges which case of a run: the judge of its slice, or of the nearest slice above that has one."""

from gates.judges import judge_named
from gates.models import Judge, Slice
from gates.run_models import GateRun


def judges_of_run(run: GateRun) -> dict[str, Judge]:
    """The pinned judges by slice; a judge never changes, so its name means what was pinned."""
    names = {pinned["slug"]: pinned["judge"] for pinned in run.slices if pinned["slug"] in run.judges}
    known = {name: judge_named(run.organization, name) for name in sorted(set(names.values()))}
    return {slug: known[name] for slug, name in names.items()}


def judged_leaves(run: GateRun) -> dict[str, str]:
    """For each slice with cases of its own the slice whose judge scores them; without those that nobody judges."""
    parents = dict(Slice.objects.filter(organization=run.organization).values_list("slug", "parent__slug"))
    found: dict[str, str] = {}
    for leaf in run.suite.slice_counts:
        above: str | None = leaf
        while above is not None and above not in run.judges:
            above = parents.get(above)
        if above is not None:
            found[leaf] = above
    return found
