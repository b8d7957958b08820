"""The served tuple: everything that made an answer what it is, and how that differs from the last good release.

domain.md "Lineage": prompt, model, weights, preprocessing, features, guardrail, judge, suite, gate run, calibrations,
approver, commit and receipts. What is not registered here is known by its digest alone, and said so.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from audit.models import Receipt
from audit.trust import trust_document
from audit.weights.standing import claim_of
from audit.words import weights_in_words
from gates.run_models import GateRun
from gates.runs.selectors import deciding_runs
from relcontrol.accounts.models import Organization, Route
from relcontrol.bundle.components import MEASURING, SERVING, TITLES, component_value
from releases.lineage.approvals import Approved, approved
from releases.models import ArtifactVersion, Release
from releases.rollout_models import Serving
from releases.selectors import ComponentDifference, component_diff, manifest_of

BAD: Final = (Release.Delivery.HALTED, Release.Delivery.ROLLED_BACK, Release.Delivery.ARCHIVED)
DIGEST: Final = "sha256:"


@dataclass(frozen=True, slots=True)
class Part:
    """One component: the ref that it was registered by, its digest, or its own value."""

    component: str
    title: str
    kind: str
    ref: str | None
    digest: str | None
    value: Any


@dataclass(frozen=True, slots=True)
class Judged:
    """How the gate judged one slice: by which judge, on what its agreement rests, with which calibration."""

    slice: str
    name: str
    judge: str
    judge_sha256: str | None
    verdict: str
    source: str | None
    rho: float | None
    n: int | None
    calibration: str | None
    map: str | None


@dataclass(frozen=True, slots=True)
class ServedTuple:
    """What served. `release` is None for a manifest that is not registered here; then only `how` may tell of it."""

    manifest_sha256: str
    release: Release | None
    manifest: Mapping[str, Any] | None
    parts: tuple[Part, ...]
    weights: str
    run: GateRun | None
    judged: tuple[Judged, ...]
    how: Approved
    last_good: Release | None
    differences: tuple[ComponentDifference, ...]
    problems: tuple[str, ...]

    @property
    def commit(self) -> str | None:
        """The git commit that the manifest names."""
        commit: str | None = self.manifest["components"]["git_commit"] if self.manifest else None
        return commit

    @property
    def feature_view(self) -> str | None:
        """The feature view that the manifest names."""
        view: str | None = self.manifest["components"]["feature_view"] if self.manifest else None
        return view


def served_tuple(organization: Organization, manifest_sha256: str, at: datetime) -> ServedTuple:
    """What a manifest served with at a moment, by what had been decided then."""
    rows = Release.objects.filter(organization=organization, manifest_sha256=manifest_sha256)
    release = rows.select_related("organization", "application", "route", "previous_release").first()
    how = approved(organization, manifest_sha256, _last_seq(organization, at), trust_document(organization))
    problems = [problem for each in how.cited for problem in each.problems]
    if release is None:
        problems.append(f"No release {manifest_sha256[:12]} is registered here, so only its digest is known.")
        return ServedTuple(manifest_sha256, None, None, (), "", None, (), how, None, (), tuple(problems))
    if hashlib.sha256(bytes(release.manifest)).hexdigest() != manifest_sha256:
        problems.append(f"The stored manifest of {release.name} is not the one that was registered.")
    manifest, run = manifest_of(release), run_then(organization, manifest_sha256, at)
    good = last_good(release.route, release, at)
    return ServedTuple(
        manifest_sha256=manifest_sha256,
        release=release,
        manifest=manifest,
        parts=tuple(_parts(release, manifest)),
        weights=weights_in_words(claim_of(organization, manifest, at).as_json()),
        run=run,
        judged=tuple(_judged(run)),
        how=how,
        last_good=good,
        differences=tuple(component_diff(release, good)) if good else (),
        problems=tuple(problems),
    )


def run_then(organization: Organization, manifest_sha256: str, at: datetime) -> GateRun | None:
    """The gate run that decided on a manifest at a moment; where none had, the first that did."""
    rows = deciding_runs(organization).filter(manifest_sha256=manifest_sha256)
    rows = rows.select_related(None).select_related("suite").defer(None).defer("body", "slices", "policy")
    return rows.filter(finished_at__lte=at).order_by("-pk").first() or rows.order_by("pk").first()


def last_good(route: Route, release: Release, at: datetime) -> Release | None:
    """The newest other release that was stable on the route before, and that nobody has marked bad since."""
    rows = Serving.objects.filter(route=route, since__lt=at).exclude(release=release)
    row = rows.exclude(release__delivery__in=BAD).select_related("release__organization").order_by("-since").first()
    return row.release if row else None


def view_artifact(organization: Organization, ref: str) -> Mapping[str, Any] | None:
    """What a feature view was registered as, under its ref `name@version`; None where it never was."""
    name, at, version = ref.rpartition("@")
    rows = ArtifactVersion.objects.filter(organization=organization, name=name, version=version)
    row = rows.filter(artifact__kind="feature_view").select_related("artifact").first() if at else None
    return row.artifact.value if row else None


def _last_seq(organization: Organization, at: datetime) -> int:
    rows = Receipt.objects.filter(organization=organization, issued_at__lte=at).order_by("-issued_at", "-seq")
    return rows.values_list("seq", flat=True).first() or 0


def _parts(release: Release, manifest: dict[str, Any]) -> Iterator[Part]:
    for kind, names in (("serving", SERVING), ("measuring", MEASURING)):
        for name in names:
            value = component_value(manifest, name)
            if value is None or (isinstance(value, dict) and not any(part is not None for part in value.values())):
                continue
            digest = value if isinstance(value, str) and value.startswith(DIGEST) else None
            yield Part(name, TITLES[name], kind, release.refs.get(name), digest, None if digest else value)


def _judged(run: GateRun | None) -> Iterator[Judged]:
    for row in ((run.document or {}) if run else {}).get("slices", ()):
        agreement, quality = row.get("agreement") or {}, row.get("quality") or {}
        yield Judged(
            slice=row["slice"],
            name=row.get("name") or row["slice"],
            judge=row.get("judge") or "",
            judge_sha256=run.judges.get(row["slice"]) if run else None,
            verdict=row["verdict"],
            source=agreement.get("source"),
            rho=agreement.get("rho"),
            n=agreement.get("n"),
            calibration=agreement.get("calibration"),
            map=quality.get("map"),
        )
