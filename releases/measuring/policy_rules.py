"""What a further policy may say: every rule that a definition breaks, named by its field. Pure."""

import math
import re
from collections.abc import Iterator
from typing import Final

from audit.administration.rules import checked_name
from relcontrol.errors import FieldError, Invalid
from releases.measuring.policy_definition import SCORE, SHARES, WORDS, Definition
from releases.rollouts.evidence import Action

SHORTEST_WINDOW, LONGEST_WINDOW = 60, 86_400
MOST_N_MIN: Final = 1_000_000
LARGEST_LIMIT: Final = 1e12
MAX_NAME: Final = 100
SCORE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


def checked_policy(policy: Definition) -> Definition:
    """The policy with its name in NFC, or `Invalid` with everything that is wrong."""
    errors = list(_errors(policy))
    if errors:
        raise Invalid("; ".join(f"{one.field}: {one.message}" for one in errors[:3]), errors=errors)
    return policy


def checked_policy_name(name: str) -> str:
    """The name without blanks around it, short enough for a receipt's metric."""
    text = checked_name(name)
    if len(text) > MAX_NAME:
        raise Invalid("The name is too long.", errors=[FieldError("name", f"Use 1 to {MAX_NAME} characters.")])
    return text


def known_metric(metric: str) -> bool:
    """Whether it is one of the fixed metrics, or the mean of a named score."""
    return metric in WORDS or (metric.startswith(SCORE) and bool(SCORE_NAME.fullmatch(metric.removeprefix(SCORE))))


def _errors(policy: Definition) -> Iterator[FieldError]:
    if not known_metric(policy.metric):
        yield FieldError("metric", f"Use one of {', '.join(WORDS)}, or {SCORE}<name> for the mean of a named score.")
    yield from _limit_errors(policy)
    if not SHORTEST_WINDOW <= policy.window_seconds <= LONGEST_WINDOW:
        yield FieldError("window_seconds", f"Use {SHORTEST_WINDOW} to {LONGEST_WINDOW:,} seconds.")
    if not 1 <= policy.n_min <= MOST_N_MIN:
        yield FieldError("n_min", f"Use 1 to {MOST_N_MIN:,}.")
    if policy.action not in set(Action):
        yield FieldError("action", f"Use {' or '.join(Action)}.")


def _limit_errors(policy: Definition) -> Iterator[FieldError]:
    if (policy.maximum is None) == (policy.minimum is None):
        yield FieldError("maximum", "Give either `maximum` or `minimum`, and not both.")
    for name, limit in (("maximum", policy.maximum), ("minimum", policy.minimum)):
        if limit is None:
            continue
        if not math.isfinite(limit) or abs(limit) > LARGEST_LIMIT:
            yield FieldError(name, "Use a number that is not larger than a million millions.")
        elif policy.metric in SHARES and not 0 <= limit <= 1:
            yield FieldError(name, "This metric is a share: use 0 to 1.")
