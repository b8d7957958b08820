"""Documents of gate runs as the judging writes them: the numbers of ten-failures.md #4 and what a test changes."""

import math
from typing import Any

# slice -> name, rho, n, threshold, rho of the previous release, human ceiling
COLLAPSE = {
    "ip-licensing": ("IP licensing", 0.41, 84, 0.65, 0.68, 0.84),
    "jurisdictional-analysis": ("Jurisdictional analysis", 0.62, 96, 0.60, 0.61, 0.78),
    "regulatory-compliance": ("Regulatory compliance", 0.66, 141, 0.65, 0.67, 0.83),
    "case-summarization": ("Case summarization", 0.69, 188, 0.65, 0.68, 0.81),
    "contract-drafting": ("Contract drafting", 0.71, 212, 0.65, 0.70, 0.86),
    "statutory-interpretation": ("Statutory interpretation", 0.74, 160, 0.65, 0.73, 0.88),
}
FELL = (
    "Agreement of judge and experts is 0.41, 0.24 below the threshold of 0.65 (84 graded answers, 0.24 to 0.56).",
    "The whole interval lies on that side of the threshold, so this is proven (p = 0.010).",
)


def interval(rho: float, n: int) -> list[float]:
    """The Bonett–Wright half of rule R2."""
    error = math.sqrt((1 + rho * rho / 2) / (n - 3))
    return [math.tanh(math.atanh(rho) - 1.645 * error), math.tanh(math.atanh(rho) + 1.645 * error)]


def agreement(rho: float, n: int, threshold: float, previous: float | None, ceiling: float | None) -> dict[str, Any]:
    """The agreement of a slice that is judged on own grades by the point policy."""
    ends = interval(rho, n)
    passed = rho >= threshold
    proven = ends[0] >= threshold or ends[1] < threshold
    return {
        "source": "own",
        "n": n,
        "graded": n,
        "rho": rho,
        "ci90": ends,
        "threshold": threshold,
        "policy": "point",
        "verdict": "pass" if passed else "fail",
        "evidence": "proven" if proven else "unproven",
        "p": 0.01 if proven else 0.3,
        "reason": None,
        "cases_needed": None,
        "previous_rho": previous,
        "change": None if previous is None else rho - previous,
        "ceiling": ceiling,
        "alpha": 0.79,
        "raters": 3,
        "age_days": None,
        "reasons": list(FELL) if not passed else [f"Agreement of judge and experts is {rho:.2f}, which meets it."],
    }


def quality(n: int, mean: float = 0.71, floor: float | None = 0.63, **changes: Any) -> dict[str, Any]:
    """The quality of a slice that passes."""
    return {
        "n": n,
        "mean": mean,
        "ci90": [mean - 0.04, mean + 0.04],
        "floor": floor,
        "floor_source": "owner",
        "map": "own",
        "calibrated": True,
        "verdict": "pass",
        "evidence": "proven",
        "p": 0.02,
        "reason": None,
        "cases_needed": None,
        "reasons": [f"Mean quality is {mean:.2f}, which meets the floor."],
        **changes,
    }


def change(n: int, difference: float | None = 0.01, **changes: Any) -> dict[str, Any]:
    """The change of a slice in which nothing moved."""
    return {
        "n": n,
        "mean_difference": difference,
        "ci90": None if difference is None else [difference - 0.02, difference + 0.02],
        "p": 0.4,
        "movement": "no_proven_change",
        "agreement_movement": "no_proven_change",
        "verdict": "pass",
        "evidence": "unproven",
        "reason": None,
        "cases_needed": None,
        "flagged": 0,
        "reasons": ["Quality moved by +0.01, which can be chance."],
        **changes,
    }


def slice_part(slug: str, row: tuple[str, float, int, float, float | None, float | None]) -> dict[str, Any]:
    """One slice; its change is a review where its agreement failed."""
    name, rho, n, threshold, previous, ceiling = row
    answer = agreement(rho, n, threshold, previous, ceiling)
    moved = change(n)
    if answer["verdict"] == "fail":
        fell = "Agreement fell by 0.27 on the same 84 cases, from 0.68 to 0.41: not chance (p = 0.003)."
        worse = {"agreement_movement": "dropped", "verdict": "review", "evidence": "proven", "flagged": 19}
        moved = change(n, -0.02, reasons=[fell], **worse)
    return {
        "slice": slug,
        "name": name,
        "judge": "external:legal-judge@9",
        "verdict": answer["verdict"],
        "evidence": answer["evidence"],
        "cases": n,
        "reasons": answer["reasons"],
        "agreement": answer,
        "quality": quality(n),
        "change": moved,
    }


def limit(metric: str, verdict: str = "pass", **changes: Any) -> dict[str, Any]:
    """A limit beside the slices."""
    row = {
        "metric": metric,
        "value": None,
        "limit": None,
        "previous": None,
        "verdict": verdict,
        "reasons": ["So it is."],
    }
    return row | changes


def document(slices: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    """The IP-licensing collapse, or a run with these slices."""
    parts = [slice_part(slug, row) for slug, row in COLLAPSE.items()] if slices is None else slices
    rhos = [part["agreement"]["rho"] for part in parts if part["agreement"] and part["agreement"]["rho"] is not None]
    verdicts = {part["verdict"] for part in parts}
    verdict = "gate_fail" if "fail" in verdicts else "gate_pass" if verdicts == {"pass"} else "gate_hold"
    flagged = {"slice": "ip-licensing", "state": "regressed", "allowlisted": False}
    return {
        "verdict": verdict,
        "reasons": [f"{part['name']}: {part['reasons'][0]}" for part in parts if part["verdict"] != "pass"]
        or [f"{len(parts)} slices pass, 1 of them proven."],
        "parity": "match",
        "aggregate": {"n": 881, "rho": 0.66, "mean_of_slices": sum(rhos) / len(rhos) if rhos else None},
        "slices": parts,
        "cases": {
            "flagged": [
                {"case_id": "ip-0417", "score": 38.0, "previous_score": 91.0, "drop": 53.0, **flagged},
                {"case_id": "ip-0233", "score": 47.0, "previous_score": 88.0, "drop": 41.0, **flagged},
            ],
            "flagged_count": 19,
            "missing": 0,
            "of": 881,
        },
        "floors": [
            {"metric": "ragas", "value": 0.8, "floor": 0.78, "n": 881, "verdict": "pass", "reasons": ["It is."]}
        ],
        "limits": [
            limit("tokens", value=430.0, limit=473.0, previous=430.0),
            limit("latency_p95_ratio", "not_measured", reasons=["Not measured: no answer brought latency_ms."]),
            limit("parity"),
        ],
        **changes,
    }


def passing(*slugs: str) -> dict[str, Any]:
    """A run in which these slices pass: by default all but the one that collapsed."""
    wanted = slugs or tuple(COLLAPSE)[1:]
    return document([slice_part(slug, COLLAPSE[slug]) for slug in wanted])


def unjudged(slug: str, **changes: Any) -> dict[str, Any]:
    """A slice with too few graded answers."""
    part = slice_part(slug, COLLAPSE[slug])
    reason = "12 graded answers cannot be judged: 20 are needed."
    few = {"n": 12, "graded": 12, "rho": None, "ci90": None, "evidence": "none", "p": None, "verdict": "insufficient"}
    part["agreement"] |= {**few, "reason": "too_few_cases", "cases_needed": 20, "reasons": [reason], **changes}
    part["change"] |= {"agreement_movement": None, "verdict": "pass", "flagged": 0}
    return part | {"verdict": "insufficient", "evidence": "none", "reasons": part["agreement"]["reasons"]}


def candidate(**changes: Any) -> dict[str, Any]:
    """What a run keeps of its release: r128 with a new prompt, against r127."""
    change_of_prompt = {
        "component": "prompt_template",
        "title": "prompt template",
        "kind": "serving",
        "before_ref": "templates/legal-qa@v14",
        "after_ref": "templates/legal-qa@v15",
    }
    return {
        "name": "r128",
        "release_id": "rel_0123456789abcdef",
        "route_id": "rte_0",
        "route_name": "domain=legal",
        "bundle_sha256": "b" * 64,
        "model": {"ref": "hf:Divinci-AI/gemma-4-e2b@a7c91f"},
        "preprocessing": "sha256:" + "c" * 64,
        "dataset": "sha256:" + "d" * 64,
        "feature_snapshot": None,
        "previous_name": "r127",
        "previous_release_id": "rel_fedcba9876543210",
        "changes": [change_of_prompt],
        **changes,
    }
