"""Proofs a second: of receipts in a large log, and that it only grew; made from the database, and verified."""

import base64
import random
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import TypeVar

from audit.anchor_models import Checkpoint
from audit.chain import leaf_of
from audit.log import heads as log
from audit.log import merkle
from audit.models import Receipt
from relcontrol.accounts.models import Organization
from relcontrol.bench import figures
from relcontrol.bench.options import Options
from relcontrol.bench.tables import Table

Step = TypeVar("Step")
Result = TypeVar("Result")

PLACES = 500
COLUMNS = ("what", "log", "hashes", "median", "95th", "per second")


def proof_table(organization: Organization, options: Options) -> Table:
    """Random places of the organization's log, each proven and verified once."""
    notes = [
        "A proof of a receipt is the whole file: its nodes in one query, its text. The checkpoint is given; to sign a",
        "head takes as long as the line of that name says.",
    ]
    return Table("Proofs of the log", COLUMNS, list(_rows(organization, options)), notes)


def _rows(organization: Organization, options: Options) -> Iterator[tuple[str, ...]]:
    head = log.signed_head(organization)
    checkpoint = Checkpoint(organization=organization, size=head.size, root=head.root.hex(), note=head.note)
    places = random.Random(options.seed)  # noqa: S311 - which places are measured is no secret
    seqs = [places.randint(1, head.size) for _ in range(min(PLACES, head.size))]
    receipts = [_receipt(organization, seq) for seq in seqs]
    _, signing = _each(receipts, lambda _: log.signed_head(organization))
    yield _row("sign the present head", head.size, 0, signing)
    files, proving = _each(receipts, lambda receipt: log.proof_of(receipt, checkpoint))
    yield _row("inclusion: prove", head.size, len(_hashes(files[0])), proving)
    yield _row("inclusion: verify", head.size, len(_hashes(files[0])), _verify_inclusion(receipts, files, head))
    grown, proving = _each(seqs, lambda old: log.consistency(organization, old, head.size))
    yield _row("consistency: prove", head.size, round(median(map(len, grown))), proving)
    roots = [log.root_at(organization, seq) for seq in seqs]
    steps = list(zip(seqs, roots, grown, strict=True))
    _, checking = _each(steps, lambda step: merkle.verify_consistency(step[0], step[1], head.size, head.root, step[2]))
    yield _row("consistency: verify", head.size, round(median(map(len, grown))), checking)


def _verify_inclusion(receipts: Sequence[Receipt], files: Sequence[str], head: log.Head) -> list[float]:
    """Seconds of each; the hashes are read from the files."""
    steps = [
        (leaf_of(receipt.receipt_hash), receipt.seq - 1, _hashes(file))
        for receipt, file in zip(receipts, files, strict=True)
    ]
    _, spent = _each(steps, lambda step: merkle.verify_inclusion(step[0], step[1], head.size, step[2], head.root))
    return spent


def _receipt(organization: Organization, seq: int) -> Receipt:
    found = Receipt.objects.only("seq", "receipt_hash", "organization").get(organization=organization, seq=seq)
    found.organization = organization
    return found


def _hashes(file: str) -> list[bytes]:
    """The hashes of a proof file: the lines after its first two, up to the empty one."""
    return [base64.b64decode(line) for line in file.partition("\n\n")[0].split("\n")[2:]]


def _each(steps: Sequence[Step], work: Callable[[Step], Result]) -> tuple[list[Result], list[float]]:
    """What each step gave, and the seconds that it took."""
    results, spent = [], []
    for step in steps:
        began = time.perf_counter()
        results.append(work(step))
        spent.append(time.perf_counter() - began)
    return results, spent


def _row(name: str, size: int, hashes: int, spent: Sequence[float]) -> tuple[str, ...]:
    slow = sorted(spent)[int(0.95 * (len(spent) - 1))]
    shown = [f"{figures.milliseconds(one)} ms" for one in (median(spent), slow)]
    return (name, figures.count(size), str(hashes) if hashes else "-", *shown, figures.rate(len(spent), sum(spent)))
