"""`manage.py bench gate`: agreement beside SciPy, a large gate run from HTTP to its verdict, a long report."""

from collections.abc import Iterator

from relcontrol.bench.gate_agreements import agreement_table
from relcontrol.bench.gate_runs import run_table
from relcontrol.bench.options import Options
from relcontrol.bench.report import measure
from relcontrol.bench.tables import Table

CASES_TO_A_RECEIPT = 50  # 100,000 cases and a report of 2,000 receipts, which is as long as one gets


def gate(options: Options) -> Iterator[Table]:
    """`options.size` cases are sent and judged; a hundredth of it are the slices whose agreement is measured."""
    yield agreement_table(options)
    yield run_table(options)
    yield measure(options.size // CASES_TO_A_RECEIPT, shares=(1.0,))
