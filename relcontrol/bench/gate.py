"""`manage.py bench gate`: agreement of many slices beside SciPy, and a large gate run from HTTP to its verdict."""

from collections.abc import Iterator

from relcontrol.bench.gate_agreements import agreement_table
from relcontrol.bench.gate_runs import run_table
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table


def gate(options: Options) -> Iterator[Table]:
    """`options.size` cases are sent and judged; a hundredth of it are the slices whose agreement is measured."""
    yield agreement_table(options)
    yield run_table(options)
