"""`manage.py bench receipts`: appends, mixed decisions, export and verification."""

from collections.abc import Iterator

from relcontrol.bench.appends import append_table
from relcontrol.bench.evidence_export import export_table
from relcontrol.bench.mixed import mixed_table
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table


def receipts(options: Options) -> Iterator[Table]:
    """The mixed decisions alone where they are asked for, else everything else."""
    if options.mixed:
        yield mixed_table(options)
        return
    yield append_table(options)
    yield export_table(options)
