"""Pages of releases and prompts, below /o/<organization>/.

A prompt's name has slashes, so its own page ends in one and what is done with it does not: `a/edit/` is the page of
the prompt `a/edit`, `a/edit` the editor of `a`. The id of a request is its client's, and may have slashes as well.
No slice is called `new` or `preview`, so what is below these is no slice's.
"""

from django.urls import path

from releases.pages import (
    archive,
    editor,
    evaluating,
    lineage,
    override,
    privacy,
    prompts,
    registering,
    release,
    releases,
    roll,
    rollback,
    rollout,
    rollout_list,
    rollout_policies,
    routes,
    slice_matches,
    trace,
    traces,
)
from releases.pages.observe import alarms, listing, worst
from releases.pages.observe import route as observed

urlpatterns = [
    path("releases/", releases.releases, name="releases"),
    path("releases/new", registering.register_release, name="release-new"),
    path("releases/<str:release>", release.release, name="release"),
    path("releases/<str:release>/override/", override.request_page, name="override-request"),
    path("releases/<str:release>/evaluate/", evaluating.evaluate, name="release-evaluate"),
    path("releases/<str:release>/archive", archive.archive_release, name="release-archive"),
    path("releases/<str:release>/roll/", roll.roll, name="release-roll"),
    path("releases/<str:release>/manifest.json", release.manifest, name="release-manifest"),
    path("rollouts/", rollout_list.rollouts, name="roll"),
    path("rollouts/<slug:rollout>/", rollout.rollout, name="rollout"),
    path("observe/", listing.observe, name="observe"),
    path("observe/alarms/<slug:alarm>/", alarms.drift_alarm, name="drift-alarm"),
    path("observe/worst/<slug:worst>/", worst.worst_answers, name="worst-answers"),
    path("observe/<slug:route>/", observed.observe_route, name="observe-route"),
    path("settings/privacy/", privacy.privacy, name="settings-privacy"),
    path("settings/privacy/try", privacy.try_redactions, name="settings-privacy-try"),
    path("settings/privacy/erase/", privacy.erase_subject, name="settings-privacy-erase"),
    path("settings/rollout-policies/", rollout_policies.rollout_policies, name="rollout-policies"),
    path("settings/rollout-policies/<slug:policy>/", rollout_policies.rollout_policy, name="rollout-policy"),
    path("settings/rollout-policies/<slug:policy>/remove", rollout_policies.remove, name="rollout-policy-remove"),
    path("routes/<slug:route>/", routes.route, name="route"),
    path("routes/<slug:route>/rollback", rollback.rollback, name="route-rollback"),
    path("slices/preview/traces/", slice_matches.draft_matches, name="slice-draft-matches"),
    path("slices/new/suggestions/", slice_matches.belonging_nowhere, name="slice-suggestions"),
    path("slices/<slug:slug>/traces/", slice_matches.slice_matches, name="slice-matches"),
    path("lineage/", lineage.lineage, name="lineage"),
    path("lineage/<path:request_id>/", lineage.lineage_of_request, name="lineage-request"),
    path("traces/", traces.traces, name="traces"),
    path("traces/<path:request_id>/", trace.trace, name="trace"),
    path("prompts/", prompts.prompts, name="prompts"),
    path("prompts/<path:name>/edit", editor.edit, name="prompt-edit"),
    path("prompts/<path:name>/preview", editor.preview, name="prompt-preview"),
    path("prompts/<path:name>/", prompts.prompt, name="prompt"),
]
