"""The witness of the demo: a sink that follows where it answers, and a process that cosigns the demo's log."""

from pathlib import Path
from typing import Any

import pytest

from audit.administration.people import add_person
from audit.anchor_models import AnchorSchedule, AnchorSink
from audit.anchors.checkpoints import anchor_now
from audit.anchors.sinks import MOST_SINKS, add_sink, change_sink
from audit.keys.keyring import signer
from audit.keys.rotation import rotate_key
from audit.keys.signing import LOG
from audit.log.notes import parse_vkey
from audit.models import Receipt
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from relcontrol.demo import making as demo
from relcontrol.demo.anchoring import EVERY_MINUTES, KEY_NAME, WITNESS, be_witnessed, witness
from relcontrol.management.commands.witness import Command
from relcontrol.witness.app import Witness
from relcontrol.witness.ledger import Ledger
from tests import factories
from tests.audit.anchors.factory import worked
from tests.audit.anchors.serving import serving

pytestmark = pytest.mark.django_db

URL = "http://127.0.0.1:8004"
ANOTHER = "http://127.0.0.1:9004"


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def owner() -> Organization:
    """It stands for the demo's organization, as an earlier version left it: without a witness."""
    return factories.organization("demo")


@pytest.fixture
def actor(owner: Organization) -> Actor:
    return command_actor(owner)


def sink() -> AnchorSink:
    return AnchorSink.objects.get(kind="witness")


def started(owner: Organization) -> Witness:
    """The witness that `up` starts, as its command makes it."""
    found = witness(owner)
    parser = Command().create_parser("manage.py", "witness")
    given = ["--listen", "127.0.0.1:8004", "--folder", str(found.folder), "--name", found.name]
    options = parser.parse_args([*given, *(f"--log={log}" for log in found.logs)])
    logs: dict[str, list[bytes]] = {}
    for origin, public in options.log:
        logs.setdefault(origin, []).append(public)
    ledger = Ledger(options.folder)
    return Witness(options.name, ledger.key(), logs, ledger)


def test_the_log_of_the_demo_is_witnessed(owner: Organization, actor: Actor) -> None:
    seer = started(owner)
    with serving(seer.app()) as url:
        be_witnessed(actor, url)
        (anchor,) = worked(anchor_now(actor=actor))
    assert (anchor.state, anchor.last_problem) == ("done", "")
    assert seer.ledger.seen(owner.origin).size == anchor.checkpoint.size


def test_a_demo_of_before_anchors_is_given_a_schedule_and_one_that_was_set_stays(actor: Actor) -> None:
    be_witnessed(actor, URL)
    assert AnchorSchedule.objects.get().every_minutes == EVERY_MINUTES
    AnchorSchedule.objects.update(every_minutes=None)
    AnchorSink.objects.all().delete()
    be_witnessed(actor, URL)
    assert AnchorSchedule.objects.get().every_minutes is None


def test_the_sink_follows_the_witness_to_another_port(actor: Actor) -> None:
    be_witnessed(actor, URL)
    before = Receipt.objects.count()
    be_witnessed(actor, URL)
    assert (sink().settings["url"], Receipt.objects.count()) == (URL, before)
    be_witnessed(actor, ANOTHER)
    assert (sink().settings["url"], sink().settings["name"], Receipt.objects.count()) == (ANOTHER, KEY_NAME, before + 1)


def test_a_witness_that_lost_its_folder_is_known_by_its_new_key(actor: Actor, folder: Path) -> None:
    be_witnessed(actor, URL)
    old = sink().settings["public_key"]
    (folder / "demo-witness" / "witness.pem").unlink()
    be_witnessed(actor, URL)
    assert sink().settings["public_key"] != old


def test_what_somebody_entered_stays(actor: Actor) -> None:
    be_witnessed(actor, URL)
    mine = sink().settings | {"url": "http://witness.example"}
    change_sink(actor=actor, sink=sink(), settings=mine, name="ours", enabled=False)
    be_witnessed(actor, ANOTHER)
    assert (sink().name, sink().settings, sink().enabled) == ("ours", mine, False)


def test_an_organization_with_as_many_sinks_as_it_may_starts_without(actor: Actor, folder: Path) -> None:
    for number in range(MOST_SINKS):
        add_sink(actor=actor, name=f"tape {number}", kind="file", settings={"folder": str(folder / "anchors")})
    be_witnessed(actor, URL)
    assert not AnchorSink.objects.filter(kind="witness").exists()


def test_after_a_rotation_it_is_started_with_the_new_key_of_the_log_too(owner: Organization, actor: Actor) -> None:
    old = signer(LOG).public
    new = rotate_key(actor=actor, purpose=LOG).public_key
    assert [parse_vkey(log)[1] for log in witness(owner).logs] == [old, bytes(new)]


def test_the_start_of_the_demo_leads_its_log_to_the_witness(owner: Organization) -> None:
    add_person(actor=command_actor(owner), email=demo.OWNER, roles=["viewer"], domains=["demo"])
    demo.ensure("http://127.0.0.1:8003/v1")
    assert not AnchorSink.objects.exists()
    demo.ensure("http://127.0.0.1:8003/v1", URL)
    assert (sink().name, sink().settings["url"]) == (WITNESS, URL)


def test_an_installation_in_use_is_given_no_witness(owner: Organization, folder: Path) -> None:
    demo.ensure("http://127.0.0.1:8003/v1", URL)
    assert not AnchorSink.objects.filter(organization=owner).exists()
    assert not (folder / "demo-witness").exists()
