"""Draws of judges that were paid for once, and what each is known by.

A reply that could not be read is known for a while only: long enough that a job which was killed does not ask again,
not so long that a server's bad day stays with an answer.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from gates.known_calls import key_of, known_calls, remember_calls
from gates.llm_judge.reading import Draw
from gates.models import Judge
from relcontrol.accounts.models import Organization
from relcontrol.clock import now

SCHEMA: Final = "relcontrol/known-draw/v1"
UNREADABLE_FOR: Final = timedelta(hours=1)


def draw_key(judge: Judge, base_url: str, draw: int, body: Mapping[str, Any]) -> str:
    """What one draw is known by; the judge's digest holds every setting of the request."""
    made_by = {"schema": SCHEMA, "judge": judge.sha256, "base_url": base_url, "draw": draw}
    return key_of(made_by | {"messages": body["messages"]})


def known_draws(organization: Organization, keys: Iterable[str]) -> dict[str, Draw]:
    """Those of these draws that are known."""
    fresh = now() - UNREADABLE_FOR
    return {
        key: Draw(**known.document)
        for key, known in known_calls(organization, keys).items()
        if known.document["score"] is not None or known.at >= fresh
    }


def keep_draw(organization: Organization, key: str, draw: Draw) -> None:
    """Remember a draw; the newest stays."""
    remember_calls(organization, {key: draw.as_json()})
