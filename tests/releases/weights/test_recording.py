"""Observations of weights: what is believed, what the chain says of it, and what it raises in later receipts."""

from datetime import timedelta
from typing import Any

import pytest

from audit import verify
from audit.evidence_models import WeightsObservation, WeightsStatement
from audit.models import Receipt
from audit.weights.observers import observers_of, revoke_observer
from audit.weights.standing import claim_of, drifts, seen_lately
from relcontrol.accounts.actors import command_actor
from relcontrol.clock import now
from relcontrol.errors import Forbidden, Invalid
from releases.lineage.served_tuple import served_tuple
from releases.models import Release
from releases.selectors import manifest_of
from releases.weights.recording import Recorded, record_observation
from tests.audit.weights.observing import OTHER, OTHER_WEIGHTS, WEIGHTS, envelope, key, observer, statement
from tests.releases.canary import Canary

HOUR = timedelta(hours=1)


def seen(here: Canary, name: str = "gpu-1", *, bundle: Any = None, **said: Any) -> Recorded:
    """The agent sends what it saw."""
    actor = command_actor(here.organization)
    return record_observation(actor=actor, envelope=envelope(here.organization, name, **said), statement=bundle)


def weights_now(here: Canary) -> dict[str, Any]:
    """What a receipt about the release would claim now."""
    return claim_of(here.organization, manifest_of(here.stable)).as_json()


def said_of_weights(here: Canary) -> list[tuple[str, str]]:
    """The chain's receipts of weights: event and assurance, accepted by the auditor's verifier."""
    rows = Receipt.objects.filter(organization=here.organization, event__startswith="weights.").order_by("seq")
    statements = [verify.read_json(bytes(row.payload)) for row in rows]
    for each in statements:
        verify.check_weights(each)
    return [(each["predicate"]["event"], each["predicate"]["weights"]["assurance"]) for each in statements]


def test_nobody_has_seen_them_until_an_observer_has(here: Canary) -> None:
    assert (weights_now(here)["assurance"], weights_now(here)["observer_keyid"]) == ("declared", None)
    found = seen(here)
    claim = weights_now(here)
    assert (claim["assurance"], claim["observer_keyid"]) == ("files-at-load", key().public.keyid)
    assert claim["observed_manifest_sha256"] == claim["manifest_sha256"] == WEIGHTS
    assert [row.pk for row in found.releases] == [here.stable.pk]
    assert said_of_weights(here) == [("weights.observed", "files-at-load")]


def test_a_sample_after_a_load_by_the_same_observer_says_more(here: Canary) -> None:
    seen(here, sample=True)
    assert weights_now(here)["assurance"] == "declared"
    seen(here, ago=HOUR)
    observer(here.organization, "gpu-2")
    seen(here, "gpu-2", sample=True)
    assert weights_now(here)["assurance"] == "files-sampled"  # the first sample came after the load
    assert said_of_weights(here)[-1] == ("weights.observed", "files-sampled")


def test_a_sample_of_another_machine_says_nothing_of_this_one(here: Canary) -> None:
    seen(here)
    observer(here.organization, "gpu-2")
    seen(here, "gpu-2", sample=True)
    assert weights_now(here)["assurance"] == "files-at-load"


def test_an_observation_counts_for_a_day(here: Canary) -> None:
    seen(here)
    assert seen_lately(here.organization, WEIGHTS, now() + timedelta(hours=23)) is not None
    assert seen_lately(here.organization, WEIGHTS, now() + timedelta(hours=25)) is None


def test_what_was_seen_later_says_nothing_of_before(here: Canary) -> None:
    before = now()
    seen(here)
    assert seen_lately(here.organization, WEIGHTS, before) is None


def test_the_chain_is_told_once_and_again_when_something_is_new(here: Canary) -> None:
    for minutes in (40, 30, 20):
        seen(here, ago=timedelta(minutes=minutes))
    seen(here, ago=timedelta(minutes=10), sample=True)
    seen(here, ago=timedelta(minutes=5), sample=True)
    assert said_of_weights(here) == [("weights.observed", "files-at-load"), ("weights.observed", "files-sampled")]
    assert WeightsObservation.objects.count() == 5


def test_another_day_is_told_again(here: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    seen(here)
    tomorrow = now() + timedelta(days=1)
    for module in ("releases.weights.recording", "audit.receipts"):
        monkeypatch.setattr(f"{module}.now", lambda: tomorrow)
    seen(here, ago=-timedelta(days=1))
    assert said_of_weights(here) == [("weights.observed", "files-at-load")] * 2


def test_other_files_are_told_and_no_claim_is_raised_until_they_are_right_again(here: Canary) -> None:
    seen(here, ago=HOUR)
    found = seen(here, seen=OTHER, ago=timedelta(minutes=30), bundle=statement(OTHER).bundle)
    assert found.row.drifted
    assert weights_now(here)["assurance"] == "declared"
    predicate = verify.read_json(bytes(found.receipts[0].payload))["predicate"]
    assert (predicate["event"], predicate["weights"]["observed_manifest_sha256"]) == ("weights.drifted", OTHER_WEIGHTS)
    assert predicate["decision"]["inputs"][0]["verdict"] == "drifted"
    seen(here, seen=OTHER, ago=timedelta(minutes=20))
    seen(here)
    assert weights_now(here)["assurance"] == "files-at-load"
    assert [event for event, _ in said_of_weights(here)] == ["weights.observed", "weights.drifted", "weights.observed"]


def test_what_one_observer_sees_wrong_another_does_not_put_right(here: Canary) -> None:
    observer(here.organization, "gpu-2")
    seen(here, "gpu-2", seen=OTHER, ago=HOUR)
    assert seen(here).receipts == []
    assert weights_now(here)["assurance"] == "declared"
    bad = observers_of(here.organization).get(name="gpu-2")
    revoke_observer(actor=command_actor(here.organization), observer=bad)
    assert weights_now(here)["assurance"] == "files-at-load"


def test_a_revoked_observer_raises_nothing_and_is_not_heard(here: Canary) -> None:
    seen(here)
    revoke_observer(actor=command_actor(here.organization), observer=observers_of(here.organization).get())
    assert weights_now(here)["assurance"] == "declared"
    with pytest.raises(Forbidden, match="registers"):
        seen(here)


def test_what_was_claimed_at_a_moment_stays_what_was_known_then(here: Canary) -> None:
    seen(here)
    at = now()
    seen(here, seen=OTHER)
    digest = here.stable.manifest_sha256
    assert "files seen when they were loaded" in served_tuple(here.organization, digest, at).weights


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"origin": "someone-else"}, "another organization"),
        ({"ago": timedelta(hours=25)}, "set the clock"),
        ({"ago": -timedelta(minutes=5)}, "set the clock"),
    ],
    ids=str,
)
def test_an_observation_for_another_place_or_time_is_refused(here: Canary, said: dict[str, Any], why: str) -> None:
    with pytest.raises(Invalid, match=why):
        seen(here, **said)
    assert not WeightsObservation.objects.exists()


def test_a_key_that_nobody_registered_is_not_believed(here: Canary) -> None:
    with pytest.raises(Forbidden, match="Nobody has registered"):
        seen(here, "stranger")


def test_the_same_observation_sent_again_changes_nothing(here: Canary) -> None:
    same = envelope(here.organization)
    actor = command_actor(here.organization)
    first = record_observation(actor=actor, envelope=same)
    written = here.scene.written()
    again = record_observation(actor=actor, envelope=same)
    assert (again.created, again.row.pk, here.scene.written()) == (False, first.row.pk, written)


def test_the_statement_that_comes_with_a_load_is_kept_once(here: Canary) -> None:
    for minutes in (9, 6):
        seen(here, ago=timedelta(minutes=minutes), bundle=statement().bundle)
    row = WeightsStatement.objects.get()
    assert (row.weights_sha256, row.files, row.bytes, row.keyid) == (WEIGHTS, 2, 1_000, key().public.keyid)


@pytest.mark.parametrize("bundle", [statement(OTHER).bundle, statement(name="gpu-9").bundle, {"mediaType": "x"}])
def test_a_statement_about_other_files_or_by_another_key_is_refused(here: Canary, bundle: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        seen(here, bundle=bundle)
    assert not WeightsObservation.objects.exists()


def test_releases_that_are_not_in_use_leave_the_chain_alone(here: Canary) -> None:
    Release.objects.filter(pk=here.stable.pk).update(delivery=Release.Delivery.SUPERSEDED)
    found = seen(here)
    assert (found.releases, found.receipts) == ([], [])
    assert weights_now(here)["assurance"] == "files-at-load"  # and yet later receipts may claim it


def test_receipts_of_a_rollout_claim_what_was_seen(here: Canary) -> None:
    seen(here)
    here.start()
    predicate = here.last_statement()
    assert (predicate["event"], predicate["weights"]["assurance"]) == ("rollout.started", "files-at-load")


def test_a_release_that_is_registered_later_claims_it_too(here: Canary) -> None:
    seen(here)
    fields = {"previous_release": here.stable.pk, "weights_sha256": WEIGHTS}
    made = here.scene.registered(**fields, generation={"temperature": "0.1"})
    receipt = Receipt.objects.filter(event="release.registered", release=made["release_id"]).get()
    assert verify.read_json(bytes(receipt.payload))["predicate"]["weights"]["assurance"] == "files-at-load"


def test_a_closed_api_never_claims_anything_whatever_is_observed(here: Canary) -> None:
    seen(here)
    closed = {"model": {"kind": "closed_api", "ref": "openai:gpt-4o", "weights": None}}
    assert claim_of(here.organization, closed).as_json()["provenance"] == "not-claimed"


def test_old_observations_go_but_not_what_a_receipt_or_the_standing_needs(
    here: Canary, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """In the chain: the first of each of two days, other files, and the registered ones again."""
    settings.TRACE_RETENTION_DAYS = 1
    begin = (now() + timedelta(days=1)).replace(hour=1)
    for hours, other in ((0, False), (1, False), (2, True), (3, False), (4, False), (240, False)):
        at = begin + timedelta(hours=hours)
        for module in ("releases.weights.recording", "audit.receipts"):
            monkeypatch.setattr(f"{module}.now", lambda at=at: at)
        files: dict[str, Any] = {"seen": OTHER} if other else {}
        seen(here, ago=now() - at, **files)
    kept = WeightsObservation.objects.order_by("observed_at").values_list("observed_at", flat=True)
    assert [round((at - begin) / HOUR) for at in kept] == [0, 2, 3, 4, 240]
    assert not drifts(here.organization, [WEIGHTS], begin + timedelta(hours=100))
