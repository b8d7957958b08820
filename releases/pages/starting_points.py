"""What a new release starts from: another release, with every part that is not to change taken over as it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from relcontrol.accounts.models import Organization, Route
from relcontrol.accounts.selectors import routes_of
from releases.artifact_selectors import IDENTITY_DIGEST
from releases.models import Release
from releases.pages.wording import spoken
from releases.selectors import manifest_of, serving_of


@dataclass(frozen=True, slots=True)
class StartingPoint:
    """A route with the release that a change to it builds on; `serves` where that is live."""

    route: Route
    release: Release

    @property
    def serves(self) -> bool:
        """Whether this release answers the route's traffic now."""
        return self.release.delivery == Release.Delivery.STABLE

    @property
    def prompt(self) -> str:
        """The prompt of that release by its name."""
        return str(self.release.refs.get("prompt_template", ""))


def starting_points(organization: Organization) -> list[StartingPoint]:
    """For each route that has a release: what it serves, else its newest release."""
    routes = list(routes_of(organization))
    newest = Release.objects.filter(route__in=routes).defer("manifest").order_by("route_id", "-number")
    known = {row.route_id: row for row in newest.distinct("route_id")} | serving_of(routes)
    return [StartingPoint(route, known[route.pk]) for route in routes if route.pk in known]


def form_of(base: Release) -> dict[str, Any]:
    """A registration form filled in as this release was.

    The previous release is left to the service where the base serves: then it is the default. Else it is named,
    so that the new release is compared with what it was made from.
    """
    manifest = manifest_of(base)
    model, generation = manifest["model"], manifest["generation"]
    return {
        "base": base.pk,
        "route": base.route_id,
        "model_ref": model["ref"],
        "model_kind": model["kind"],
        "weights_sha256": model["weights"] or "",
        "adapter_ref": model["adapter"] or "",
        "prompt_template_ref": base.refs.get("prompt_template", manifest["prompt_template"]),
        "preprocessing_ref": _preprocessing(base, manifest),
        "dataset_version": base.refs.get("dataset", manifest["dataset"]),
        **{name: value for name, value in generation.items() if name != "stop"},
        "stop": "\n".join(generation.get("stop", ())),
        "previous_release": "" if base.delivery == Release.Delivery.STABLE else base.pk,
    }


def taken_over(base: Release | None) -> dict[str, Any]:
    """The components that the form does not ask for, by the names they were given, as a new order takes them."""
    if base is None:
        return {}
    components = manifest_of(base)["components"]
    return {name: base.refs.get(name, value) for name, value in components.items() if value is not None}


def taken_over_words(components: Iterable[str], titles: Mapping[str, str]) -> str:
    """Their titles as words."""
    return spoken([titles.get(name, name.replace("_", " ")) for name in components])


def _preprocessing(base: Release, manifest: Mapping[str, Any]) -> str:
    digest: str = manifest["preprocessing"]
    return "" if digest == IDENTITY_DIGEST else base.refs.get("preprocessing", digest)
