"""Verification and export of many receipts: how long, how much memory, and against what bare reading would take."""

import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit import verify
from audit.envelope import PAYLOAD_TYPES, pae
from audit.exporting.exports import content_of, make_export, request_export
from audit.keys.keyring import signer
from audit.keys.signing import RECEIPTS
from audit.models import Export, Receipt
from audit.trust import trust_document
from audit.verifier_page import verifier_page
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.bench import figures
from relcontrol.bench.generator import Size, generate
from relcontrol.bench.options import Options
from relcontrol.bench.processes import in_processes
from relcontrol.bench.surroundings import settle
from relcontrol.bench.tables import Table
from relcontrol.clock import now
from relcontrol.jobs.running import run
from relcontrol.runtime.folders import CHECKOUT
from relcontrol.runtime.system_packages import chromium

SHARE_OF_RELEASES = 10
SAMPLE = 500
NOTHING_FAILED = 3  # verify.py: TIME is not checked before there are anchors
COLUMNS = ("what", "receipts", "time", "per second", "peak memory", "of it grown")


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time in seconds; memory in bytes, and how much of it came during the work."""

    seconds: float
    peak: int = 0
    grown: int = 0

    def row(self, name: str, receipts: int) -> tuple[str, ...]:
        """A line of the table."""
        peak = figures.mebibytes(self.peak) if self.peak else "-"
        grown = figures.mebibytes(self.grown) if self.grown else "-"
        rate = figures.rate(receipts, self.seconds)
        return (name, figures.count(receipts), figures.seconds(self.seconds), rate, peak, grown)


def export_table(options: Options) -> Table:
    """Generate, export, verify."""
    with tempfile.TemporaryDirectory(prefix="relcontrol-bench-") as folder:
        rows = list(_rows(options, Path(folder)))
    return Table(
        "Export and verification",
        COLUMNS,
        rows,
        [
            "Peers: the bare signatures are what any verifier must at least do; the bare reading is every byte that",
            "the export holds, read from the database and thrown away.",
        ],
    )


def _rows(options: Options, folder: Path) -> Iterator[tuple[str, ...]]:
    sample = min(SAMPLE, options.size)
    began = time.perf_counter()
    organization = _organization("evidence", options.size)
    yield Cost(time.perf_counter() - began).row("generator: sign, link, COPY", options.size)
    settle()
    file, trust = folder / "export.json", folder / "trust.json"
    trust.write_text(json.dumps(trust_document(organization)))
    yield _exported(organization, file).row("export", options.size)
    yield _timed(partial(_read_bare, organization)).row("peer: bare reading", options.size)
    yield _verified(file, trust).row("verify.py with cryptography", options.size)
    yield from _in_a_browser(file, trust, folder, options.size)
    yield _timed(partial(_check_bare_signatures, organization)).row("peer: bare signatures", options.size)
    small = _organization("sample", sample)
    trust.write_text(json.dumps(trust_document(small)))
    _exported(small, file)
    yield _verified(file, trust, "-I", "-S").row("verify.py in pure Python", sample)


def _organization(slug: str, receipts: int) -> Organization:
    return generate(slug=slug, size=Size(max(1, receipts // SHARE_OF_RELEASES), receipts), now=now())


def _exported(organization: Organization, file: Path) -> Cost:
    """Make the export as a worker does, in a process of its own, and write its file."""
    export = request_export(actor=command_actor(organization), scope={"organization": True}, with_report=False)
    [cost] = in_processes([partial(_measured, export.pk)])
    export.refresh_from_db()
    if export.state != Export.State.DONE:
        raise RuntimeError(f"the export ended as {export.state}: {export.problem}")
    with file.open("wb") as stream:
        for piece in content_of(export):
            stream.write(piece)
    return cost


def _measured(key: str) -> Cost:
    before, began = _peak(), time.perf_counter()
    run(Export.objects.filter(pk=key), make_export)
    return Cost(time.perf_counter() - began, _peak(), _peak() - before)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * figures.KIBIBYTE


# Started without packages and small, so that the figure is the verifier's own: a child begins with its parent's peak.
LAUNCHER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([code, time.perf_counter() - began, peak]))
"""


def _verified(file: Path, trust: Path, *flags: str) -> Cost:
    """`verify.py` as an auditor runs it. `-I -S` hides every installed package from it."""
    command = [sys.executable, *flags, str(verify.__file__), str(file), "--trust", str(trust), "--quiet"]
    launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, *command]
    answer = subprocess.run(launch, capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own file
    code, seconds, peak = json.loads(answer)
    if code not in {0, NOTHING_FAILED}:
        raise RuntimeError(f"verify.py ended with {code}: the chain of this bench does not hold")
    return Cost(seconds, peak * figures.KIBIBYTE)


def _in_a_browser(file: Path, trust: Path, folder: Path, size: int) -> Iterator[tuple[str, ...]]:
    """`verify.html` from disk with the network off, where there is a browser and what drives it."""
    browser, name = chromium(), "verify.html in Chromium, from disk"
    if browser is None or importlib.util.find_spec("playwright") is None:
        yield (f"{name}: no Chromium, or no Playwright", *["-"] * (len(COLUMNS) - 1))
        return
    page = folder / "verify.html"
    page.write_bytes(verifier_page())
    command = [sys.executable, "-m", "relcontrol.bench.evidence_page", *map(str, (page, file, trust)), browser]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=CHECKOUT)  # noqa: S603 - our own
    yield Cost(float(done.stdout)).row(name, size)


def _timed(work: partial[None]) -> Cost:
    began = time.perf_counter()
    work()
    return Cost(time.perf_counter() - began)


def _read_bare(organization: Organization) -> None:
    rows = Receipt.objects.filter(organization=organization).order_by("seq")
    columns = rows.values_list("payload", "signature", "openings__salt", "openings__value")
    for _ in columns.iterator(chunk_size=500):
        pass


def _check_bare_signatures(organization: Organization) -> None:
    key = Ed25519PublicKey.from_public_bytes(signer(RECEIPTS).public)
    rows = Receipt.objects.filter(organization=organization).values_list("payload", "signature")
    for payload, signature in rows.iterator(chunk_size=500):
        key.verify(bytes(signature), pae(PAYLOAD_TYPES[RECEIPTS], bytes(payload)))
