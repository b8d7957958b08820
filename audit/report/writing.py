"""The second step of an export: its report, rendered by whoever holds the job's lease and stored in parts.

The JSON is what counts. Where no report can be made of it, the export is issued without one and says why.
"""

import logging
import time
from dataclasses import dataclass

from audit.exporting.parts import content_of, store
from audit.models import Export, ExportPart
from audit.report.content import MOST_RECEIPTS
from audit.report.rendering import PdfUnavailableError, Rendered, render_report
from audit.trust import trust_document
from relcontrol.clock import now
from relcontrol.jobs.leases import MAX_ATTEMPTS, Lease

logger = logging.getLogger(__name__)

MOST_JSON_BYTES = 64 * 1024 * 1024
PAGES_AT_LEAST = 8
RECEIPTS_PER_PAGE = 18
KEEP_SECONDS = 1.0
TOO_LARGE = (
    "This export is too large for a report: its JSON is over 64 MiB. The JSON is whole; for a report, ask for one "
    "application, one release or a shorter time."
)
GIVEN_UP = "The report could not be made: the log of the worker says why. The JSON is whole."


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the report: its digest, or in words why there is none."""

    sha256: str = ""
    size: int = 0
    pages: int = 0
    problem: str = ""


def write_report(lease: Lease[Export]) -> Written:
    """Render the report of a whole JSON and store it."""
    export = lease.job
    if export.size > MOST_JSON_BYTES:
        return Written(problem=TOO_LARGE)
    if export.attempts >= MAX_ATTEMPTS:  # whoever came before fell over it: the JSON must not be lost with it
        return Written(problem=GIVEN_UP)
    try:
        rendered = _rendered(lease)
    except PdfUnavailableError as error:
        logger.warning("no report of %s: %s", export.pk, error)
        return Written(problem=str(error))
    digest, size = store(lease, ExportPart.Kind.PDF, [rendered.content])
    return Written(digest, size, rendered.pages)


def _rendered(lease: Lease[Export]) -> Rendered:
    """With progress in pages, and the lease kept as they are laid out."""
    export = lease.job
    expected = PAGES_AT_LEAST + min(export.receipts, MOST_RECEIPTS) // RECEIPTS_PER_PAGE
    lease.keep(now(), done=0, of=expected)
    kept = time.monotonic()

    def laid_out(pages: int) -> None:
        nonlocal kept
        if time.monotonic() - kept >= KEEP_SECONDS:
            lease.keep(now(), done=pages, of=max(expected, pages + 1))
            kept = time.monotonic()

    return render_report(b"".join(content_of(export)), laid_out, trust_document(export.organization))
