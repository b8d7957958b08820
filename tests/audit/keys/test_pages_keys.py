"""The page of keys: what it shows to whom, and the forms that rotate and revoke."""

from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from audit.keys import keyring
from audit.keys.rotation import rotate_key
from audit.keys.signing import EXPORT, LOG, RECEIPTS, ROOT, ROUTING, load_signing_key, new_private_pem
from audit.log.notes import NOTE, vkey
from audit.models import KeyringEntry
from audit.root.importing import import_keyring, request
from audit.root.signing import file_text, sign
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.web.signin import PROVED_AT
from tests import factories
from tests.audit.keys.chains import chain_of

KEYS = "/o/northgate/settings/keys/"
NOT_ALL = "you do not administer each of them"


def browser(owner: Organization, *roles: str) -> Client:
    """Somebody with these roles who has just signed in."""
    client = Client()
    person = factories.person(owner, *roles)
    client.post("/sign-in", {"email": person.email, "password": factories.PASSWORD})
    return client


@pytest.fixture
def admin(organization: Organization) -> Client:
    """The browser of the administrator of the only organization."""
    return browser(organization, "admin")


def act(client: Client, keyid: str, name: str, **sent: Any) -> Any:
    """The answer to one of the forms."""
    return client.post(f"{KEYS}{keyid}/{name}/", sent)


def test_an_administrator_rotates_by_typing_the_purpose(organization: Organization, admin: Client) -> None:
    keyid = keyring.signer(RECEIPTS).keyid
    assert "nothing was done" in act(admin, keyid, "rotate", typed="receipt").text
    assert keyring.signer(RECEIPTS).keyid == keyid
    assert act(admin, keyid, "rotate", typed="receipts").headers["Location"] == KEYS
    assert keyring.signer(RECEIPTS).keyid != keyid
    text = admin.get(KEYS).text
    assert chain_of(organization)[-1].receipt_hash in text
    assert "Retired" in text


def test_a_form_of_before_a_rotation_does_not_rotate_again(
    organization: Organization, admin: Client, actor: Actor
) -> None:
    seen = keyring.signer(EXPORT).keyid
    now_signs = rotate_key(actor=actor, purpose=EXPORT).keyid
    answer = act(admin, seen, "rotate", typed="export")
    assert (answer.status_code, keyring.signer(EXPORT).keyid) == (422, now_signs)
    assert "does not sign any more" in answer.text


def test_an_administrator_revokes_with_a_reason(organization: Organization, admin: Client) -> None:
    keyid = keyring.signer(EXPORT).keyid
    assert "This field is required" in act(admin, keyid, "revoke", typed=keyid[:12]).text
    assert "nothing was done" in act(admin, keyid, "revoke", typed=keyid[:11], reason="Why.").text
    assert KeyringEntry.objects.get(keyid=keyid).revoked_at is None
    said = "<b>The disk</b> was stolen."
    assert act(admin, keyid, "revoke", typed=keyid[:12], reason=said).status_code == 302
    assert escape(said) in admin.get(KEYS).text
    again = act(admin, keyid, "revoke", typed=keyid[:12], reason="Again.")
    assert (again.status_code, "It is revoked since" in again.text) == (422, True)


def test_the_page_of_a_revoked_or_rotated_key_is_its_receipts(organization: Organization, admin: Client) -> None:
    keyid = keyring.signer(RECEIPTS).keyid
    act(admin, keyid, "revoke", typed=keyid[:12], reason="Why.")
    text = admin.get(f"/o/northgate/audit/receipts/{chain_of(organization)[-1].receipt_hash}/").text
    assert f"revoked the receipts key {keyid[:12]}: what it signs is believed no more." in text


def test_both_acts_ask_again_who_acts(organization: Organization, admin: Client) -> None:
    keyid, before = keyring.signer(EXPORT).keyid, len(chain_of(organization))
    session = admin.session
    session[PROVED_AT] -= 601
    session.save()
    for name, typed in (("rotate", "export"), ("revoke", keyid[:12])):
        answer = act(admin, keyid, name, typed=typed, reason="The disk was stolen.")
        assert answer.headers["Location"] == reverse("step-up")
    admin.post("/step-up", {"password": factories.PASSWORD})
    assert "The disk was stolen." in admin.get(f"{KEYS}{keyid}/revoke/").text
    assert len(chain_of(organization)) == before


def test_who_does_not_administer_every_organization_is_told_so(organization: Organization, admin: Client) -> None:
    keyid = keyring.signer(EXPORT).keyid
    assert f"{keyid}/rotate/" in admin.get(KEYS).text
    factories.organization("southfield")
    listed = admin.get(KEYS).text
    assert f"{keyid}/rotate/" not in listed
    for text in (listed, *(admin.get(f"{KEYS}{keyid}/{name}/").text for name in ("rotate", "revoke"))):
        assert NOT_ALL in text
        assert "btn danger" not in text
    assert act(admin, keyid, "rotate", typed="export").status_code == 403
    assert act(admin, keyid, "revoke", typed=keyid[:12], reason="Why.").status_code == 403
    assert keyring.signer(EXPORT).keyid == keyid


def test_a_viewer_sees_the_keys_and_no_form(organization: Organization) -> None:
    viewer, keyid = browser(organization, "viewer"), keyring.signer(EXPORT).keyid
    text = viewer.get(KEYS).text
    assert keyid[:16] in text
    assert "/rotate/" not in text
    assert [act(viewer, keyid, name).status_code for name in ("rotate", "revoke")] == [403, 403]


def test_an_unknown_key_is_not_there(admin: Client) -> None:
    assert [admin.get(f"{KEYS}{'ab' * 32}/{name}/").status_code for name in ("rotate", "revoke")] == [404, 404]


def test_whoever_rotates_the_routing_key_is_told_what_gateways_do(organization: Organization, admin: Client) -> None:
    texts = [admin.get(f"{KEYS}{keyring.signer(one).keyid}/rotate/").text for one in (ROUTING, EXPORT)]
    assert ["keyring prepare routing" in text for text in texts] == [True, False]


def test_whoever_rotates_the_key_of_the_log_is_told_what_witnesses_do_and_given_its_new_key(
    organization: Organization, admin: Client
) -> None:
    pages = [admin.get(f"{KEYS}{keyring.signer(one).keyid}/rotate/").text for one in (LOG, EXPORT)]
    assert ["Witnesses answer 403" in text for text in pages] == [True, False]
    keyids = [keyring.signer(one).keyid for one in (LOG, EXPORT)]
    after = [
        admin.post(f"{KEYS}{keyid}/rotate/", {"typed": purpose}, follow=True).text
        for keyid, purpose in zip(keyids, (LOG, EXPORT), strict=True)
    ]
    given = f"verifier key: {vkey(organization.origin, keyring.signer(LOG).public, NOTE)}"
    assert [given in unescape(text) for text in after] == [True, False]


def test_the_page_says_what_the_root_has_not_signed(organization: Organization, admin: Client, actor: Actor) -> None:
    assert "No root" in admin.get(KEYS).text
    root = load_signing_key(new_private_pem(), purpose=ROOT)
    import_keyring(text=file_text(sign(request(), root)).encode())
    text = admin.get(KEYS).text
    assert root.keyid in text
    assert "All signed" in text
    rotate_key(actor=actor, purpose=RECEIPTS)
    later = admin.get(KEYS).text
    assert "2 keys are new or changed since keyring 1 was signed" in later
    assert "retired since the root signed" in later
