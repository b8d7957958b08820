"""Pages of the evidence, below /o/<organization>/audit/."""

from django.urls import path

from audit.pages import anchors, check, explorer, exports, receipts, requirements, scopes

urlpatterns = [
    path("", explorer.explorer, name="audit"),
    path("range/", explorer.verify_range, name="audit-range"),
    path("receipts/<str:receipt>/", receipts.receipt, name="receipt"),
    path("receipts/<str:receipt>/envelope.json", receipts.envelope, name="receipt-envelope"),
    path("anchors/", anchors.anchors, name="anchors"),
    path("anchors/<str:checkpoint>/", anchors.checkpoint, name="anchor-checkpoint"),
    path("anchors/<str:checkpoint>/note.txt", anchors.note, name="anchor-note"),
    path("anchors/<str:checkpoint>/<str:anchor>/evidence", anchors.evidence, name="anchor-evidence"),
    path("anchors/<str:checkpoint>/<str:anchor>/roots.pem", anchors.roots, name="anchor-roots"),
    path("exports/", exports.exports, name="exports"),
    path("exports/<str:export>/", exports.export, name="export"),
    path("exports/<str:export>/file.json", exports.export_file, name="export-file"),
    path("exports/<str:export>/report.pdf", exports.export_report, name="export-report"),
    path("exports/<str:export>/export.zip", exports.export_zip, name="export-zip"),
    path("scopes/", scopes.scopes, name="scopes"),
    path("scopes/<str:scope>/delete", scopes.delete, name="scope-delete"),
    path("scopes/<str:scope>/export", scopes.export, name="scope-export"),
    path("requirements/", requirements.requirement_map, name="requirements"),
    path("verify/", check.check, name="verify"),
    path("verify/script.js", check.script, name="verify-script"),
    path("verify/style.css", check.style, name="verify-style"),
    path("verify.html", check.file, name="verifier-page"),
    path("verify.py", exports.verifier_file, name="verifier-file"),
    path("trust.json", exports.trust_file, name="trust-file"),
]
