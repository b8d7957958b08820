"""What the settings pages share: addresses, one page of a list, a form that a service carries out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpResponse
from django.urls import reverse

from audit.administration.forms import as_initial
from relcontrol.accounts.permissions import ADMINISTER, Denied
from relcontrol.api.pages import cursor_of, key_of
from relcontrol.errors import DomainError, Forbidden, NotFound
from relcontrol.web.forms import Form, add_domain_errors
from relcontrol.web.pages import PageRequest
from relcontrol.web.signin import require_step_up, returned_form

PER_PAGE = 50
Row = TypeVar("Row", bound=Model)
AnyForm = TypeVar("AnyForm", bound=Form)


@dataclass(frozen=True, slots=True)
class Listed(Generic[Row]):
    """One page of rows and the way to the next."""

    rows: list[Row]
    next_cursor: str | None


def address(request: PageRequest, name: str, /, **parts: str) -> str:
    """The address of a page of this organization."""
    return reverse(name, kwargs={"organization": request.actor.organization.slug, **parts})


def one_page(request: PageRequest, rows: QuerySet[Row]) -> Listed[Row]:
    """Fifty rows from the cursor of the address on, newest first."""
    if cursor := request.GET.get("cursor", ""):
        rows = rows.filter(pk__lt=key_of(cursor))
    shown = list(rows.order_by("-pk")[: PER_PAGE + 1])
    following = cursor_of(shown[PER_PAGE - 1].pk) if len(shown) > PER_PAGE else None
    return Listed(shown[:PER_PAGE], following)


def crumbs(request: PageRequest, *trail: tuple[str, str | None]) -> list[tuple[str, str | None]]:
    """The way from the settings to here."""
    return [("Settings", address(request, "settings")), *trail]


def may_not(request: PageRequest) -> str:
    """Why this person may not administer; empty where she may."""
    answer = request.actor.may(ADMINISTER)
    return answer.reason if isinstance(answer, Denied) else ""


def form_of(request: PageRequest, form: type[AnyForm], initial: dict[str, Any] | None = None) -> AnyForm:
    """The form as it was sent, as it comes back from the step-up, or as it begins."""
    return form(request.POST or None, initial={**(initial or {}), **as_initial(form, returned_form(request))})


def step_up(request: PageRequest, words: str, form_url: str) -> HttpResponse | None:
    """None where this person may administer and has lately proved who she is; else the way to the proof."""
    request.actor.require(ADMINISTER)
    return require_step_up(request, words, form_url=form_url)


def carried_out(form: Form, act: Callable[..., object]) -> bool:
    """Whether the form can be read and the service did what it asks for; else the form says what to mend."""
    if not form.is_valid():
        return False
    try:
        act(**form.cleaned_data)
    except (NotFound, Forbidden):
        raise  # pages of their own
    except DomainError as error:
        add_domain_errors(form, error)
        return False
    return True
