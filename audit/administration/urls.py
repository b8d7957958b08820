"""Addresses of the settings, below /o/<organization>/settings/."""

from django.urls import path

from audit.administration.pages import (
    anchors,
    application_keys,
    applications,
    endpoints,
    health,
    keys,
    overview,
    people,
    tokens,
    weights,
)

urlpatterns = [
    path("", overview.settings, name="settings"),
    path("applications/", applications.applications, name="settings-applications"),
    path("applications/<slug:slug>/", applications.application, name="settings-application"),
    path("applications/<slug:slug>/name", applications.rename, name="settings-application-name"),
    path("applications/<slug:slug>/clients", applications.client_settings, name="settings-application-clients"),
    path("applications/<slug:application>/keys/", application_keys.application_keys, name="settings-application-keys"),
    path(
        "applications/<slug:application>/keys/<slug:application_key>/revoke",
        application_keys.revoke,
        name="settings-application-key-revoke",
    ),
    path("endpoints/", endpoints.endpoints, name="settings-endpoints"),
    path("endpoints/<slug:name>/", endpoints.endpoint, name="settings-endpoint"),
    path("people/", people.people, name="settings-people"),
    path("people/<slug:key>/", people.member, name="settings-member"),
    path("people/<slug:key>/remove", people.remove, name="settings-member-remove"),
    path("tokens/", tokens.tokens, name="settings-tokens"),
    path("tokens/own/", tokens.own_tokens, name="settings-own-tokens"),
    path("tokens/<slug:key>/revoke", tokens.revoke, name="settings-token-revoke"),
    path("keys/", keys.keys, name="settings-keys"),
    path("keys/<slug:keyid>/rotate/", keys.rotate, name="settings-key-rotate"),
    path("keys/<slug:keyid>/revoke/", keys.revoke, name="settings-key-revoke"),
    path("anchors/", anchors.anchors, name="settings-anchors"),
    path("anchors/now", anchors.now_please, name="settings-anchor-now"),
    path("anchors/new/<slug:kind>/", anchors.new_sink, name="settings-anchor-new"),
    path("anchors/<slug:sink>/", anchors.sink, name="settings-anchor-sink"),
    path("anchors/<slug:sink>/switch", anchors.switch, name="settings-anchor-switch"),
    path("weights/", weights.observers, name="settings-weights"),
    path("weights/<slug:observer>/revoke", weights.revoke, name="settings-weights-revoke"),
    path("health/", health.health, name="settings-health"),
]
