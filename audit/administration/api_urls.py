"""Paths of the administration API."""

from django.urls import path

from audit.administration import api

urlpatterns = [
    path("applications", api.Applications.as_view(), name="api-applications"),
    path("routes", api.Routes.as_view(), name="api-routes"),
    path("endpoints", api.Endpoints.as_view(), name="api-endpoints"),
]
