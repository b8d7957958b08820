"""The explorer's one search box: what a text can mean, as a condition on receipts.

A text may mean several things (`ci` is a token and part of a name); all of them are looked for. What it cannot mean is
not asked of the database.
"""

import re

from django.db.models import Q

from audit.events import ALIASES, Event
from audit.models import Receipt
from audit.names import ids_named
from audit.selectors import HEX, MIN_PREFIX, SHA256
from relcontrol.accounts.models import Application, Organization

NUMBER = re.compile(r"#?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,11})")
RELEASE_NAME = re.compile(r"(?:([a-z0-9-]{1,63})[ /])?(r[1-9][0-9]{0,8})")
ACTOR_ID = re.compile(r"(?:prn|tok)_[0-9a-z]{26}")
SHORTEST_NAME = 2


def search(organization: Organization, text: str) -> Q:
    """Receipts that this text names; for a text that means nothing, none."""
    lower = text.strip().lower()
    meanings = [
        *_numbers(lower),
        *_digests(lower),
        *_releases(organization, lower),
        *_events(lower),
        *_actors(organization, lower),
        *_applications(organization, lower),
    ]
    wanted = Q(pk__in=[])
    for meaning in meanings:
        wanted |= meaning
    return wanted


def _numbers(text: str) -> list[Q]:
    if match := NUMBER.fullmatch(text):
        return [Q(seq=int(match[1].replace(",", "")))]
    return [Q(pk=text)] if text.startswith("rcp_") else []


def _digests(text: str) -> list[Q]:
    """A digest may be a receipt's or a manifest's."""
    digest = text.removeprefix("sha256:")
    if MIN_PREFIX <= len(digest) <= SHA256 and HEX.issuperset(digest):
        return [Q(receipt_hash__startswith=digest), Q(manifest_sha256__startswith=digest)]
    return []


def _releases(organization: Organization, text: str) -> list[Q]:
    """Every receipt that carries the manifest of a release with this name or id: gates name the manifest alone."""
    registered = Receipt.objects.filter(organization=organization, event=Event.RELEASE_REGISTERED.value)
    if text.startswith("rel_"):
        registered = registered.filter(release=text)
    elif match := RELEASE_NAME.fullmatch(text):
        registered = registered.filter(subject=f"release:{match[2]}")
        registered = registered.filter(application=match[1]) if match[1] else registered
    else:
        return []
    return [Q(manifest_sha256__in=registered.values("manifest_sha256"))]


def _events(text: str) -> list[Q]:
    """An event in either vocabulary, or a family of them: `gate`."""
    events = [event.value for event in Event if text in {event.value, event.family}]
    if text in ALIASES:
        events.append(ALIASES[text].value)
    return [Q(event__in=events)] if events else []


def _actors(organization: Organization, text: str) -> list[Q]:
    """What somebody did, and what was done to her membership or token."""
    if len(text) < SHORTEST_NAME:
        return []
    ids = [text] if ACTOR_ID.fullmatch(text) else ids_named(organization, text)
    subjects = [f"{_kind(key)}:{key}" for key in ids]
    about = Q(event__in=[Event.MEMBER_CHANGED.value, Event.TOKEN_CHANGED.value], subject__in=subjects)
    return [Q(actor__in=ids), about] if ids else []


def _kind(key: str) -> str:
    return "person" if key.startswith("prn_") else "token"


def _applications(organization: Organization, text: str) -> list[Q]:
    known = Application.objects.filter(organization=organization, slug=text).exists()
    return [Q(application=text)] if known else []
