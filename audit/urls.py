"""Pages of the evidence, below /o/<organization>/audit/."""

from django.urls import path

from audit.pages import explorer, exports, receipts

urlpatterns = [
    path("", explorer.explorer, name="audit"),
    path("range/", explorer.verify_range, name="audit-range"),
    path("receipts/<str:receipt>/", receipts.receipt, name="receipt"),
    path("receipts/<str:receipt>/envelope.json", receipts.envelope, name="receipt-envelope"),
    path("exports/", exports.exports, name="exports"),
    path("exports/<str:export>/", exports.export, name="export"),
    path("exports/<str:export>/file.json", exports.export_file, name="export-file"),
    path("exports/<str:export>/report.pdf", exports.export_report, name="export-report"),
    path("verify.py", exports.verifier_file, name="verifier-file"),
    path("trust.json", exports.trust_file, name="trust-file"),
]
