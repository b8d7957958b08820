"""From the problems of the pure bundle core to the errors that services raise."""

from collections.abc import Iterable

from relcontrol.bundle.errors import BundleError, Problem
from relcontrol.errors import FieldError, Invalid

SHOWN = 3


def refused(problems: Iterable[Problem], *, code: str = "") -> Invalid:
    """All problems as one error; without a `code` it has that of the first."""
    found = tuple(problems)
    errors = [FieldError(problem.field, problem.message) for problem in found]
    return Invalid(summary(errors), code=code or found[0].code, errors=errors)


def not_a_bundle(error: BundleError) -> Invalid:
    """What the bundle core refused, as an error of the API and of forms."""
    return refused(error.problems, code="invalid")


def summary(errors: list[FieldError]) -> str:
    """The first few errors as one sentence; all of them stand in `errors`."""
    shown = "; ".join(f"{error.field}: {error.message}" for error in errors[:SHOWN])
    return f"{shown} … and {len(errors) - SHOWN} more." if len(errors) > SHOWN else shown
