"""The API's own paths: who am I, and the schema."""

from django.urls import path

from relcontrol.api.downloads import RelctlFile
from relcontrol.api.me import Me
from relcontrol.api.openapi import openapi_json

urlpatterns = [
    path("me", Me.as_view(), name="api-me"),
    path("relctl.py", RelctlFile.as_view(), name="api-relctl"),
    path("openapi.json", openapi_json, name="api-schema"),
]
