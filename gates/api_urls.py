"""Paths of the gate's API."""

from django.urls import path

from gates.api import slices, suites

urlpatterns = [
    path("slices", slices.Slices.as_view(), name="api-slices"),
    path("slices/<str:slug>", slices.OneSlice.as_view(), name="api-slice"),
    path("suites", suites.Suites.as_view(), name="api-suites"),
    path("suites/<str:suite>", suites.OneSuite.as_view(), name="api-suite"),
    path("suite-imports/<str:key>", suites.OneImport.as_view(), name="api-suite-import"),
]
