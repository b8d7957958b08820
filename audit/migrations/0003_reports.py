"""The report of an export: its parts beside the JSON's, its digest, and how many receipts it tells."""

from typing import ClassVar

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def count_receipts(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Until now the progress of an export counted its receipts and nothing else."""
    apps.get_model("audit", "Export").objects.update(receipts=models.F("progress_of"))


class Migration(migrations.Migration):
    """Columns of exports and their parts."""

    dependencies: ClassVar = [("audit", "0002_append_only")]
    operations: ClassVar = [
        migrations.AddField("export", "receipts", models.PositiveBigIntegerField(default=0)),
        migrations.AddField("export", "with_report", models.BooleanField(default=True)),
        migrations.AddField("export", "report_pages", models.PositiveIntegerField(default=0)),
        migrations.AddField("export", "report_problem", models.CharField(blank=True, max_length=500)),
        migrations.AddField("export", "report_sha256", models.CharField(blank=True, max_length=64)),
        migrations.AddField("export", "report_size", models.PositiveBigIntegerField(default=0)),
        migrations.RunPython(count_receipts, migrations.RunPython.noop),
        migrations.RemoveConstraint("exportpart", "export_part_once"),
        migrations.AddField(
            "exportpart",
            "kind",
            models.CharField(choices=[("json", "JSON"), ("pdf", "PDF")], default="json", max_length=4),
        ),
        migrations.AddConstraint(
            "exportpart",
            models.UniqueConstraint(fields=("export", "kind", "number"), name="export_part_once"),
        ),
    ]
