"""From the export's JSON to PDF/A-3a: Django's templates for the pages, WeasyPrint for the paper.

The same bytes come out for the same JSON and trust file, whatever the clock, the time zone and the order of hashes:
every date is the export's own, the identifier is the JSON's digest, and the fonts are those that are vendored. Nothing
is fetched but these; another version of WeasyPrint or Pango may set the pages otherwise.
"""

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from audit.report.content import Report, report_of
from audit.report.reading import Export
from audit.report.verdicts import Verified, verified

VENDOR = Path(settings.BASE_DIR) / "static" / "vendor"
STYLE = Path(__file__).with_name("report.css")
LAID_OUT = "Step 5 - Creating layout - Page"
EPOCH = "SOURCE_DATE_EPOCH"
SAYING_SECONDS = 2.0
_one_at_a_time = threading.Lock()

Progress = Callable[[int], None]


class PdfUnavailableError(RuntimeError):
    """This machine cannot make a PDF; the text says what it lacks."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A report as PDF."""

    content: bytes
    pages: int


def render_report(
    document: bytes, progress: Progress | None = None, trust: Mapping[str, Any] | None = None
) -> Rendered:
    """The report of an export's JSON. `progress` is told how many pages are laid out.

    `trust` is the organization's trust file, with which the six verdicts on the cover are those of the verifier.
    Raises `ReportError` for bytes that are no export, and `PdfUnavailableError` where Pango is missing.
    """
    export = Export(document)
    report = report_of(export, _verified(document, trust, progress or _nobody))
    page = render_to_string("audit/report/report.html", {"report": report})
    with _one_at_a_time, _progress_told(progress or _nobody), _clock_of(report):
        return _rendered(page, report, document, progress or _nobody)


def _verified(document: bytes, trust: Mapping[str, Any] | None, progress: Progress) -> Verified:
    """What the verifier says, beside a progress that is told of no page: a large export takes longer than a lease."""
    with ThreadPoolExecutor(max_workers=1) as verifier:
        saying = verifier.submit(verified, document, trust)
        while not wait([saying], timeout=SAYING_SECONDS).done:
            progress(0)
        return saying.result()


def _nobody(_pages: int) -> None:
    """Progress that nobody waits for."""


class _Told(list[Any]):
    """Pages that tell of it when they are gone through: painting them takes as long as laying them out."""

    def __init__(self, pages: list[Any], progress: Progress) -> None:
        super().__init__(pages)
        self._progress = progress

    def __iter__(self) -> Iterator[Any]:
        """Each page, once more."""
        for page in super().__iter__():
            self._progress(len(self))
            yield page


def _rendered(page: str, report: Report, document: bytes, progress: Progress) -> Rendered:
    weasyprint = _weasyprint()
    fonts = weasyprint.text.fonts.FontConfiguration()
    ours: Any = {"base_url": f"{VENDOR.as_uri()}/", "url_fetcher": _fetcher(weasyprint)}
    sheet = weasyprint.CSS(string=STYLE.read_text(encoding="utf-8"), font_config=fonts, **ours)
    laid_out = weasyprint.HTML(string=page, **ours).render(font_config=fonts, stylesheets=[sheet])
    at = datetime.fromisoformat(report.created_at)
    attachment = weasyprint.Attachment(
        string=document,
        name=report.file,
        description="The export that this report was made from: signed, and verified by verify.py",
        created=at,
        modified=at,
        relationship="Source",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # WeasyPrint leaves the file of its colour profile open
        content = laid_out.copy(_Told(laid_out.pages, progress)).write_pdf(
            pdf_variant="pdf/a-3a",
            pdf_identifier=bytes.fromhex(report.sha256)[:16],
            attachments=[attachment],
        )
    return Rendered(content, len(laid_out.pages))


def _weasyprint() -> Any:
    """Imported late: it opens Pango, which only PDFs need."""
    try:
        weasyprint = import_module("weasyprint")
        import_module("weasyprint.text.fonts")
    except OSError as error:
        raise PdfUnavailableError(
            "This server makes no PDF, as Pango is missing. Install libpango-1.0-0, libpangoft2-1.0-0 and "
            "libharfbuzz-subset0, then make another export."
        ) from error
    return weasyprint


def _fetcher(weasyprint: Any) -> Any:
    """Opens the vendored fonts and nothing else, wherever an address may come from."""
    allowed = f"{VENDOR.as_uri()}/"

    class Fonts(weasyprint.urls.URLFetcher):  # type: ignore[misc]  # its base is known only after the late import
        """WeasyPrint's fetcher, confined."""

        def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
            """The file of a font."""
            if not url.startswith(allowed) or ".." in url or not url.endswith(".woff2"):
                raise ValueError("a report fetches its own fonts and nothing else")
            return super().fetch(url, headers)

    return Fonts(allowed_protocols=["file"])


@contextmanager
def _clock_of(report: Report) -> Iterator[None]:
    """The time of saving, which fontTools writes into every font, is the export's (reproducible-builds.org)."""
    before = os.environ.get(EPOCH)
    os.environ[EPOCH] = str(int(datetime.fromisoformat(report.created_at).timestamp()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[EPOCH]
        else:
            os.environ[EPOCH] = before


class _Pages(logging.Handler):
    """WeasyPrint tells of each page in its log of progress, and nowhere else."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.INFO)
        self._progress = progress
        self._pages = 0

    def emit(self, record: logging.LogRecord) -> None:
        """A page; where numbers of pages move the text, pages are laid out again."""
        if record.getMessage().startswith(LAID_OUT) and isinstance(record.args, tuple):
            number = record.args[0]
            self._pages = max(self._pages, number if isinstance(number, int) else 0)
        self._progress(self._pages)


@contextmanager
def _progress_told(progress: Progress) -> Iterator[None]:
    """Hear of pages, which are told to nobody else; and nothing of how fonts are cut, which fills a log."""
    logger, handler = logging.getLogger("weasyprint.progress"), _Pages(progress)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        with _level("weasyprint.progress", logging.INFO), _level("fontTools", logging.WARNING):
            yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


@contextmanager
def _level(name: str, level: int) -> Iterator[None]:
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.setLevel(before)
