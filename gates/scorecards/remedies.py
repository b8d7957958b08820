"""What it would take for a held or failed run to pass: the question that comes after why. Pure.

Slices come worst first, so that the first remedies mend the worst. More than a person reads at once is counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from gates.scorecards.changes import serving_changes, version_of
from gates.scorecards.words import Part, beside, counted, limit_beside, measured, metric_title, points
from gates.statistics.limits import meets, shown, shown_gap, shown_size
from gates.statistics.planner import cases_needed, true_agreement_to_pass
from gates.statistics.policies import Policy

SHOWN: Final = 6
LIKELY: Final = 0.94
HIGHEST_SHOWN: Final = 0.995  # above it "about 1.00" would promise what no judge reaches


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do, and what is known of it."""

    title: str
    sentence: str


def remedies(document: Part, candidate: Part, *, limit_points: float) -> list[Remedy]:
    """What would turn the verdict; of a pass, nothing. `limit_points` is the most that a case may drop."""
    if document["verdict"] == "gate_pass":
        return []
    stopped = [part for part in document["slices"] if part["verdict"] != "pass"]
    if document["verdict"] == "gate_fail":
        stopped = [part for part in stopped if part["verdict"] == "fail"]
    found = list(dict.fromkeys(_all(document, stopped, candidate, limit_points)))
    return found if len(found) <= SHOWN else [*found[: SHOWN - 1], _more(len(found) - SHOWN + 1)]


def _more(count: int) -> Remedy:
    return Remedy(f"And {counted(count, 'further thing')}", "The table below names what each slice misses.")


def _all(document: Part, stopped: Sequence[Part], candidate: Part, limit_points: float) -> Iterator[Remedy]:
    yield from islice(_going_back(stopped, candidate), 1)
    for part in stopped:
        yield from _of_slice(part, candidate, limit_points)
    for row in (*document["floors"], *document["limits"]):
        if row["verdict"] not in ("pass", "not_measured"):
            yield _of_condition(row)


def _going_back(stopped: Sequence[Part], candidate: Part) -> Iterator[Remedy]:
    """The previous release reached these thresholds, so what it was made of is one way."""
    for part in stopped:
        agreement = part["agreement"]
        if candidate["previous_name"] is None or agreement is None or agreement["previous_rho"] is None:
            continue
        before, threshold = agreement["previous_rho"], agreement["threshold"]
        if agreement["verdict"] == "fail" and meets(before, threshold):
            sentence = f"{candidate['previous_name']} scored {beside(before, threshold)} on {part['name']}."
            yield Remedy(_back_to(candidate), sentence)


def _back_to(candidate: Part) -> str:
    changes = serving_changes(candidate)
    version = version_of(changes[0]["before_ref"]) if len(changes) == 1 else ""
    if not version or ":" in version:
        return f"Go back to {candidate['previous_name']}"
    return f"Go back to {changes[0]['title']} {version}"


def _of_slice(part: Part, candidate: Part, limit_points: float) -> Iterator[Remedy]:
    if part["agreement"] is None:
        yield Remedy(f"Send results for {part['name']}", "The run has none for its cases.")
        return
    for question, ways in (("agreement", _agreement), ("quality", _quality)):
        if part[question]["verdict"] != "pass":
            yield from _gap(part, question, candidate) if part[question]["reason"] else ways(part)
    if part["change"]["verdict"] != "pass":
        reason = part["change"]["reason"]
        yield from _gap(part, "change", candidate) if reason else _change(part, candidate, limit_points)


def _agreement(part: Part) -> Iterator[Remedy]:
    answer, name = part["agreement"], part["name"]
    if answer["verdict"] != "fail":
        yield _undecided(part, "agreement")
        return
    gap = shown_gap(answer["rho"], answer["threshold"])
    if answer["source"] == "calibration":
        yield Remedy(f"Bring a judge that agrees {gap} better on {name}", _likely(answer))
    else:
        yield Remedy(f"Raise agreement on {name} by {gap}", _likely(answer))
    yield _more_cases(answer)


def _likely(answer: Part) -> str:
    true = true_agreement_to_pass(answer["threshold"], answer["n"], LIKELY, Policy(answer["policy"]))
    if true is None or true > HIGHEST_SHOWN:
        return f"{answer['n']:,} cases are too few to pass {LIKELY * 100:.0f} times in 100 at any agreement."
    return f"To pass {LIKELY * 100:.0f} times in 100, its true agreement has to be about {shown(true)}."


def _more_cases(answer: Part) -> Remedy:
    if answer["evidence"] == "proven":
        return Remedy("More cases will not help", "No number of cases turns a proven failure into a pass.")
    needed = cases_needed(answer["threshold"], answer["rho"])
    if needed is None or needed <= answer["n"]:
        return Remedy("More cases may help", "This failure is not proven.")
    sentence = f"It is not proven: about {needed:,} cases would show on which side of the threshold the truth lies."
    return Remedy("Or grade more answers", sentence)


def _quality(part: Part) -> Iterator[Remedy]:
    answer, name = part["quality"], part["name"]
    if answer["verdict"] != "fail":
        yield _undecided(part, "quality")
        return
    source = "set by its owner" if answer["floor_source"] == "owner" else "the previous level less 0.05"
    gap = shown_gap(answer["mean"], answer["floor"])
    sentence = f"Its mean has to reach the floor of {limit_beside(answer['floor'], answer['mean'])}, {source}."
    yield Remedy(f"Raise quality on {name} by {gap}", sentence)


def _change(part: Part, candidate: Part, limit_points: float) -> Iterator[Remedy]:
    answer, name = part["change"], part["name"]
    if answer["movement"] == "dropped":
        size = shown_size(answer["mean_difference"])
        sentence = f"It fell by {size} on the same {counted(answer['n'], 'case')}, which is not chance."
        yield Remedy(f"Bring {name} back to the level of {candidate['previous_name']}", sentence)
    if answer["flagged"]:
        sentence = (
            f"They lost more than {points(limit_points)} points of 100. One that is worth it can be put on the "
            "allowlist, with a reason and a second reviewer."
        )
        yield Remedy(f"Mend {counted(answer['flagged'], 'answer')} of {name}", sentence)
    if part["verdict"] == "review":
        yield Remedy(f"Or have {name} signed off", "A named person looks at it and signs, with a reason.")


def _undecided(part: Part, question: str) -> Remedy:
    answer = part[question]
    if answer["verdict"] == "review":
        return Remedy(
            f"Have {part['name']} signed off", f"Its {question} meets the limit without proof.{_cases(answer)}"
        )
    return Remedy(f"Bring more cases for {part['name']}", f"Its policy asks for proof of {question}.{_cases(answer)}")


def _cases(answer: Part) -> str:
    needed = answer["cases_needed"]
    return "" if needed is None else f" About {needed:,} cases like these would settle it."


def _gap(part: Part, question: str, candidate: Part) -> Iterator[Remedy]:
    """What fills a gap in the evidence, by its reason."""
    answer, name, previous = part[question], part["name"], candidate["previous_name"]
    match answer["reason"]:
        case "no_floor":
            yield Remedy(f"Set a quality floor for {name}", "There is no previous release to take one from.")
        case "cold_start":
            sentence = "Nothing can be compared on a cold start; an override with a written reason covers it once."
            yield Remedy("Ask for an override", sentence)
        case "previous_not_scored":
            sentence = "Only then can the same cases be compared."
            yield Remedy(f"Send the results of {previous} on this suite", sentence)
        case "range_too_narrow":
            sentence = "These grades vary too little to show agreement that may be there."
            yield Remedy(f"Grade answers of {name} of more varied quality", sentence)
        case "too_few_raters" | "panel_too_noisy":
            yield Remedy(f"Have more experts grade {name}", str(answer["reasons"][0]))
        case "too_many_missing":
            yield Remedy(f"Score the rest of {name}", str(answer["reasons"][0]))
        case "human_constant" | "judge_constant" | "too_few_off_mode":
            yield Remedy(f"Bring more varied answers of {name}", str(answer["reasons"][0]))
        case _:
            yield _missing_cases(answer, question, name)


def _missing_cases(answer: Part, question: str, name: str) -> Remedy:
    needed = answer["cases_needed"]
    if needed is None or needed <= answer["n"]:
        return Remedy(f"Bring evidence for {name}", " ".join(answer["reasons"][:1]))
    verb = {"agreement": "Grade", "quality": "Score"}.get(question, "Compare")
    title = f"{verb} {counted(needed - answer['n'], 'more answer')} of {name}"
    return Remedy(title, f"{answer['n']:,} of {needed:,} are there.")


def _of_condition(row: Part) -> Remedy:
    metric, title = row["metric"], metric_title(row["metric"])
    why = " ".join(row["reasons"][:1])
    if metric == "parity":
        return Remedy("Say what made the answers", why or "Send the fingerprint of the bundle with the results.")
    if metric == "feature_snapshot":
        return Remedy("Measure on the manifest's feature snapshot", why)
    if row["verdict"] == "insufficient":
        return Remedy(f"Send {title} with every result", why)
    limit = row["floor"] if "floor" in row else row["limit"]
    if row["verdict"] == "review":
        return Remedy(f"Have {title} signed off", why)
    verb = "Raise" if "floor" in row else "Bring"
    return Remedy(f"{verb} {title} {'to' if 'floor' in row else 'down to'} {measured(limit, metric)}", why)
