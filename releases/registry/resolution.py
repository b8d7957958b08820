"""From names to digests: every ref of an order becomes the digest of what it names (domain.md "Register").

An unknown ref is a problem that says which names come near it. All problems of all refs are found together.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from gates.models import Suite
from gates.suites import suite_named
from relcontrol.accounts.models import Endpoint, Organization
from relcontrol.bundle.errors import BundleError, Problem, one_problem, under
from relcontrol.bundle.refs import ModelRef, parse_artifact_ref, parse_digest, parse_model_ref
from relcontrol.errors import NotFound
from releases.artifact_selectors import IDENTITY_DIGEST, PREPROCESSING, PROMPT, artifact_named, artifact_versions
from releases.models import Artifact
from releases.registry.order import Order

ARTIFACT_COMPONENTS: Final = ("guardrail_policy", "tool_schemas", "few_shot")
LOOKED_AT: Final = 1_000
SHOWN: Final = 5


@dataclass(slots=True)
class Resolution:
    """Digests by component, the names they were found under, and what could not be found."""

    digests: dict[str, str] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    components: dict[str, Any] = field(default_factory=dict)
    endpoint: Endpoint | None = None
    problems: list[Problem] = field(default_factory=list)


def resolve(organization: Organization, order: Order) -> Resolution:
    """Look up everything that an order names."""
    found = Resolution(components=dict(order.components or {}))
    _artifact(found, organization, PROMPT, order.prompt_template_ref, "prompt_template_ref")
    if order.preprocessing_ref is None:
        found.digests[PREPROCESSING] = IDENTITY_DIGEST
    else:
        _artifact(found, organization, PREPROCESSING, order.preprocessing_ref, "preprocessing_ref")
    for kind in ARTIFACT_COMPONENTS:
        if found.components.get(kind) is not None:
            _artifact(found, organization, kind, found.components[kind], under("components", kind))
            found.components[kind] = found.digests[kind]
    _attempt(found, lambda: _suite(found, organization, order.dataset_version))
    _attempt(found, lambda: _endpoint(found, organization, order.model_ref))
    return found


def _attempt(found: Resolution, look_up: Callable[[], None]) -> None:
    try:
        look_up()
    except BundleError as error:
        found.problems.extend(error.problems)


def _artifact(found: Resolution, organization: Organization, kind: str, text: object, path: str) -> None:
    """Resolve one ref or digest; where there is none the identity's digest stands in beside the problem."""
    found.digests[kind] = IDENTITY_DIGEST
    _attempt(found, lambda: _named_artifact(found, organization, kind, text, path))


def _named_artifact(found: Resolution, organization: Organization, kind: str, text: object, path: str) -> None:
    by_digest = isinstance(text, str) and text.startswith("sha256:")
    name = parse_digest(text, path) if by_digest else str(parse_artifact_ref(text, path))
    artifact = _known_artifact(organization, kind, name, path)
    if artifact.kind != kind:
        message = f"{name} is an artifact of kind {artifact.kind}; here one of kind {kind} is needed."
        raise one_problem(path, message, "wrong_kind")
    found.digests[kind] = artifact.digest
    found.refs[kind] = name


def _known_artifact(organization: Organization, kind: str, name: str, path: str) -> Artifact:
    try:
        return artifact_named(organization, name)
    except NotFound as error:
        rows = artifact_versions(organization, kind=kind)
        known = [row.ref for row in rows[:LOOKED_AT]]
        way_out = f"make it with POST /v1/artifacts or send it along in `artifacts` (kind {kind})"
        raise one_problem(path, _unknown(f"artifact {name}", name, known, way_out), "unknown_ref") from error


def _suite(found: Resolution, organization: Organization, text: str) -> None:
    found.digests["dataset"] = IDENTITY_DIGEST
    try:
        suite = suite_named(organization, text)
    except NotFound as error:
        rows = Suite.objects.filter(organization=organization).order_by("-pk")
        known = list(rows.values_list("name", flat=True)[:LOOKED_AT])
        sentence = _unknown(f"suite {text[:120]}", text, known, "upload it with POST /v1/suites?name=…")
        raise one_problem("dataset_version", sentence, "unknown_ref") from error
    found.digests["dataset"] = suite.sha256
    found.refs["dataset"] = suite.name


def _endpoint(found: Resolution, organization: Organization, text: str) -> None:
    name = _endpoint_name(text)
    if name is None:
        return
    rows = Endpoint.objects.filter(organization=organization)
    found.endpoint = rows.filter(name=name).first()
    if found.endpoint is None:
        known = list(rows.order_by("name").values_list("name", flat=True)[:LOOKED_AT])
        way_out = "an administrator makes it with POST /v1/endpoints"
        raise one_problem("model_ref", _unknown(f"endpoint {name}", name, known, way_out), "unknown_ref")


def _endpoint_name(text: str) -> str | None:
    """The endpoint that a model ref names, if it names one; what is no ref at all is the manifest's to refuse."""
    try:
        model: ModelRef = parse_model_ref(text)
    except BundleError:
        return None
    return model.endpoint


def _unknown(what: str, text: str, known: Sequence[str], way_out: str) -> str:
    near = _near(text, known)
    if near:
        return f"There is no {what} here. Near it: {', '.join(near)}. Or {way_out}."
    return f"There is no {what} here, nor any other of its kind; {way_out}."


def _near(text: str, known: Iterable[str]) -> list[str]:
    """The names most like `text`; where none is like it, the newest ones."""
    names = list(known)
    return get_close_matches(text, names, n=SHOWN, cutoff=0.6) or names[:SHOWN]
