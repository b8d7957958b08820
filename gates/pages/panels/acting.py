"""What is done with a panel from its page: closed, cancelled, given the grades of a file."""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect

from gates.pages.panels.wording import amount
from gates.pages.runs.paths import address
from gates.panel_models import Panel
from gates.panels.closing import cancel_panel, close_panel
from gates.panels.importing import import_grades
from relcontrol.errors import TooLarge, invalid
from relcontrol.web.forms import TypedNameForm
from relcontrol.web.pages import PageRequest
from relcontrol.web.words import size

Act = Callable[[PageRequest, Panel, TypedNameForm], str]
FORMATS: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


def acted(request: PageRequest, row: Panel, typed: TypedNameForm) -> HttpResponse:
    """Do what `act` asks for, say what was done and show the panel. Raises what the service raises."""
    act = _ACTS.get(request.POST.get("act", ""))
    if act is None:
        raise invalid("act", "Say what is to be done: close the panel, cancel it, or bring grades of a file.")
    messages.success(request, act(request, row, typed))
    return HttpResponseRedirect(address(request, "panel", panel=row.pk))


def _close(request: PageRequest, row: Panel, _typed: TypedNameForm) -> str:
    close_panel(actor=request.actor, panel=row, anyway=request.POST.get("anyway") == "on")
    what = f"Its grades belong to {row.suite.name} now." if row.suite else "Its grades are kept with it."
    return f"{row.name} is closed, with a receipt in your name. {what}"


def _cancel(request: PageRequest, row: Panel, typed: TypedNameForm) -> str:
    if not typed.is_valid():
        raise invalid("typed", f"Type {row.name} exactly as it stands here; nothing was done.")
    cancel_panel(actor=request.actor, panel=row)
    return f"{row.name} is cancelled. Nobody grades in it any more, and no grade in it counts."


def _import(request: PageRequest, row: Panel, _typed: TypedNameForm) -> str:
    file = request.FILES.get("file")
    if file is None or file.name is None:
        raise invalid("file", "Choose a file.")
    if (file.size or 0) > settings.UPLOAD_LIMIT:
        raise TooLarge(f"At most {size(settings.UPLOAD_LIMIT)}; this file has {size(file.size or 0)}.")
    file_format = FORMATS.get(PurePath(file.name).suffix.lower(), "")
    if not file_format:
        raise invalid("file", "The file must end in .csv or .jsonl.")
    done = import_grades(actor=request.actor, panel=row, body=file.read(), file_format=file_format)
    known = f" {amount(done.known, 'grade')} had been there before." if done.known else ""
    return f"{amount(done.added, 'grade')} of {amount(done.raters, 'rater')} came in.{known}"


_ACTS: Final[Mapping[str, Act]] = {"close": _close, "cancel": _cancel, "import": _import}
