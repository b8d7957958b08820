"""Page: one alarm of what a route serves: what was found, what each decision brings, and the form to decide it."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from relcontrol.accounts.permissions import READ_AUDIT, VIEW, WRITE_ROLLOUTS, Allowed, Denied
from relcontrol.errors import Conflict, Invalid
from relcontrol.web.forms import Form, add_domain_errors
from relcontrol.web.pages import PageRequest, page
from releases.observer_models import DriftAlarm
from releases.observing.drift import MIN_COMMENT, decide_alarm
from releases.observing.selectors import alarm_named
from releases.pages.observe.alarm_wording import DECIDED, KEPT, about, cause_of, choices, numbers_of
from releases.pages.observe.slices import names_of
from releases.pages.paths import address
from releases.worst.selectors import worst_of

UNREADABLE: Final = 422
MAX_COMMENT: Final = 2_000


class DecisionForm(Form):
    """What to do about an alarm, and why."""

    decision = forms.ChoiceField(label="What shall be done?", widget=forms.RadioSelect)
    comment = forms.CharField(
        label="Why?",
        help_text="The receipt keeps it beside your name.",
        min_length=MIN_COMMENT,
        max_length=MAX_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, alarm: DriftAlarm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        observer = alarm.observer
        self.fields["decision"].choices = choices(  # type: ignore[attr-defined]  # a choice
            cause_of(alarm.kind, alarm.facts), release=observer.release.name, serves=observer.serving.until is None
        )


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def drift_alarm(request: PageRequest, alarm: str) -> HttpResponse:
    """The alarm; sent, it is decided."""
    row = alarm_named(request.actor.organization, alarm)
    if request.method != "POST":
        return _shown(request, row, DecisionForm(alarm=row), 200)
    request.actor.require(WRITE_ROLLOUTS)
    form = DecisionForm(request.POST, alarm=row)
    status = _decided(request, row, form)
    if status != 200:
        return _shown(request, alarm_named(request.actor.organization, alarm), form, status)
    messages.success(request, "Decided. Rollouts may start on this route again unless another alarm is open.")
    return HttpResponseRedirect(address(request, "drift-alarm", alarm=row.pk))


def _decided(request: PageRequest, row: DriftAlarm, form: DecisionForm) -> int:
    """200, or the status of the refusal that stands in the form."""
    if not form.is_valid():
        return UNREADABLE
    try:
        decide_alarm(actor=request.actor, alarm=row, **form.cleaned_data)
    except (Conflict, Invalid) as error:
        add_domain_errors(form, error)
        return error.status
    return 200


def _shown(request: PageRequest, row: DriftAlarm, form: DecisionForm, status: int) -> HttpResponse:
    answer = request.actor.may(WRITE_ROLLOUTS)
    worst, cause = worst_of(row), cause_of(row.kind, row.facts)
    context = {
        "alarm": row,
        "title": _title(row, cause),
        "form": form,
        "serves": row.observer.serving.until is None,
        "kept": KEPT[cause],
        "release": row.observer.release,
        "numbers": numbers_of(cause, row.facts),
        "decided": DECIDED.get(row.decision, row.decision),
        "worst_url": address(request, "worst-answers", worst=worst.pk) if worst else "",
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "may_audit": isinstance(request.actor.may(READ_AUDIT), Allowed),
        "crumbs": [
            ("Observe", address(request, "observe")),
            (row.route.name, address(request, "observe-route", route=row.route_id)),
            ("Alarm", None),
        ],
    }
    return render(request, "releases/observe/alarm.html", context, status=status)


def _title(row: DriftAlarm, cause: str) -> str:
    subject = row.subject if cause == "policy" else names_of(row.organization).get(row.subject, row.subject)
    _, says = about(cause, subject=subject, release=row.observer.release.name)
    return says if row.decided_at else f"{says} Somebody has to decide."
