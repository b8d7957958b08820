"""The signed snapshot: the routing document in a DSSE envelope, made once for each generation (gateway.md).

Ed25519 signs the same bytes to the same signature, so every edge process hands out the same envelope.
"""

import json
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final

from audit.envelope import sign_envelope
from audit.keys.keyring import signer
from audit.keys.signing import ROUTING
from relcontrol.accounts.models import Organization
from releases.routing.document import routing_document, state_of

KEPT: Final = 256  # organizations whose newest snapshot a process remembers


@dataclass(frozen=True, slots=True)
class Signed:
    """One snapshot as it goes out."""

    epoch: int
    generation: int
    etag: str
    body: bytes

    @property
    def position(self) -> tuple[int, int]:
        """(epoch, generation): what never goes back."""
        return self.epoch, self.generation


_newest: OrderedDict[str, Signed] = OrderedDict()
_lock = Lock()
_making: dict[str, Lock] = {}


def signed_snapshot(organization: Organization) -> Signed:
    """The snapshot of the present generation: remembered, or made by the first of those who ask at once."""
    state = state_of(organization)
    with _lock:
        turn = _making.setdefault(organization.pk, Lock())
    with turn:
        known = _newest.get(organization.pk)
        if known is not None and known.position == (state.epoch, state.generation):
            return known
        made = _sign(organization)
        with _lock:
            _newest[organization.pk] = made
            _newest.move_to_end(organization.pk)
            while len(_newest) > KEPT:
                _newest.popitem(last=False)
        return made


def remembered(organization: Organization) -> Signed | None:
    """The newest snapshot that this process made, of whatever generation; asks no database."""
    return _newest.get(organization.pk)


def etag_of(epoch: int, generation: int) -> str:
    """The entity tag of a generation, quoted as HTTP wants it."""
    return f'"{epoch}-{generation}"'


def _sign(organization: Organization) -> Signed:
    document = routing_document(organization)
    envelope = sign_envelope(document.payload, signer(ROUTING))
    body = json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
    return Signed(document.epoch, document.generation, etag_of(document.epoch, document.generation), body)
