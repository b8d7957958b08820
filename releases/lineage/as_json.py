"""Lineage as JSON: one shape for the API, pages and `relctl`."""

from collections.abc import Iterable
from typing import Any

from audit.chain import timestamp
from audit.names import Names
from releases.api.shapes import difference_as_json
from releases.lineage.answer import Lineage
from releases.lineage.approvals import Approval
from releases.lineage.citing import Cited
from releases.lineage.features import Feature
from releases.lineage.served_tuple import ServedTuple
from releases.lineage.serving_then import ServedThen
from releases.models import Release
from releases.trace_models import Feedback

Json = dict[str, Any]


def actors_of(approvals: Iterable[Approval]) -> set[str]:
    """Whose names `approval_as_json` needs."""
    return {each.actor for each in approvals}


def approval_as_json(row: Approval, names: Names) -> Json:
    """Who answers for what, and where it stands."""
    return {
        "actor": row.actor,
        "kind": row.kind,
        "name": names.of(row.actor),
        "did": row.words,
        "event": row.cited.receipt.event,
        "at": timestamp(row.cited.at),
        "receipt": row.cited.receipt.receipt_hash,
    }


def cited_as_json(row: Cited) -> Json:
    """A receipt that the answer rests on."""
    return {
        "receipt": row.receipt.receipt_hash,
        "seq": row.receipt.seq,
        "event": row.receipt.event,
        "at": timestamp(row.at),
        "verified": not row.problems,
    }


def serving_then_as_json(then: ServedThen | None, release: Release | None) -> Json | None:
    """What served, with the fields that `serving` has elsewhere; None where nothing did. The release lends its name."""
    if then is None or then.manifest is None:
        return None
    return {
        "release_id": release.pk if release else None,
        "release": release.name if release else None,
        "manifest_sha256": then.manifest,
        "since": timestamp(then.since),
        "until": timestamp(then.until) if then.until else None,
        "generation": then.generation,
        "event": then.decision.receipt.event,
        "reason": then.reason,
        "decided_by": str(then.decision.actor["id"]),
        "receipt": then.decision.receipt.receipt_hash,
    }


def beside_as_json(then: ServedThen | None) -> Json | None:
    """The candidate that answered a share of the requests at that time."""
    if then is None or then.beside is None:
        return None
    beside = then.beside
    receipt = beside.cited.receipt.receipt_hash
    return {"manifest_sha256": beside.manifest, "percent": beside.percent, "receipt": receipt}


def served_as_json(served: ServedTuple) -> Json:
    """The served tuple."""
    release, run = served.release, served.run
    return {
        "manifest_sha256": served.manifest_sha256,
        "release_id": release.pk if release else None,
        "release": release.name if release else None,
        "bundle_sha256": release.bundle_sha256 if release else None,
        "components": [
            {name: getattr(part, name) for name in ("component", "title", "kind", "ref", "digest", "value")}
            for part in served.parts
        ],
        "weights": served.weights or None,
        "commit": served.commit,
        "suite": {"name": run.suite.name, "sha256": run.suite.sha256} if run else None,
        "gate_run": None
        if run is None
        else {
            "gate_run_id": run.pk,
            "gate_run_sha256": run.gate_run_sha256,
            "verdict": run.verdict,
            "parity": run.parity,
            "finished_at": timestamp(run.finished_at) if run.finished_at else None,
            "receipt": run.receipt_hash or None,
        },
        "judged": [{name: getattr(row, name) for name in row.__slots__} for row in served.judged],
    }


def difference_from_good_as_json(served: ServedTuple) -> Json | None:
    """What differs from the last release that was good on the route."""
    good = served.last_good
    if good is None:
        return None
    return {
        "release_id": good.pk,
        "release": good.name,
        "manifest_sha256": good.manifest_sha256,
        "changes": [difference_as_json(row) for row in served.differences],
    }


def feature_as_json(row: Feature) -> Json:
    """One feature value, judged in time."""
    return {
        "name": row.name,
        "as_of": timestamp(row.as_of) if row.as_of else None,
        "value": row.value,
        "age_seconds": row.age_seconds,
        "verdict": row.verdict,
        "sentence": row.sentence,
    }


def said_as_json(row: Feedback) -> Json:
    """One saying about the answer."""
    return {
        "kind": row.kind,
        "name": row.name,
        "value": row.label if row.value is None else row.value,
        "by": row.created_by,
        "at": timestamp(row.created_at),
    }


def lineage_as_json(of: Lineage, names: Names) -> Json:
    """The lineage of one answer, without its trace."""
    served, features = of.served, of.features
    how = served.how if served else None
    return {
        "served": served_as_json(served) if served else None,
        "last_known_good": difference_from_good_as_json(served) if served else None,
        "approved_by": [approval_as_json(row, names) for row in how.approvals] if how else [],
        "receipts": [cited_as_json(row) for row in how.cited] if how else [],
        "problems": list(served.problems) if served else [],
        "fingerprints": {name: getattr(of.fingerprints, name) for name in of.fingerprints.__slots__},
        "features": None if features is None else [feature_as_json(row) for row in features],
        "feedback": [said_as_json(row) for row in of.feedback],
        "ratings": [{"grade": row.grade, "by": row.rater, "at": timestamp(row.at)} for row in of.ratings],
        "observed": [
            {"slice": row.observed.slice, "kind": row.kind, "state": row.state, "score": row.score}
            for row in of.observed
        ],
    }
