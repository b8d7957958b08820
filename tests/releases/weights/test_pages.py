"""Settings, Weights observers: who is believed, how a person registers one, and how she revokes it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from audit.evidence_models import WeightsObserver
from relcontrol.accounts.actors import command_actor
from relcontrol.web.signin import PROVED_AT
from releases.weights.recording import record_observation
from tests import factories
from tests.audit.weights.observing import envelope, key
from tests.releases.canary import Canary

URL = "/o/northgate/settings/weights/"
SENT = {"name": "gpu-2", "public_key": key("gpu-2").public.pem.decode()}


@pytest.fixture
def signed_in(here: Canary) -> Callable[..., Client]:
    """The browser of a member with these roles."""

    def browser(*roles: str) -> Client:
        client = Client()
        who = factories.person(here.organization, *roles)
        client.post("/sign-in", {"email": who.email, "password": factories.PASSWORD})
        return client

    return browser


def test_everybody_sees_who_is_believed_and_how_it_stands(here: Canary, signed_in: Callable[..., Client]) -> None:
    viewer = signed_in("viewer")
    assert "Not heard yet" in viewer.get(URL).text
    record_observation(actor=command_actor(here.organization), envelope=envelope(here.organization))
    text = viewer.get(URL).text
    assert ("Reporting" in text, "Revoke" in text, "1 observer" in viewer.get("/o/northgate/settings/").text) == (
        True, False, True,
    )  # fmt: skip


def test_an_administrator_registers_one_and_revokes_it(here: Canary, signed_in: Callable[..., Client]) -> None:
    admin = signed_in("admin")
    assert admin.post(URL, SENT).headers["Location"] == URL
    row = WeightsObserver.objects.get(name="gpu-2")
    assert "gpu-2 is believed from now on." in admin.get(URL).text
    revoke = reverse("settings-weights-revoke", kwargs={"organization": "northgate", "observer": row.pk})
    assert admin.post(revoke).headers["Location"] == URL
    assert "Revoked" in admin.get(URL).text
    assert here.events()[-2:] == ["policy.changed"] * 2
    answer = admin.post(URL, SENT)
    assert (answer.status_code, "revoked; make a new key" in answer.text) == (422, True)


def test_what_is_no_key_is_said_in_the_form(here: Canary, signed_in: Callable[..., Client]) -> None:
    answer = signed_in("admin").post(URL, SENT | {"public_key": "<script>alert(1)</script>"})
    assert (answer.status_code, "is no PEM public key" in answer.text, "<script>alert" in answer.text) == (
        422,
        True,
        False,
    )


def test_believing_and_revoking_ask_again_who_acts(here: Canary, signed_in: Callable[..., Client]) -> None:
    admin = signed_in("admin")
    session = admin.session
    session[PROVED_AT] -= 601
    session.save()
    revoke = reverse(
        "settings-weights-revoke", kwargs={"organization": "northgate", "observer": WeightsObserver.objects.get().pk}
    )
    for path, sent in ((URL, SENT), (revoke, {})):
        assert admin.post(path, sent).headers["Location"] == reverse("step-up")
    assert WeightsObserver.objects.filter(revoked_at=None).count() == 1


def test_who_may_only_look_is_told_so(here: Canary, signed_in: Callable[..., Client]) -> None:
    viewer = signed_in("viewer")
    revoke = reverse(
        "settings-weights-revoke", kwargs={"organization": "northgate", "observer": WeightsObserver.objects.get().pk}
    )
    assert [viewer.post(path, SENT).status_code for path in (URL, revoke)] == [403, 403]
