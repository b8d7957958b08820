"""Paths of the audit API."""

from django.urls import path

from audit import api

urlpatterns = [
    path("receipts", api.Receipts.as_view(), name="api-receipts"),
    path("receipts/<str:receipt>", api.OneReceipt.as_view(), name="api-receipt"),
    path("trust", api.Trust.as_view(), name="api-trust"),
    path("verify.py", api.VerifierFile.as_view(), name="api-verifier"),
    path("exports", api.Exports.as_view(), name="api-exports"),
    path("exports/<str:export>.json", api.ExportFile.as_view(), name="api-export-file"),
    path("exports/<str:export>.pdf", api.ExportReport.as_view(), name="api-export-report"),
    path("exports/<str:export>", api.OneExport.as_view(), name="api-export"),
]
