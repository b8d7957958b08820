"""Pages of the gate, below /o/<organization>/."""

from django.urls import path

from gates.pages import overrides, policies, reviews, suites
from gates.pages.runs import listing, run
from gates.pages.slices import editing, importing, one, tree

urlpatterns = [
    path("gate/", listing.gate_runs, name="gate"),
    path("settings/gate-policies/", policies.gate_policies, name="gate-policies"),
    path("settings/gate-policy/", policies.of_organization, name="gate-policy"),
    path("settings/gate-policy/remove", policies.remove_of_organization, name="gate-policy-remove"),
    path("settings/gate-policies/<slug:application>/", policies.of_application, name="gate-policy-application"),
    path(
        "settings/gate-policies/<slug:application>/remove",
        policies.remove_of_application,
        name="gate-policy-application-remove",
    ),
    path("overrides/<str:override>/", overrides.review, name="override"),
    path("slices/", tree.slices, name="slices"),
    path("slices/slices.json", tree.slices_json, name="slices-json"),
    path("slices/slices.csv", tree.slices_csv, name="slices-csv"),
    path("slices/new/", editing.new_slice, name="slice-new"),
    path("slices/preview/", editing.preview, name="slice-preview"),
    path("slices/import/", importing.import_page, name="slice-import"),
    path("slices/<slug:slug>/", one.one_slice, name="slice"),
    path("slices/<slug:slug>/edit/", editing.edit_slice, name="slice-edit"),
    path("suites/", suites.suites, name="suites"),
    path("suites/imports/<slug:key>/", suites.suite_import, name="suite-import"),
    path("suites/<str:suite>/", suites.suite, name="suite"),
    path("gate/allowlist/", reviews.allowlist, name="allowlist"),
    path("gate/allowlist/<str:entry>/", reviews.allowlist_entry, name="allowlist-entry"),
    path("gate/<str:run>/sign-off/", reviews.run_sign_off, name="gate-run-sign-off"),
    # Last, since a run may have any name: `gate/allowlist/` is a page of its own.
    path("gate/<str:run>/", run.gate_run, name="gate-run"),
    path("gate/<str:run>/cancel", run.cancel, name="gate-run-cancel"),
    path("gate/<str:run>/scorecard.md", run.scorecard, name="gate-run-scorecard"),
]
