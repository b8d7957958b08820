"""All addresses. Pages of an organization are below /o/<organization>/, the REST API below /v1/."""

from django.urls import include, path

from relcontrol import health, overview

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("", include("relcontrol.web.urls")),
    path("v1/", include("relcontrol.api.urls")),
    path("v1/", include("audit.administration.api_urls")),
    path("v1/", include("audit.api_urls")),
    path("v1/", include("releases.api_urls")),
    path("v1/", include("gates.api_urls")),
    path("v1/", include("relcontrol.api.unknown_urls")),
    path("o/<slug:organization>/", overview.overview, name="overview"),
    path("o/<slug:organization>/", include("relcontrol.search")),
    path("o/<slug:organization>/", include("releases.urls")),
    path("o/<slug:organization>/", include("gates.urls")),
    path("o/<slug:organization>/audit/", include("audit.urls")),
    path("o/<slug:organization>/settings/", include("audit.administration.urls")),
]

handler400 = "relcontrol.web.errors.handler400"
handler403 = "relcontrol.web.errors.handler403"
handler404 = "relcontrol.web.errors.handler404"
handler500 = "relcontrol.web.errors.handler500"
