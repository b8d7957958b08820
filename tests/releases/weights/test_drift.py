"""Other weights than registered: what rolls is halted, of what serves a person is asked."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import ChainCheck, Receipt
from audit.weights.observers import observers_of, revoke_observer
from relcontrol.accounts.actors import command_actor
from relcontrol.clock import now
from relcontrol.errors import Conflict
from relcontrol.needs import needs_of
from releases.models import Release
from releases.rollout_models import Rollback, Rollout
from releases.rollouts.decisions import Act
from releases.weights.recording import record_observation
from tests import factories
from tests.audit.weights.observing import OTHER, OTHER_WEIGHTS, envelope
from tests.releases.canary import Canary
from tests.releases.rolling.readings import Readings, ticked

pytestmark = pytest.mark.usefixtures("readings")


def seen(here: Canary, **said: Any) -> None:
    record_observation(actor=command_actor(here.organization), envelope=envelope(here.organization, **said))


def needs(here: Canary) -> list[str]:
    """What waits for a release manager."""
    check = ChainCheck.objects.get(organization=here.organization)
    return [need.title for need in needs_of(here.manager, check, now())]


def test_a_rollout_of_other_weights_is_halted_at_the_next_look(here: Canary, readings: Readings) -> None:
    row = here.start()
    assert ticked(row, 1).act is Act.NOTHING
    seen(here, seen=OTHER)
    decision = ticked(row, 2)
    assert decision.act is Act.HALTED
    assert OTHER_WEIGHTS[:12] in decision.reasons[0]
    assert here.fresh(here.candidate).delivery == Release.Delivery.HALTED
    assert (here.events()[-1], here.last_statement()["weights"]["assurance"]) == ("rollout.halted", "declared")


def test_each_release_in_use_has_a_receipt_of_the_drift(here: Canary) -> None:
    here.start()
    seen(here, seen=OTHER)
    assert here.events()[-2:] == ["weights.drifted"] * 2


def test_a_rollout_may_wait_for_a_review_instead_and_goes_on_when_the_weights_are_right(here: Canary) -> None:
    row = here.start(weights_drift="review")
    seen(here, seen=OTHER, ago=timedelta(minutes=1))
    assert ticked(row, 1).act is Act.WAITING_REVIEW
    assert "saw the weights" in Rollout.objects.get(pk=row.pk).reasons[0]
    seen(here)
    assert ticked(row, 2).act is Act.NOTHING


def test_a_rollout_may_be_told_to_ignore_it(here: Canary) -> None:
    row = here.start(weights_drift="ignore")
    seen(here, seen=OTHER)
    assert ticked(row, 1).act is Act.NOTHING


def test_the_form_that_starts_a_rollout_asks_what_it_shall_do(here: Canary, client: Client) -> None:
    assert here.manager.person is not None
    client.post("/sign-in", {"email": here.manager.person.email, "password": factories.PASSWORD})
    url = reverse("release-roll", kwargs={"organization": "northgate", "release": here.candidate.pk})
    assert "sees other weights than registered?" in client.get(url).text
    client.post(url, {"act": "start", "reason": "It is Monday.", "weights_drift": "review"})
    assert Rollout.objects.get().settings["weights_drift"] == "review"


def test_no_rollout_starts_with_other_weights_until_they_are_right(here: Canary) -> None:
    seen(here, seen=OTHER, ago=timedelta(minutes=1))
    with pytest.raises(Conflict, match=r"not \w+, which were registered"):
        here.start()
    seen(here)
    assert here.start().state == Rollout.State.CHECKPOINT


def test_what_serves_stays_and_a_person_is_asked(here: Canary) -> None:
    assert not any("weights" in title for title in needs(here))
    seen(here, seen=OTHER)
    asked = [title for title in needs(here) if "other weights than registered" in title]
    assert asked == [f"Decide about legal-assistant {here.stable.name}, which serves other weights than registered"]
    assert here.fresh(here.stable).delivery == Release.Delivery.STABLE
    assert not Rollback.objects.exists()
    revoke_observer(actor=command_actor(here.organization), observer=observers_of(here.organization).get())
    assert not any("weights" in title for title in needs(here))


def test_the_page_of_every_receipt_about_a_closed_api_says_what_nobody_can_see(here: Canary, client: Client) -> None:
    assert here.manager.person is not None
    client.force_login(here.manager.person)
    made = here.scene.registered(model_ref="openai:gpt-4o", model_kind="closed_api", previous_release=here.stable.pk)
    row = Receipt.objects.get(event="release.registered", release=made["release_id"])
    text = client.get(reverse("receipt", kwargs={"organization": "northgate", "receipt": row.receipt_hash})).text
    page = client.get(reverse("release", kwargs={"organization": "northgate", "release": made["release_id"]})).text
    assert ["claims nothing about them" in each for each in (text, page)] == [True, True]


def test_the_release_page_says_what_is_known_and_what_it_does_not_prove(here: Canary, client: Client) -> None:
    assert here.manager.person is not None
    client.force_login(here.manager.person)
    url = reverse("release", kwargs={"organization": "northgate", "release": here.stable.pk})
    assert "seen by nobody" in client.get(url).content.decode()
    seen(here, ago=timedelta(minutes=2))
    text = client.get(url).content.decode()
    assert ("Seen at load" in text, "not that the server had loaded it" in text, "gpu-1" in text) == (True, True, True)
    seen(here, seen=OTHER)
    text = client.get(url).content.decode()
    assert ("Other files" in text, OTHER_WEIGHTS[:12] in text) == (True, True)
