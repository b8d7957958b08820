"""Pages: the keyring with what the root signed of it, and the forms that rotate and revoke a key.

Private halves are in files or variables of the machine, never here. A key signs for every organization of the
installation, so only who administers all of them may change one here; others are told of the command.
"""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from audit.administration.forms import RevokeKeyForm
from audit.administration.pages.acting import address, crumbs, step_up
from audit.administration.pages.anchors import log_key
from audit.events import Event
from audit.keys.changes import required_everywhere
from audit.keys.keyring import public_key
from audit.keys.revocation import revoke_key
from audit.keys.rotation import rotate_key
from audit.keys.signing import LOG, ROUTING
from audit.models import KeyringEntry, Receipt
from audit.root.importing import newest, unsigned
from audit.trust import trust_document
from relcontrol.accounts.permissions import ADMINISTER, VIEW
from relcontrol.accounts.selectors import found
from relcontrol.errors import DomainError, Forbidden
from relcontrol.web.forms import TypedNameForm, add_domain_errors
from relcontrol.web.pages import PageRequest, page
from relcontrol.web.signin import returned_form

CHANGES = (Event.KEY_ROTATED.value, Event.KEY_REVOKED.value)
MOST = 20  # changes that the page shows; the explorer has them all
ROOT_COMMANDS = """\
# once, on a machine that stays offline
python3 manage.py keyring root root.pem
# here, after each change
python3 manage.py keyring request > request.json
# offline; compare what it lists with this page
python3 manage.py keyring sign --root root.pem request.json > keyring.json
# here again
python3 manage.py keyring import keyring.json"""
TYPED = 12  # characters of a key id that one types


@require_safe
@page(VIEW)
def keys(request: PageRequest) -> HttpResponse:
    """Every key that ever signed here, with the time in which it may, and what the root has signed."""
    organization = request.actor.organization
    trust_document(organization)  # asking for it makes sure that the keys exist
    rows, signed = list(KeyringEntry.objects.order_by("purpose", "-valid_from")), newest()
    waiting = unsigned(signed, [public_key(row) for row in rows])
    context = {
        "keys": [(row, *_state(row), waiting.get(row.keyid, "")) for row in rows],
        "waiting": len(waiting),
        "signed": signed,
        "changes": Receipt.objects.filter(organization=organization, event__in=CHANGES).order_by("-seq")[:MOST],
        "origin": organization.origin,
        "command": f"python3 manage.py trust --organization {organization.slug} > trust.json",
        "root_commands": ROOT_COMMANDS,
        "denied": _may_not(request),
        "crumbs": crumbs(request, ("Keys", None)),
    }
    return render(request, "settings/keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@page(ADMINISTER)
def rotate(request: PageRequest, keyid: str) -> HttpResponse:
    """Let a new key sign in place of this one, after its purpose was typed."""
    row = found(KeyringEntry.objects.all(), "key", keyid=keyid)
    words = f"let a new key sign in place of the {row.purpose} key"
    if request.method == "POST" and (detour := step_up(request, words, request.path)):
        return detour
    form = TypedNameForm(request.POST or None, expected=row.purpose)
    if request.method == "POST" and form.is_valid() and _done(request, form, row, keyid):
        messages.success(
            request, f"A new key signs from now on. Hand out the new trust file.{_to_witnesses(row, request)}"
        )
        return HttpResponseRedirect(address(request, "settings-keys"))
    return _form(request, row, form, "settings/key_rotate.html", "Rotate")


@require_http_methods(["GET", "HEAD", "POST"])
@page(ADMINISTER)
def revoke(request: PageRequest, keyid: str) -> HttpResponse:
    """Believe a key no more, after the beginning of its id was typed."""
    row = found(KeyringEntry.objects.all(), "key", keyid=keyid)
    words = f"revoke the {row.purpose} key {row.keyid[:TYPED]}"
    if request.method == "POST" and (detour := step_up(request, words, request.path)):
        return detour
    form = RevokeKeyForm(request.POST or None, initial=returned_form(request), expected=row.keyid[:TYPED])
    if request.method == "POST" and form.is_valid() and _done(request, form, row):
        messages.success(request, "The key is revoked. Hand out the new trust file at once.")
        return HttpResponseRedirect(address(request, "settings-keys"))
    return _form(request, row, form, "settings/key_revoke.html", "Revoke")


def _done(request: PageRequest, form: TypedNameForm, row: KeyringEntry, rotated: str = "") -> bool:
    """Whether the service did it; else the form says what to mend."""
    try:
        if rotated:
            rotate_key(actor=request.actor, purpose=row.purpose, keyid=rotated)
        else:
            revoke_key(actor=request.actor, keyid=row.keyid, reason=form.cleaned_data["reason"])
    except Forbidden:
        raise
    except DomainError as error:
        add_domain_errors(form, error)
        return False
    return True


def _to_witnesses(rotated: KeyringEntry, request: PageRequest) -> str:
    """What witnesses need after a rotation of the log's key; nothing after any other."""
    if rotated.purpose != LOG:
        return ""
    return (
        f" Witnesses answer 403 until each is given the log's new verifier key: {log_key(request.actor.organization)}"
    )


def _form(request: PageRequest, row: KeyringEntry, form: TypedNameForm, template: str, act: str) -> HttpResponse:
    context: dict[str, Any] = {
        "key": row,
        "state": _state(row),
        "is_current": row.valid_to is None and row.revoked_at is None,
        "is_routing": row.purpose == ROUTING,
        "typed": row.keyid[:TYPED],
        "form": form,
        "denied": _may_not(request),
        "crumbs": crumbs(request, ("Keys", address(request, "settings-keys")), (act, None)),
    }
    return render(request, template, context, status=422 if form.is_bound else 200)


def _may_not(request: PageRequest) -> str:
    """Why this person may not change keys; empty where she may."""
    try:
        required_everywhere(request.actor)
    except Forbidden as error:
        return error.detail
    return ""


def _state(row: KeyringEntry) -> tuple[str, str]:
    if row.revoked_at is not None:
        return "fail", "Revoked"
    return ("skip", "Retired") if row.valid_to is not None else ("pass", "Signs")
