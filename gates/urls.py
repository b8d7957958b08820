"""Pages of the gate, below /o/<organization>/."""

from django.urls import path

from gates.pages import overrides, policies, reviews, suites
from gates.pages.judges import comparing as judge_comparing
from gates.pages.judges import listing as judge_listing
from gates.pages.judges import making as judge_making
from gates.pages.judges import measurement
from gates.pages.judges import one as one_judge
from gates.pages.panels import comparing as panel_comparing
from gates.pages.panels import listing as panel_listing
from gates.pages.panels import making as panel_making
from gates.pages.panels import one as one_panel
from gates.pages.panels import rating
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
    path("panels/", panel_listing.panels, name="panels"),
    path("panels/new/", panel_making.new_panel, name="panel-new"),
    path("panels/preview/", panel_making.preview, name="panel-preview"),
    path("panels/<slug:panel>/", one_panel.one_panel, name="panel"),
    path("panels/<slug:panel>/rate/", rating.rate_page, name="panel-rate"),
    path("panels/<slug:panel>/disagreements/", panel_comparing.compare, name="panel-compare"),
    path("judges/", judge_listing.judges, name="judges"),
    path("judges/new/", judge_making.new_judge, name="judge-new"),
    path("judges/compare/", judge_comparing.compare, name="judge-compare"),
    path("judges/<str:judge>/", one_judge.one_judge, name="judge"),
    path("judges/<str:judge>/measure", one_judge.measure, name="judge-measure"),
    path("calibrations/<slug:calibration>/", measurement.calibration, name="calibration"),
    path("calibrations/<slug:calibration>/cancel", measurement.cancel, name="calibration-cancel"),
    path("gate/allowlist/", reviews.allowlist, name="allowlist"),
    path("gate/allowlist/<str:entry>/", reviews.allowlist_entry, name="allowlist-entry"),
    path("gate/<str:run>/sign-off/", reviews.run_sign_off, name="gate-run-sign-off"),
    # Last, since a run may have any name: `gate/allowlist/` is a page of its own.
    path("gate/<str:run>/", run.gate_run, name="gate-run"),
    path("gate/<str:run>/cancel", run.cancel, name="gate-run-cancel"),
    path("gate/<str:run>/scorecard.md", run.scorecard, name="gate-run-scorecard"),
]
