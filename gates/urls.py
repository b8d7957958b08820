"""Pages of the gate, below /o/<organization>/."""

from django.urls import path

from gates.pages import slices, suites

urlpatterns = [
    path("slices/", slices.slices, name="slices"),
    path("slices/<slug:slug>/", slices.one_slice, name="slice"),
    path("suites/", suites.suites, name="suites"),
    path("suites/imports/<slug:key>/", suites.suite_import, name="suite-import"),
    path("suites/<str:suite>/", suites.suite, name="suite"),
]
