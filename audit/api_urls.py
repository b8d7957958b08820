"""Paths of the audit API."""

from django.urls import path

from audit import api
from audit.anchors import api as anchor_api
from audit.log import api as log_api
from audit.scopes import api as scope_api
from audit.weights import api as weights_api

urlpatterns = [
    path("receipts", api.Receipts.as_view(), name="api-receipts"),
    path("receipts/<str:receipt>", api.OneReceipt.as_view(), name="api-receipt"),
    path("receipts/<str:receipt>/proof", log_api.ReceiptProof.as_view(), name="api-receipt-proof"),
    path("log/head", log_api.LogHead.as_view(), name="api-log-head"),
    path("log/consistency", log_api.LogConsistency.as_view(), name="api-log-consistency"),
    path("anchors", anchor_api.Anchors.as_view(), name="api-anchors"),
    path("anchors/schedule", anchor_api.Schedule.as_view(), name="api-anchor-schedule"),
    path("anchors/sinks", anchor_api.Sinks.as_view(), name="api-anchor-sinks"),
    path("anchors/sinks/<str:sink>", anchor_api.OneSink.as_view(), name="api-anchor-sink"),
    path("trust", api.Trust.as_view(), name="api-trust"),
    path("verify.html", api.VerifierPage.as_view(), name="api-verifier-page"),
    path("verify.py", api.VerifierFile.as_view(), name="api-verifier"),
    path("weights/statements", weights_api.Statements.as_view(), name="api-weights-statements"),
    path("weights/observers", weights_api.Observers.as_view(), name="api-weights-observers"),
    path("scopes", scope_api.SavedScopes.as_view(), name="api-scopes"),
    path("scopes/<str:scope>", scope_api.OneSavedScope.as_view(), name="api-scope"),
    path("requirements", scope_api.Requirements.as_view(), name="api-requirements"),
    path("exports", api.Exports.as_view(), name="api-exports"),
    path("exports/<str:export>.json", api.ExportFile.as_view(), name="api-export-file"),
    path("exports/<str:export>.pdf", api.ExportReport.as_view(), name="api-export-report"),
    path("exports/<str:export>.zip", api.ExportZip.as_view(), name="api-export-zip"),
    path("exports/<str:export>", api.OneExport.as_view(), name="api-export"),
]
