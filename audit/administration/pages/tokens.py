"""Pages: service tokens, everybody's own tokens, and the one answer that shows a new token.

The text of a token stands in the answer to the form and nowhere else: no message, session or row ever holds it.
"""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from audit.administration.forms import OwnTokenForm, ServiceTokenForm
from audit.administration.pages.acting import (
    Listed,
    address,
    carried_out,
    crumbs,
    form_of,
    may_not,
    one_page,
    step_up,
)
from audit.administration.tokens import create_token, revoke_token
from relcontrol.accounts.models import Token
from relcontrol.accounts.permissions import ADMINISTER, VIEW, Allowed
from relcontrol.accounts.selectors import found, tokens_of
from relcontrol.clock import now
from relcontrol.web.forms import Form
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import require_step_up

Made = tuple[Token, str]


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def tokens(request: PageRequest) -> HttpResponse:
    """Tokens of services, for administrators those of people too; and the form for a new service token."""
    here = address(request, "settings-tokens")
    if request.method == "POST" and (detour := step_up(request, "make a service token", here)):
        return detour
    form = form_of(request, ServiceTokenForm)
    if request.method == "POST" and (made := _made(form, lambda **said: create_token(actor=request.actor, **said))):
        return _shown_once(request, made, back=here)
    return _list(request, form, "settings/tokens.html", _visible(request))


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def own_tokens(request: PageRequest) -> HttpResponse:
    """A person's own tokens, which may do what her roles may."""
    here, person = address(request, "settings-own-tokens"), request.actor.person
    words = "make a token that acts in your name"
    if request.method == "POST" and (detour := require_step_up(request, words, form_url=here)):
        return detour
    form = form_of(request, OwnTokenForm)
    made = request.method == "POST" and _made(
        form, lambda **said: create_token(actor=request.actor, person=person, **said)
    )
    if made:
        return _shown_once(request, made, back=here)
    return _list(request, form, "settings/own_tokens.html", tokens_of(request.actor.organization).filter(person=person))


@require_POST
@page(VIEW)
def revoke(request: PageRequest, key: str) -> HttpResponse:
    """End a token now: a person her own, an administrator any."""
    token = found(tokens_of(request.actor.organization), "token", pk=key)
    own = token.person is not None and token.person == request.actor.person
    back = address(request, "settings-own-tokens" if own else "settings-tokens")
    if not own:
        request.actor.require(ADMINISTER)
    if detour := require_step_up(request, f"revoke the token {token.name}", form_url=back):
        return detour
    revoke_token(actor=request.actor, token=token)
    messages.success(request, f"The token {token.name} is revoked: nothing that sends it gets in any more.")
    return HttpResponseRedirect(back)


def state_of(token: Token, at: datetime) -> tuple[str, str]:
    """How a token stands, as a status and its word."""
    if token.revoked_at is not None:
        return "skip", "Revoked"
    if token.expires_at is not None and token.expires_at <= at:
        return "skip", "Ended"
    return "pass", "In use" if token.last_used_at else "Ready"


def _visible(request: PageRequest) -> QuerySet[Token]:
    rows = tokens_of(request.actor.organization)
    return rows if isinstance(request.actor.may(ADMINISTER), Allowed) else rows.filter(person__isnull=True)


def _made(form: Form, make: Callable[..., Made]) -> Made | None:
    made: list[Made] = []
    return made[0] if carried_out(form, lambda **said: made.append(make(**said))) else None


def _list(request: PageRequest, form: Form, template: str, rows: QuerySet[Token]) -> HttpResponse:
    listed: Listed[Token] = one_page(request, rows)
    at = now()
    context = {
        "listed": listed,
        "tokens": [(row, *state_of(row, at)) for row in listed.rows],
        "form": form,
        "denied": may_not(request),
        "crumbs": crumbs(request, ("Tokens", None)),
    }
    return render(request, template, context, status=422 if form.is_bound else 200)


def _shown_once(request: PageRequest, made: Made, back: str) -> HttpResponse:
    token, text = made
    base = request.build_absolute_uri("/")
    context = {
        "token": token,
        "text": text,
        "back": back,
        "command": f'curl {base}v1/me -H "Authorization: Bearer {text}"',
        "crumbs": crumbs(request, ("Tokens", back), (token.name, None)),
    }
    return render(request, "settings/token_made.html", context, status=201)
