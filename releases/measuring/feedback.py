"""What users and reviewers say of single answers, by request id (domain.md "Roll", api.md `POST /v1/feedback`).

A thumb is 1 or −1, a task outcome 1 (done) or 0, a label a text, a score a number under a name. A label that is a
number is a person's grade of that very answer, and its name says the scale: `grade` from 0 to 1, `grade_5` from 1 to 5,
`grade_100` from 0 to 100. What is said is never changed, only said again: the newest of a kind and name counts. The
trace may still be on its way.
"""

import math
import re
from typing import Any, Final

from django.db import transaction

from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import WRITE_TRACES
from relcontrol.clock import now
from relcontrol.errors import invalid
from releases.measuring.policy_rules import SCORE_NAME
from releases.privacy.erased import require_not_erased
from releases.trace_models import Feedback

REQUEST_ID: Final = re.compile(r"[!-~]{1,100}")
MAX_LABEL: Final = 200
LARGEST_SCORE: Final = 1e6
GRADES: Final = {"grade": (0.0, 1.0), "grade_5": (1.0, 5.0), "grade_100": (0.0, 100.0)}
CHOICES: Final = {Feedback.Kind.THUMB: (1, -1), Feedback.Kind.OUTCOME: (1, 0)}


@transaction.atomic
def record(*, actor: Actor, request_id: str, kind: str, value: Any, name: str = "") -> Feedback:
    """Keep one saying about the answer to a request; `Conflict` where whoever asked was erased."""
    actor.require(WRITE_TRACES)
    if kind not in Feedback.Kind.values:
        raise invalid("kind", f"Use one of {', '.join(Feedback.Kind.values)}.")
    if not REQUEST_ID.fullmatch(request_id):
        raise invalid("request_id", "Use the answer's X-Request-Id: 1 to 100 printable ASCII characters, no blanks.")
    wanted = Feedback.Kind(kind)
    number, label = _said(wanted, value, name)
    require_not_erased(actor.organization.pk, request_id)
    return Feedback.objects.create(
        organization=actor.organization,
        request_id=request_id,
        kind=wanted,
        name=_checked_name(wanted, name),
        value=number,
        label=label,
        created_by=actor.id,
        created_at=now(),
    )


def _checked_name(kind: Feedback.Kind, name: str) -> str:
    """Scores have a name, labels may; a thumb and an outcome are about the answer as a whole."""
    if kind in CHOICES:
        if name:
            raise invalid("name", f"A {kind.label.lower()} has no name; leave it out.")
        return ""
    if (name or kind is Feedback.Kind.SCORE) and not SCORE_NAME.fullmatch(name):
        raise invalid("name", "Use 1 to 64 of a-z, 0-9, dots, dashes and underscores, such as groundedness.")
    return name


def _said(kind: Feedback.Kind, value: Any, name: str) -> tuple[float | None, str]:
    if kind is Feedback.Kind.LABEL and (name not in GRADES or isinstance(value, str)):
        return None, _label(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise invalid("value", "Use a JSON number.")
    if kind is Feedback.Kind.LABEL:
        low, high = GRADES[name]
        if not low <= value <= high:
            raise invalid("value", f"Under the name {name} a grade lies between {low:g} and {high:g}.")
        return float(value), ""
    if kind in CHOICES and value not in CHOICES[kind]:
        raise invalid("value", f"A {kind.label.lower()} is {' or '.join(map(str, CHOICES[kind]))}.")
    if abs(value) > LARGEST_SCORE:
        raise invalid("value", "A score lies between -1,000,000 and 1,000,000.")
    return float(value), ""


def _label(value: Any) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= MAX_LABEL or not value.isprintable():
        grades = ", ".join(GRADES)
        message = f"A label is a text of 1 to {MAX_LABEL} printable characters, or a number under one of the names "
        raise invalid("value", f"{message}{grades}.")
    return value
