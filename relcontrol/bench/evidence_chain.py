"""A whole chain verified where it stands: what the ticker does in steps, done at once, in memory that does not grow."""

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from audit.chain_checks import check_chain
from audit.models import ChainCheck, ChainHead
from relcontrol.accounts.models import Organization
from relcontrol.bench import figures
from relcontrol.bench.processes import in_processes
from relcontrol.bench.tables import Table
from relcontrol.clock import now

COLUMNS = ("what", "receipts", "time", "per second", "peak memory", "of it grown")


@dataclass(frozen=True, slots=True)
class Walked:
    """How far the chain holds, in seconds and bytes."""

    seq: int
    problem: str
    seconds: float
    peak: int
    grown: int


def chain_table(organization: Organization) -> Table:
    """Every receipt of the organization, in a process of its own."""
    size = ChainHead.objects.get(organization=organization).seq
    [walked] = in_processes([partial(_walked, organization.pk)])
    return Table(
        "Verification over the database",
        COLUMNS,
        [_row(walked)],
        [
            "audit.chain_checks: signature, form and link of every receipt by the auditor's own code, each node and",
            "the root of the log grown again. An export of a million receipts is over the 1 GiB that verify.py takes:",
            "at that size this line stands for it. verify.py itself is measured below, on an export that it takes.",
        ],
        list(_problems(walked, size)),
    )


def _walked(organization: str) -> Walked:
    """The check's steps until the last, as one ticker after the other would take them."""
    before, began, moment = _peak(), time.perf_counter(), now()
    check = ChainCheck.objects.select_related("organization").get(organization=organization)
    seq = -1
    while check.seq != seq and not check.problem:
        seq = check.seq
        check = check_chain(check, moment)
    return Walked(check.seq, check.problem, time.perf_counter() - began, _peak(), _peak() - before)


def _row(walked: Walked) -> tuple[str, ...]:
    return (
        "chain, signatures and log (audit.chain_checks)",
        figures.count(walked.seq),
        figures.seconds(walked.seconds),
        figures.rate(walked.seq, walked.seconds),
        figures.mebibytes(walked.peak),
        figures.mebibytes(walked.grown),
    )


def _problems(walked: Walked, size: int) -> Iterator[str]:
    if walked.problem:
        yield f"the generated chain does not verify: {walked.problem}"
    elif walked.seq != size:
        yield f"the check of the chain stopped at #{walked.seq:,} of {size:,}"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * figures.KIBIBYTE
