"""Page: a new judge. `?kind=` says which form, so that it works without scripts; `?like=` fills in another judge's."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from gates.judge_making import create_judge
from gates.judges import DEFAULT_RULES, children_of, judge_named, judges_of
from gates.models import Judge
from gates.pages.judges.addresses import crumbs_of
from gates.pages.judges.forms import KINDS, CompositionForm, ExternalForm, JudgeForm, ModelForm, RulesForm
from gates.pages.judges.wording import family_of
from gates.pages.runs.paths import address
from relcontrol.accounts.models import Organization
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Denied
from relcontrol.accounts.selectors import endpoints_of
from relcontrol.errors import DomainError, NotFound
from relcontrol.web.pages import PageRequest, page

OFFERED: Final = 200


@require_http_methods(["GET", "HEAD", "POST"])
@page(VIEW)
def new_judge(request: PageRequest) -> HttpResponse:
    """The form of one kind; sent, the judge is made and its page is shown."""
    request.actor.require(WRITE_GATES if request.method == "POST" else VIEW)
    like = _like(request)
    kind = like.definition["kind"] if like else request.GET.get("kind", "")
    kind = kind if kind in _FORMS else KINDS[0][0]
    sent = request.POST if request.method == "POST" else None
    form = _FORMS[kind](request.actor.organization, sent, initial_of(like) if like else None)
    if sent is not None and form.is_valid() and (made := _made(request, form)):
        return HttpResponseRedirect(address(request, "judge", judge=made.pk))
    answer = request.actor.may(WRITE_GATES)
    context = {
        "form": form,
        "kind": kind,
        "like": like,
        "kinds": [(word, f"?kind={name}", name == kind) for name, word in KINDS],
        "denied": answer.reason if isinstance(answer, Denied) else "",
        "crumbs": crumbs_of(request, "New"),
    }
    return render(request, "gates/judges/new.html", context, status=422 if form.is_bound else 200)


def _made(request: PageRequest, form: JudgeForm) -> Judge | None:
    """The judge; None, with the reason in the form, where the service refuses."""
    name, fields = form.order()
    try:
        judge, new = create_judge(actor=request.actor, name=name, fields=fields)
    except DomainError as error:
        form.refuse(error)
        return None
    said = (
        f"{judge.name} is made, with a receipt in your name." if new else f"There was this very {judge.name} already."
    )
    messages.success(request, f"{said} Measure it against your experts before a slice rests on it.")
    return judge


def _like(request: PageRequest) -> Judge | None:
    """The judge of which this is to be another version."""
    try:
        return judge_named(request.actor.organization, request.GET["like"]) if request.GET.get("like") else None
    except NotFound:
        return None


def initial_of(judge: Judge) -> dict[str, Any]:
    """What stands in the form of another version of a judge."""
    made: Mapping[str, Any] = judge.definition
    low, high = made["scale"]
    prompt, parameters = judge.prompt or {}, made["parameters"]
    same = {name: made[name] for name in ("endpoint", "model", "reference", "draws", "aggregation")}
    rules = parameters.get("rules") or {}
    return {
        **same,
        **{name: parameters.get(name) for name in PARAMETERS},
        **{name: "\n".join(rules.get(name) or ()) for name in ("must_match", "must_not_match")},
        **{name: rules.get(name) for name in ("refusal", "impossible_dates", "min_chars", "max_chars")},
        "name": f"{family_of(judge.name).partition(':')[2]}@",
        "low": low,
        "high": high,
        "system": prompt.get("system"),
        "user": prompt.get("user"),
        "children": [child.name for child in children_of(judge)],
    }


PARAMETERS: Final = ("temperature", "max_tokens", "structured", "limit_field", "answers_as", "seed")
Maker = Callable[[Organization, Any, Any], JudgeForm]


def _model_form(organization: Organization, sent: Any, initial: Any) -> JudgeForm:
    names = list(endpoints_of(organization).values_list("name", flat=True))
    return ModelForm(sent, endpoints=names, initial=initial)


def _composition_form(organization: Organization, sent: Any, initial: Any) -> JudgeForm:
    rows = judges_of(organization).filter(definition__kind__in=["rules", "llm"]).values_list("name", flat=True)
    names = [DEFAULT_RULES, *(name for name in rows[:OFFERED] if name != DEFAULT_RULES)]
    return CompositionForm(sent, judges=names, initial=initial)


_FORMS: Final[Mapping[str, Maker]] = {
    "llm": _model_form,
    "rules": lambda _organization, sent, initial: RulesForm(sent, initial=initial),
    "composition": _composition_form,
    "external": lambda _organization, sent, initial: ExternalForm(sent, initial=initial),
}
