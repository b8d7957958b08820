"""A page with every part on it, and the addresses that show it: only tests use them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import plotly.graph_objects as go  # type: ignore[import-untyped]  # plotly has no types
from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path
from django.utils.safestring import mark_safe

from relcontrol.errors import Conflict
from relcontrol.web.charts import Chart, Key, token
from relcontrol.web.forms import Form, TypedNameForm
from relcontrol.web.polling import polled
from relcontrol.web.signin import require_step_up, returned_form

AT = datetime(2026, 11, 20, 13, 27, 52, tzinfo=UTC)
DIGEST = "2b237c2ec91028342bc74d31b668f4b1193db93574a6ea57d5a53384ef2e6147"
PAGES = Path(__file__).parent / "pages"
SLICES = [
    ("IP licensing", 0.41, 0.24, 0.56, 0.65, 84),
    ("Jurisdictional analysis", 0.62, 0.49, 0.72, 0.60, 96),
    ("Contract drafting", 0.71, 0.64, 0.77, 0.65, 212),
]


class RuleForm(Form):
    """One field of each kind."""

    name = forms.CharField(label="What do your experts call it?", help_text="One or two words.", max_length=20)
    notes = forms.CharField(label="Notes", required=False, widget=forms.Textarea(attrs={"rows": 2}))
    owner = forms.ChoiceField(label="Who owns it?", choices=[("ines", "Ines Duarte"), ("mara", "Mara Lindqvist")])
    policy = forms.ChoiceField(
        label="How sure must we be?", widget=forms.RadioSelect, choices=[("point", "The value"), ("proof", "Proof")]
    )
    default = forms.BooleanField(label="Make it the default", required=False)
    secret_note = forms.CharField(label="Secret note", required=False)


def forest(*, narrow: bool = False) -> go.Figure:
    """A forest plot as later issues build it: shapes for thresholds, bars for intervals."""
    figure = go.Figure()
    for row, (name, rho, low, high, threshold, _) in enumerate(SLICES):
        failing = rho < threshold
        colour = token("fail" if failing else "ink")
        figure.add_scatter(
            x=[low, high], y=[-row, -row], mode="lines", line={"color": colour, "width": 3}, hoverinfo="skip"
        )
        marker = {"symbol": "octagon" if failing else "circle", "size": 17 if failing else 12, "color": colour}
        figure.add_scatter(x=[rho], y=[-row], mode="markers", marker=marker, name=name)
        figure.add_shape(
            type="line",
            x0=threshold,
            x1=threshold,
            y0=-row - 0.3,
            y1=-row + 0.3,
            line={"color": token("ink"), "width": 2.5},
        )
    ticks = {
        "tickvals": [-row for row in range(len(SLICES))],
        "ticktext": [row[0] for row in SLICES],
        "showgrid": False,
    }
    margin = {"l": 8 if narrow else 190, "r": 24, "t": 8, "b": 44}
    figure.update_layout(
        margin=margin, xaxis={"range": [0.2, 1], "dtick": 0.2}, yaxis=ticks | {"showticklabels": not narrow}
    )
    return figure


def chart() -> Chart:
    """The forest plot as a part."""
    rows = [
        (name, f"{rho:.2f}", f"{low:.2f} to {high:.2f}", f"{threshold:.2f}", n)
        for name, rho, low, high, threshold, n in SLICES
    ]
    return Chart(
        id="forest",
        figure=forest(),
        narrow=forest(narrow=True),
        caption="The whole 90 % interval of IP licensing lies left of its threshold.",
        columns=("Slice", "Agreement", "90 % interval", "Threshold", "Cases"),
        rows=rows,
        key=(
            Key("estimate", "estimate and interval"),
            Key("below", "below threshold", failing=True),
            Key("threshold", "threshold"),
        ),
        size="strip",
    )


def bars() -> Chart:
    """The same machinery for bars."""
    figure = {
        "data": [
            {"type": "bar", "x": ["5 %", "25 %", "100 %"], "y": [1000, 10000, 641], "marker": {"color": token("ink-3")}}
        ],
        "layout": {},
    }
    rows = [("5 %", "1,000"), ("25 %", "10,000"), ("100 %", "641")]
    return Chart("bars", figure, "Most requests came at 25 %.", ("Checkpoint", "Requests"), rows, size="strip")


def sink_context(request: HttpRequest) -> dict[str, Any]:
    """Everything the page shows."""
    wrong = RuleForm({"name": "far too long a name for a slice", "owner": "ines"}, prefix="wrong")
    return {
        "at": AT,
        "now": AT + timedelta(minutes=38),
        "digest": DIGEST,
        "charts": [chart(), bars()],
        "crumbs": [("Legal QA", "#main"), ("r128", "#main"), ("Gate run 2041", None)],
        "facts": [("Model", "hf:org/legal@1f2e"), ("Owner", "<b>Mara</b>")],
        "form": RuleForm(initial=returned_form(request)),
        "wrong": wrong,
        "typed": TypedNameForm({"typed": "r12"}, expected="legal-qa r128"),
        "statement": {
            "event": "gate.failed",
            "chain": {"seq": 4803, "prev": DIGEST},
            "inputs": ["<script>alert(1)</script>"],
        },
        "before": "You are a lawyer.\nAnswer briefly.\n" + "Cite the statute.\n" * 12 + "Be kind.",
        "after": "You are a careful lawyer.\nAnswer briefly.\n"
        + "Cite the statute.\n" * 12
        + "Be kind.\nSay <b>no</b> when unsure.",
        "rows": [(f"legal-qa r{128 - row}", DIGEST) for row in range(3)],
    }


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    return HttpResponse(engines["django"].from_string((PAGES / name).read_text()).render(context, request))


def sink(request: HttpRequest, organization: str) -> HttpResponse:
    """Every part, under the shell."""
    return _page(request, "sink.html", sink_context(request))


def progress(request: HttpRequest, organization: str) -> HttpResponse:
    """A live part that is final at 3: it counts how often it was asked, in the session."""
    step = int(request.session.get("step", 1))
    request.session["step"] = step + 1
    seq = min(step, 3)
    return polled(request, seq, lambda: _page(request, "live.html", {"seq": seq, "final": seq == 3}))


def live(request: HttpRequest, organization: str) -> HttpResponse:
    """The page around it."""
    fragment = _page(request, "live.html", {"seq": 0, "final": False}).text
    return _page(request, "live_page.html", {"fragment": mark_safe(fragment)})  # noqa: S308 - rendered by ourselves


@login_required
def act(request: HttpRequest) -> HttpResponse:
    """A dangerous act with a form."""
    form = RuleForm(request.POST or None, initial=returned_form(request))
    if request.method == "POST":
        return require_step_up(request, "close the gate") or HttpResponse("done")
    return _page(request, "act.html", {"form": form})


def forbidden(request: HttpRequest) -> HttpResponse:
    """Django's own refusal."""
    raise PermissionDenied("You are a viewer here.")


def conflict(request: HttpRequest) -> HttpResponse:
    """A domain error that no view caught."""
    raise Conflict("r128 is rolling already; halt it first.")


def broken(request: HttpRequest) -> HttpResponse:
    """A mistake of ours."""
    raise RuntimeError("the cause, which the page does not show")


urlpatterns = [
    path("", include("relcontrol.web.urls")),
    path("act", act),
    path("forbidden", forbidden),
    path("conflict", conflict),
    path("broken", broken),
    path("o/<slug:organization>/", sink, name="overview"),
    path("o/<slug:organization>/audit/", live, name="audit"),
    path("o/<slug:organization>/audit/search", sink, name="search"),
    path("o/<slug:organization>/progress", progress, name="progress"),
]

handler400 = "relcontrol.web.errors.handler400"
handler403 = "relcontrol.web.errors.handler403"
handler404 = "relcontrol.web.errors.handler404"
handler500 = "relcontrol.web.errors.handler500"
