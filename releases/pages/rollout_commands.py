"""What a person does with a rollout on its page: hold, resume, promote, stop.

Stopping must never wait for words: held or stopped without a reason, the receipt says that none was given. What is
refused comes back with the fresh state and the reason that was typed.
"""

from dataclasses import dataclass
from typing import Final

from relcontrol.accounts.permissions import WRITE_ROLLOUTS
from relcontrol.errors import Conflict, Invalid
from relcontrol.web.pages import PageRequest
from releases.rolling.commands import command

WITHOUT_WORDS: Final = {
    "pause": "Held in one click on the page of the rollout; no reason was typed.",
    "halt": "Stopped on the page of the rollout; no reason was typed.",
}
DONE: Final = {
    "pause": "Held: the share stands still. Monitors go on, and so does the clock of 24 hours.",
    "resume": "Resumed: the dwell goes on where it stopped; one that was over begins once more.",
    "promote": "Promoted by you. Gateways have the new share within a second.",
    "halt": "Stopped: gateways send everything back within a second.",
}
MAX_VERSION_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a command was not carried out, what was typed, and the status of the answer."""

    command: str
    detail: str
    reason: str
    status: int


def carry_out(request: PageRequest, rollout_id: str) -> Refused | str:
    """Do what was asked for and say what it did; else why not."""
    request.actor.require(WRITE_ROLLOUTS)
    name, reason = request.POST.get("command", ""), request.POST.get("reason", "").strip()
    try:
        command(
            actor=request.actor,
            rollout_id=rollout_id,
            name=name,
            reason=reason or WITHOUT_WORDS.get(name, ""),
            expected_version=_version(request.POST.get("expected_version", "")),
        )
    except (Conflict, Invalid) as error:
        return Refused(name, error.detail, reason, error.status)
    return DONE[name]


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > MAX_VERSION_DIGITS:
        raise Invalid("The form came without the version of the rollout that it was shown with. Look again and resend.")
    return int(text)
