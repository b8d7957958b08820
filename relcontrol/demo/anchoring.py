"""How the demo's log is anchored: into a folder and by a witness on this machine, every ten minutes.

A newcomer sees both kinds at once. On the same machine neither proves anything to anybody else: whoever runs the log
could change what the witness remembers, too. The next step is one that somebody else runs.
"""

import base64
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from audit.anchor_models import AnchorSchedule, AnchorSink
from audit.anchors.file import allowed_folders
from audit.anchors.schedules import set_schedule
from audit.anchors.selectors import sinks_of
from audit.anchors.sinks import add_sink, change_sink
from audit.keys.keyring import signer
from audit.keys.signing import LOG
from audit.log.notes import NOTE, vkey
from audit.models import KeyringEntry
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.models import Organization
from relcontrol.errors import Conflict, Invalid
from relcontrol.runtime.private_files import read_text, write_private
from relcontrol.runtime.services import DemoWitness
from relcontrol.witness.ledger import Ledger

EVERY_MINUTES: Final = 10
WITNESS: Final = "Witness on this machine"
KEY_NAME: Final = "relcontrol.local/demo-witness"


def make_anchors(actor: Actor) -> None:
    """The schedule, and one sink: a folder that this machine allows."""
    set_schedule(actor=actor, every_minutes=EVERY_MINUTES)
    folder = str(Path(allowed_folders()[0]).resolve() / actor.organization.slug)
    add_sink(actor=actor, name="Copy in a folder of this machine", kind="file", settings={"folder": folder})


def witness(organization: Organization) -> DemoWitness:
    """What the witness is started with. It knows every key of the log: notes of before a rotation may still come."""
    signer(LOG)
    keys = KeyringEntry.objects.filter(purpose=LOG, revoked_at__isnull=True).order_by("valid_from")
    logs = [vkey(organization.origin, bytes(key.public_key), NOTE) for key in keys]
    return DemoWitness(_folder(), KEY_NAME, logs)


def be_witnessed(actor: Actor, url: str) -> None:
    """See that the demo's witness is a sink, and that this follows its address and its key.

    Only as long as the sink has the address that an earlier `up` gave it: what somebody else entered stays.
    """
    public = base64.b64encode(Ledger(_folder()).key().public).decode("ascii")
    wanted = {"url": url, "name": KEY_NAME, "public_key": public}
    row = sinks_of(actor.organization).filter(kind=AnchorSink.Kind.WITNESS, name=WITNESS).first()
    row = row or sinks_of(actor.organization).filter(settings__public_key=public).first()
    if row is None:
        _add(actor, wanted)
    elif row.settings != wanted and row.settings["url"] == read_text(_address_file()):
        change_sink(actor=actor, sink=row, settings=wanted)
        write_private(_address_file(), url)


def _add(actor: Actor, wanted: dict[str, Any]) -> None:
    """None where the organization has as many sinks as it may, or another one of this name.

    A demo of before there were anchors has no schedule either.
    """
    if not AnchorSchedule.objects.filter(organization=actor.organization).exists():
        set_schedule(actor=actor, every_minutes=EVERY_MINUTES)
    try:
        add_sink(actor=actor, name=WITNESS, kind=AnchorSink.Kind.WITNESS, settings=wanted)
    except (Conflict, Invalid):
        return
    write_private(_address_file(), wanted["url"])


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "demo-witness"


def _address_file() -> Path:
    return Path(settings.DATA_DIR) / "demo-witness-address"
