"""What each kind of anchor proves and what it does not, in words, and how to check it by hand. Pure."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from audit.log.notes import COSIGNATURE, vkey


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of sink in words; `adds` is what a settings page says of it."""

    title: str
    proves: str
    does_not: str
    adds: str


KINDS: Final[Mapping[str, Kind]] = {
    "rfc3161": Kind(
        "Time stamp, RFC 3161",
        "These receipts existed by then. Nobody can back-date one, not even with our key.",
        "That no other receipt was left out.",
        "An authority signs the time. Back-dating then shows.",
    ),
    "witness": Kind(
        "Witness",
        "The log only grew: what the witness saw before is still there, in order.",
        "That what a receipt says is true; and nothing where who keeps the log runs the witness, too.",
        "Somebody else remembers the head. A log that is rolled back then shows.",
    ),
    "webhook": Kind(
        "Your own copy, by webhook",
        "The head that you hold is in this chain. If you kept it, you need to trust no one for this.",
        "Anything after it; and nothing to others. The time is by our clock.",
        "Each head is sent to you, signed. What you keep, nobody here can change.",
    ),
    "file": Kind(
        "A copy in a folder",
        "The head in the file is in this chain, for whoever keeps the file elsewhere.",
        "Anything after it, and nothing while the file stays on this machine. The time is by our clock.",
        "Each head is written to a folder, for a tape, a share or a repository.",
    ),
}


def where(kind: str, settings: Mapping[str, Any]) -> str:
    """Where a sink is: an address or a folder."""
    return str(settings["folder"] if kind == "file" else settings["url"])


def note_name(size: int) -> str:
    """The file that a checkpoint is downloaded as."""
    return f"checkpoint-{size}.txt"


def evidence_name(kind: str, size: int) -> str:
    """The file that the evidence of an anchor is downloaded as."""
    ending = {"rfc3161": "tsr", "witness": "cosignature.txt"}.get(kind, f"{kind}.json")
    return f"checkpoint-{size}.{ending}"


def by_hand(kind: str, size: int, settings: Mapping[str, Any]) -> tuple[str, str]:
    """How to check an anchor of this kind: a sentence, and a command for the downloaded files."""
    note, evidence = note_name(size), evidence_name(kind, size)
    if kind == "rfc3161":
        says = "roots.pem holds the roots that are trusted here. Get your own from the authority, and compare."
        return says, f"openssl ts -verify -in {evidence} -data {note} -CAfile roots.pem"
    if kind == "witness":
        key = vkey(settings["name"], base64.b64decode(settings["public_key"]), COSIGNATURE)
        says = f"Both files together are a note that any C2SP verifier checks with {key}"
        return says, f"cat {note} {evidence} > cosigned.txt"
    if kind == "webhook":
        return "Compare what you were sent with the checkpoint.", f"cmp {note} RECEIVED-BODY"
    return "Compare the file that you kept with the checkpoint.", f"cmp {note} KEPT-FILE"
