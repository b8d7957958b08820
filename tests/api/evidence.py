"""The evidence of `world`: anchors, weights and an export that can be fetched, each with an address."""

from audit.anchor_models import Anchor
from audit.anchors.checkpoints import open_checkpoint
from audit.anchors.sinks import add_sink
from audit.exporting.exports import make_export, request_export
from audit.models import Export, ExportPart
from audit.weights.predicates import Predicate
from audit.weights.statements import add_statement
from relcontrol.clock import now
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run
from tests.audit.weights.observing import observer, statement
from tests.releases.scene import Scene


def anchored(made: Scene) -> dict[str, str]:
    """A sink and a checkpoint that it was given; its evidence is a stand-in, as nobody is asked."""
    settings = {"url": "http://127.0.0.1:1/heads", "secret_name": "heads"}
    sink = add_sink(actor=made.actor, name=f"copy of {made.organization.slug}", kind="webhook", settings=settings)
    checkpoint = open_checkpoint(organization=made.organization, reason="asked", at=now())
    anchor = checkpoint.anchors.get()
    done = {"state": LeasedJob.State.DONE, "evidence": b"{}", "evidence_sha256": "0" * 64}
    Anchor.objects.filter(pk=anchor.pk).update(**done, made_at=now(), proved_at=now())
    return {"sink": sink.pk, "checkpoint": checkpoint.pk, "anchor": anchor.pk, "kind": "rfc3161"}


def observed(made: Scene) -> dict[str, str]:
    """An observer of weights, and a statement that it has handed in."""
    slug = made.organization.slug
    predicate = Predicate({f"weights-of-{slug}": "1" * 64})
    known = add_statement(actor=made.actor, bundle=statement(predicate).bundle)[0]
    return {"weights": known.weights_sha256, "observer": observer(made.organization).pk}


def finished_export(made: Scene) -> Export:
    """An export that can be fetched; its report is a stand-in, since rendering one takes a second."""
    export = request_export(actor=made.actor, scope={"organization": True}, with_report=False)
    run(Export.objects.filter(pk=export.pk), make_export)
    ExportPart.objects.create(export=export, kind="pdf", number=0, content=b"%PDF-1.7")
    Export.objects.filter(pk=export.pk).update(report_sha256="0" * 64, report_size=8, report_pages=1)
    export.refresh_from_db()
    assert export.state == Export.State.DONE
    return export
