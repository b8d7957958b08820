"""The fast gate at registration: lint of what serves, and a look for the same content elsewhere (domain.md).

Seconds, no model call. Errors refuse the release, warnings and remarks are stored with it and shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from relcontrol.accounts.models import Organization
from relcontrol.bundle.errors import Problem
from relcontrol.bundle.lint import Finding, is_refused, lint
from releases.artifact_selectors import PREPROCESSING, PROMPT, contents, names_of_content
from releases.models import Release
from releases.refusals import refused
from releases.registry.resolution import Resolution

NAMED: Final = 3


def fast_gate(
    organization: Organization, manifest: dict[str, Any], bundle_sha256: str, resolution: Resolution, *, rebase: bool
) -> list[dict[str, Any]]:
    """What there is to remark, as it is stored; `Invalid` where the release would fail or say nonsense."""
    findings = _lint(organization, manifest, resolution)
    if is_refused(findings):
        raise refused(list(_problems(findings)), code="fast_gate")
    if not rebase:
        findings += _same_bundle(organization, bundle_sha256)
    findings += _same_prompt(organization, manifest[PROMPT], resolution.refs.get(PROMPT, ""))
    return [asdict(finding) for finding in findings]


def _lint(organization: Organization, manifest: dict[str, Any], resolution: Resolution) -> list[Finding]:
    values = contents(organization, resolution.digests.values())
    few_shot, tools = (manifest["components"][key] for key in ("few_shot", "tool_schemas"))
    return lint(
        prompt=values[manifest[PROMPT]],
        preprocessing=values[manifest[PREPROCESSING]]["steps"],
        generation=manifest["generation"],
        few_shot=values[few_shot] if few_shot else None,
        tools=values[tools] if tools else None,
        price_per_token=resolution.endpoint.input_price if resolution.endpoint else None,
    )


def _problems(findings: Sequence[Finding]) -> Iterator[Problem]:
    for finding in findings:
        if finding.severity == "error":
            yield Problem(finding.field, finding.message, finding.code)


def _same_bundle(organization: Organization, bundle_sha256: str) -> Iterator[Finding]:
    rows = Release.objects.filter(organization=organization, bundle_sha256=bundle_sha256).order_by("-pk")
    if names := [f"{row.name} ({row.manifest_sha256[:12]})" for row in rows[:NAMED]]:
        message = (
            f"Serves exactly what {', '.join(names)} serves; only what it is compared with or measured by differs."
        )
        yield Finding("warning", "same_bundle", message)


def _same_prompt(organization: Organization, digest: str, ref: str) -> Iterator[Finding]:
    others = [name for name in names_of_content(organization, digest) if name != ref]
    if others and ref != digest:
        message = f"Has the same content as {', '.join(others[:NAMED])}; one name for it would do."
        yield Finding("info", "same_content", message, PROMPT)
