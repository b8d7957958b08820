"""Paths of the registry's API. A ref has slashes in it, so artifacts are named by the rest of the path."""

from django.urls import path

from releases.api.artifacts import Artifacts, OneArtifact
from releases.api.gate_runs import ReleaseGateRuns
from releases.api.override import RequestOverride
from releases.api.releases import Difference, ManifestBytes, OneRelease, Releases
from releases.api.roll import Roll

urlpatterns = [
    path("artifacts", Artifacts.as_view(), name="api-artifacts"),
    path("artifacts/<path:artifact>", OneArtifact.as_view(), name="api-artifact"),
    path("releases", Releases.as_view(), name="api-releases"),
    path("releases/<str:release>", OneRelease.as_view(), name="api-release"),
    path("releases/<str:release>/manifest", ManifestBytes.as_view(), name="api-release-manifest"),
    path("releases/<str:release>/diff", Difference.as_view(), name="api-release-diff"),
    path("releases/<str:release>/override", RequestOverride.as_view(), name="api-release-override"),
    path("releases/<str:release>/gate-runs", ReleaseGateRuns.as_view(), name="api-release-gate-runs"),
    path("releases/<str:release>/roll", Roll.as_view(), name="api-release-roll"),
]
