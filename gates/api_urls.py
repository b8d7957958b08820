"""Paths of the gate's API."""

from django.urls import path

from gates.api import overrides, policies, reviews, runs, scorecards, slices, suites

urlpatterns = [
    path("gate-runs/<str:run>/sign-off", reviews.RunSignOff.as_view(), name="api-gate-run-sign-off"),
    path("allowlist", reviews.Allowlist.as_view(), name="api-allowlist"),
    path("allowlist/<str:entry>/approve", reviews.AllowlistApproval.as_view(), name="api-allowlist-approve"),
    path("allowlist/<str:entry>/reject", reviews.AllowlistRejection.as_view(), name="api-allowlist-reject"),
    path("allowlist/<str:entry>/withdraw", reviews.AllowlistWithdrawal.as_view(), name="api-allowlist-withdraw"),
    path("gate-runs/<str:run>.md", scorecards.MarkdownScorecard.as_view(), name="api-gate-run-markdown"),
    path("gate-runs/<str:run>.xml", scorecards.JUnitScorecard.as_view(), name="api-gate-run-junit"),
    path("overrides", overrides.Overrides.as_view(), name="api-overrides"),
    path("overrides/<str:override>", overrides.OneOverride.as_view(), name="api-override"),
    path("overrides/<str:override>/approve", overrides.ApproveOverride.as_view(), name="api-override-approve"),
    path("overrides/<str:override>/reject", overrides.RejectOverride.as_view(), name="api-override-reject"),
    path("overrides/<str:override>/withdraw", overrides.WithdrawOverride.as_view(), name="api-override-withdraw"),
    path("gate-runs", runs.Runs.as_view(), name="api-gate-runs"),
    path("gate-runs/<str:run>", runs.OneRun.as_view(), name="api-gate-run"),
    path("gate-runs/<str:run>/cancel", runs.Cancel.as_view(), name="api-gate-run-cancel"),
    path("judges", runs.Judges.as_view(), name="api-judges"),
    path("judges/<path:judge>", runs.OneJudge.as_view(), name="api-judge"),
    path("ratings", runs.Ratings.as_view(), name="api-ratings"),
    path("policies", policies.Policies.as_view(), name="api-policies"),
    path("slices", slices.Slices.as_view(), name="api-slices"),
    path("slices/export", slices.SliceExport.as_view(), name="api-slices-export"),
    path("slices/import", slices.SliceImport.as_view(), name="api-slices-import"),
    path("slices/<str:slug>", slices.OneSlice.as_view(), name="api-slice"),
    path("suites", suites.Suites.as_view(), name="api-suites"),
    path("suites/<str:suite>", suites.OneSuite.as_view(), name="api-suite"),
    path("suite-imports/<str:key>", suites.OneImport.as_view(), name="api-suite-import"),
]
