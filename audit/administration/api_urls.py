"""Paths of the administration API."""

from django.urls import path

from audit.administration import api, application_keys_api, changes_api

urlpatterns = [
    path("applications", api.Applications.as_view(), name="api-applications"),
    path("applications/<str:application>", changes_api.OneApplication.as_view(), name="api-application"),
    path("routes", api.Routes.as_view(), name="api-routes"),
    path("endpoints", api.Endpoints.as_view(), name="api-endpoints"),
    path("endpoints/<str:endpoint>", changes_api.OneEndpoint.as_view(), name="api-endpoint"),
    path(
        "applications/<str:application>/keys",
        application_keys_api.ApplicationKeys.as_view(),
        name="api-application-keys",
    ),
    path(
        "applications/<str:application>/keys/<str:application_key>",
        application_keys_api.OneApplicationKey.as_view(),
        name="api-application-key",
    ),
]
