"""One suite, one scale of grades: a panel that would bring another one is refused before anybody grades."""

from django.db.models import Q

from gates.models import Rating, Suite
from gates.panel_models import Panel
from relcontrol.errors import invalid


def require_scale_of(suite: Suite, panel: Panel) -> None:
    """Raise `Invalid` where the panel's scale cannot become, or is not, that of its suite's grades."""
    low, high = panel.scale
    there = _scale_there(suite)
    if there and (float(there[0]), float(there[1])) != (float(low), float(high)):
        message = f"The grades of {suite.name} go from {there[0]:g} to {there[1]:g}; give the panel the same scale."
        raise invalid("scale", message)
    outside = Q(grade__lt=low) | Q(grade__gt=high)
    if not there and Rating.objects.filter(outside, answer__case__suite=suite).exists():
        raise invalid("scale", f"{suite.name} has grades outside {low:g} to {high:g}. Choose the scale that has them.")


def _scale_there(suite: Suite) -> list[float] | None:
    """The suite's scale, or that of an open panel, which will become the suite's."""
    if suite.grade_scale:
        return list(suite.grade_scale)
    other = Panel.objects.filter(suite=suite, state=Panel.State.OPEN).order_by("pk").first()
    return list(other.scale) if other else None
