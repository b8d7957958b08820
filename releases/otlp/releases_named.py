"""Which releases the names in a batch of spans mean, and on which arm of an open rollout they stand.

A release is named by its id, its manifest's SHA-256 or the beginning of it, or by its number (`r12`), which must be
that of one release only: of the organization, or of the route that the span names. Two queries for a batch, at most.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from relcontrol.accounts.models import Organization
from releases.bucketing import Arm
from releases.models import SHA256, Release
from releases.rollout_models import OVER, Rollout

NAMED: Final = re.compile(
    r"(?:sha256:)?(?P<digits>[0-9a-fA-F]{12,64})|r(?P<number>[1-9][0-9]{0,8})|(?P<id>rel_\w{1,40})"
)
MAX_NAMES: Final = 1000


class TooManyNamesError(ValueError):
    """A batch names more releases than one can serve."""


@dataclass(frozen=True, slots=True)
class Known:
    """A release that a name may mean."""

    pk: str
    sha256: str
    number: int
    route: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A release's place in the open rollout of its route."""

    arm: str
    rollout: str


class Resolved:
    """The releases that the names of one batch mean; `rel_…`, digits and numbers alike."""

    def __init__(self, releases: Iterable[Known]) -> None:
        self._releases = list(releases)
        self._found: dict[tuple[str, str | None], list[Known]] = {}

    def named(self, name: str, route: str | None) -> Known | None:
        """The one release of that name, on that route where one is given."""
        matches = self.matches(name, route)
        return matches[0] if len(matches) == 1 else None

    def matches(self, name: str, route: str | None) -> list[Known]:
        """Every release of that name."""
        key = (name, route)
        if key not in self._found:
            match = NAMED.fullmatch(name)
            candidates = [one for one in self._releases if route in (None, one.route)] if match else []
            self._found[key] = [one for one in candidates if match and _means(match, one)]
        return self._found[key]


def looks_like_release(name: str) -> bool:
    """Whether a text could name a release: most versions of services could not."""
    return NAMED.fullmatch(name) is not None


def resolve(organization: Organization, names: Iterable[str]) -> Resolved:
    """What these names mean in an organization; names that cannot mean a release cost nothing."""
    wanted = {name for name in names if looks_like_release(name)}
    if len(wanted) > MAX_NAMES:
        raise TooManyNamesError(f"The spans name {len(wanted)} releases; send at most {MAX_NAMES} in one request.")
    if not wanted:
        return Resolved([])
    rows = Release.objects.filter(_any_of(wanted), organization=organization)
    return Resolved(Known(*row) for row in rows.values_list("pk", "manifest_sha256", "number", "route_id"))


def standings(organization: Organization, wanted: set[str]) -> dict[str, Standing]:
    """Where these releases (manifest SHA-256s) stand in open rollouts, for those that stand in one."""
    if not wanted:
        return {}
    rows = Rollout.objects.filter(organization=organization).exclude(state__in=OVER)
    found: dict[str, Standing] = {}
    for pk, candidate, stable in rows.values_list("pk", "release__manifest_sha256", "previous__manifest_sha256"):
        found[candidate] = Standing(Arm.CANDIDATE.value, pk)
        if stable is not None:
            found[stable] = Standing(Arm.STABLE.value, pk)
    return {sha256: standing for sha256, standing in found.items() if sha256 in wanted}


def _any_of(names: set[str]) -> Q:
    matches = [match for name in names if (match := NAMED.fullmatch(name))]
    digits = {match["digits"].lower() for match in matches if match["digits"]}
    condition = Q(manifest_sha256__in=[one for one in digits if len(one) == SHA256])
    condition |= Q(number__in=[int(match["number"]) for match in matches if match["number"]])
    condition |= Q(pk__in=[match["id"] for match in matches if match["id"]])
    for beginning in digits:
        if len(beginning) < SHA256:
            condition |= Q(manifest_sha256__startswith=beginning)
    return condition


def _means(name: re.Match[str], release: Known) -> bool:
    if name["digits"]:
        return release.sha256.startswith(name["digits"].lower())
    return name[0] in (release.pk, f"r{release.number}")
