"""The throw-away organization: everything in it works at first, and nothing but receipts is left of it that acts."""

import pytest

from audit.models import Receipt
from relcontrol.accounts.models import ApplicationKey, Membership, Person, Token
from relcontrol.clock import now
from relcontrol.rehearsal.running.house import WINDOW_S, House, open_house
from relcontrol.rehearsal.world import DANIEL, MARA, PIPELINE
from releases.models import Release
from releases.observer_models import Observer
from releases.replica_models import Replica
from releases.rollout_models import Serving
from releases.selectors import serving
from releases.trace_models import SubjectKey, Trace
from releases.traces.ingest import store
from tests.factories import api, person
from tests.releases.canary import canary

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> House:
    return open_house("http://127.0.0.1:9")


def test_a_room_is_an_application_with_two_routes_and_three_who_may_call(house: House) -> None:
    room = house.room("failure-1")
    assert set(room.tokens) == {PIPELINE, MARA, DANIEL}
    said = {who: api(token).get("me").status_code for who, token in room.tokens.items()}
    assert set(said.values()) == {200}
    routes = api(room.tokens[PIPELINE]).get("routes").json()["results"]
    assert [route["routing"] for route in sorted(routes, key=lambda each: len(each["routing"]))] == [
        {"domain": "legal"},
        {"domain": "legal", "tier": "pro"},
    ]


def test_a_closed_house_lets_nobody_in_and_keeps_its_receipts(house: House) -> None:
    room = house.room("failure-1")
    receipts = Receipt.objects.filter(organization=house.organization).count()
    said = house.close()
    assert said.startswith(f"{house.organization.slug} is closed: its routes serve nothing, 3 tokens are revoked")
    assert {api(token).get("me").status_code for token in room.tokens.values()} == {401}
    assert not Membership.objects.filter(organization=house.organization).exists()
    assert not ApplicationKey.objects.filter(organization=house.organization, revoked_at=None).exists()
    assert not Token.objects.filter(organization=house.organization, revoked_at=None).exists()
    assert Receipt.objects.filter(organization=house.organization).count() > receipts


def test_what_serves_or_rolls_is_ended_and_traces_go_with_their_keys() -> None:
    here = canary()
    house = House(here.organization, "")
    person(here.organization, "release-manager", email="mara@northgate.example")
    Person.objects.filter(email="mara@northgate.example").update(name=MARA)
    rollout = here.start()
    trace = {
        "trace_id": "0" * 31 + "1",
        "started_at": now().isoformat(),
        "request_id": "req-1",
        "release": here.stable.manifest_sha256,
        "route": here.route.pk,
        "subject": "anna",
        "input": {"messages": []},
        "status": 200,
    }
    assert store(here.organization, [trace], now=now()).accepted == 1
    house.close()
    rollout.refresh_from_db()
    assert rollout.is_over
    assert serving(here.route) is None
    for model in (Trace, SubjectKey, Replica):
        assert not model._default_manager.filter(organization=here.organization).exists()
    assert Release.objects.filter(organization=here.organization).count() == 2


def test_observers_of_the_house_and_of_nobody_else_close_windows_of_ten_seconds() -> None:
    mine, other = canary(), canary("hospital")
    for here in (mine, other):
        row = Serving.objects.get(route=here.route, until=None)
        Observer.objects.create(
            organization=here.organization,
            application=here.route.application,
            route=here.route,
            release=here.stable,
            serving=row,
            settings={"window_seconds": 60, "share": 0.05},
            folded_to=1,
            folded_at=now(),
            started_at=now(),
        )
    House(mine.organization, "").hasten()
    found = dict(Observer.objects.values_list("organization__slug", "settings"))
    assert found["northgate"] == {"window_seconds": WINDOW_S, "share": 0.05}
    assert found["hospital"]["window_seconds"] == 60
