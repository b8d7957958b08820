"""Paths of the registry's API. A ref has slashes in it, so artifacts are named by the rest of the path."""

from django.urls import path

from audit.weights.api import OneDigest
from releases.api.archive import Archive
from releases.api.artifacts import Artifacts, OneArtifact
from releases.api.feedback import SendFeedback
from releases.api.gate_runs import ReleaseGateRuns
from releases.api.lineage import Lineages, OneLineage
from releases.api.observing import DecideDriftAlarm, DriftAlarms, OneDriftAlarm, OneSetOfWorstAnswers
from releases.api.override import RequestOverride
from releases.api.privacy import EraseSubject, Erasures, Redactions
from releases.api.quality import RouteQuality
from releases.api.releases import Difference, ManifestBytes, OneRelease, Releases
from releases.api.roll import Roll
from releases.api.rollouts import OneRollout, RolloutCommand, Rollouts
from releases.api.route_policies import OneRolloutPolicy, RolloutPolicies
from releases.api.routes import OneRoute, RollBack, ServingAt
from releases.api.scores import Pairs, Scores
from releases.api.slice_suggestions import SliceMatches, SliceSuggestions
from releases.api.traces import Traces
from releases.weights.api import Observations

urlpatterns = [
    path("artifacts", Artifacts.as_view(), name="api-artifacts"),
    path("artifacts/<path:artifact>", OneArtifact.as_view(), name="api-artifact"),
    path("releases", Releases.as_view(), name="api-releases"),
    path("releases/<str:release>", OneRelease.as_view(), name="api-release"),
    path("releases/<str:release>/manifest", ManifestBytes.as_view(), name="api-release-manifest"),
    path("releases/<str:release>/diff", Difference.as_view(), name="api-release-diff"),
    path("releases/<str:release>/override", RequestOverride.as_view(), name="api-release-override"),
    path("releases/<str:release>/gate-runs", ReleaseGateRuns.as_view(), name="api-release-gate-runs"),
    path("releases/<str:release>/archive", Archive.as_view(), name="api-release-archive"),
    path("releases/<str:release>/roll", Roll.as_view(), name="api-release-roll"),
    path("drift-alarms", DriftAlarms.as_view(), name="api-drift-alarms"),
    path("drift-alarms/<str:alarm>", OneDriftAlarm.as_view(), name="api-drift-alarm"),
    path("drift-alarms/<str:alarm>/decide", DecideDriftAlarm.as_view(), name="api-drift-alarm-decide"),
    path("feedback", SendFeedback.as_view(), name="api-feedback"),
    path("lineage", Lineages.as_view(), name="api-lineages"),
    path("lineage/<path:request_id>", OneLineage.as_view(), name="api-lineage"),
    path("organization/redactions", Redactions.as_view(), name="api-redactions"),
    path("rollout-policies", RolloutPolicies.as_view(), name="api-rollout-policies"),
    path("rollout-policies/<str:policy>", OneRolloutPolicy.as_view(), name="api-rollout-policy"),
    path("rollouts", Rollouts.as_view(), name="api-rollouts"),
    path("rollouts/<str:rollout>", OneRollout.as_view(), name="api-rollout"),
    path("rollouts/<str:rollout>/pairs", Pairs.as_view(), name="api-rollout-pairs"),
    path("rollouts/<str:rollout>/scores", Scores.as_view(), name="api-rollout-scores"),
    path("rollouts/<str:rollout>/<str:command>", RolloutCommand.as_view(), name="api-rollout-command"),
    path("routes/<str:route>", OneRoute.as_view(), name="api-route"),
    path("routes/<str:route>/quality", RouteQuality.as_view(), name="api-route-quality"),
    path("routes/<str:route>/serving", ServingAt.as_view(), name="api-route-serving"),
    path("routes/<str:route>/rollback", RollBack.as_view(), name="api-route-rollback"),
    path("slices/matches", SliceMatches.as_view(), name="api-slice-matches"),
    path("slices/suggestions", SliceSuggestions.as_view(), name="api-slice-suggestions"),
    path("worst-answers/<str:worst>", OneSetOfWorstAnswers.as_view(), name="api-worst-answers"),
    path("subjects/erase", EraseSubject.as_view(), name="api-subject-erase"),
    path("subjects/erasures", Erasures.as_view(), name="api-erasures"),
    path("traces", Traces.as_view(), name="api-traces"),
    path("weights/observations", Observations.as_view(), name="api-weights-observations"),
    path("weights/<str:weights>", OneDigest.as_view(), name="api-weights"),
]
