"""Sign in, sign out, and step up: prove again who you are before a dangerous act (ui.md screen 1).

A proof is fresh for `STEP_UP_SECONDS`; signing in is a proof too. A form that was sent without one waits in the
session, never with a secret in it, and comes back filled in after the proof.
"""

import time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect

from relcontrol import clock
from relcontrol.accounts.models import Person
from relcontrol.web import attempts
from relcontrol.web.forms import Form
from relcontrol.web.requests import PersonRequest

PROVED_AT = "stepped_up_at"
WAITING = "waiting_act"
SECRET_WORDS = ("password", "secret", "token", "private")
WRONG = "This e-mail address and password do not belong together, or the account is closed."


class SignInForm(Form):
    """Who you are and the proof of it."""

    # Who is known here is looked up, whatever the address looks like: the demo people have one that no mail reaches.
    email = forms.CharField(
        label="E-mail address", max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label="Password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


class StepUpForm(Form):
    """The proof alone."""

    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )


def safe_next(request: HttpRequest) -> str:
    """Where to go after signing in: `next` if it is an address of ours, else the start."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL)


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Sign a person in and go where she wanted to go."""
    following = safe_next(request)
    if request.user.is_authenticated and request.method != "POST":
        return HttpResponseRedirect(following)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _signed_in(request, form):
        return HttpResponseRedirect(following)
    context = {"form": form, "next": following, "asked_for": request.GET.get("next", "") and following}
    return render(request, "accounts/sign_in.html", context, status=200 if request.method != "POST" else 422)


def _signed_in(request: HttpRequest, form: SignInForm) -> bool:
    email, password = form.cleaned_data["email"], form.cleaned_data["password"]
    if _must_wait(request, form, email):
        return False
    # Django hashes the password for an unknown address too, so that the time taken tells nothing.
    person = authenticate(request, username=email, password=password)
    if person is None:
        attempts.record_failure(email, attempts.came_from(request), clock.now())
        form.add_error(None, WRONG)
        return False
    login(request, person)
    _proved(request, email)
    return True


def _must_wait(request: HttpRequest, form: Form, email: str) -> bool:
    minutes = attempts.minutes_to_wait(email, attempts.came_from(request), clock.now())
    if minutes:
        form.add_error(None, f"Too many failed tries. Wait {minutes} min, then try again.")
    return minutes > 0


def _proved(request: HttpRequest, email: str) -> None:
    request.session[PROVED_AT] = int(time.time())
    attempts.forget_failures(email, attempts.came_from(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session and everything that waits in it."""
    logout(request)
    return redirect("sign-in")


def proof_is_fresh(request: HttpRequest) -> bool:
    """Whether this session has proved lately who it is."""
    age = time.time() - request.session.get(PROVED_AT, 0)
    return bool(0 <= age < settings.STEP_UP_SECONDS)


def require_step_up(request: HttpRequest, action_words: str, *, form_url: str = "") -> HttpResponse | None:
    """None when the act may go on; else the way to the step-up, with the sent form kept for the way back.

    `action_words` complete "Sign in again to …". `form_url` is where the form stands, if not where it was sent to.
    """
    if proof_is_fresh(request):
        return None
    request.session[WAITING] = {
        "words": action_words,
        "url": form_url or request.get_full_path(),
        "form": _without_secrets(request),
    }
    step_up_url = reverse("step-up")
    if getattr(request, "htmx", False):
        return HttpResponseClientRedirect(step_up_url)
    return HttpResponseRedirect(step_up_url)


def _without_secrets(request: HttpRequest) -> dict[str, list[str]]:
    """The fields that were sent, without those whose name says that they are secret. Files do not wait."""
    kept = {name: request.POST.getlist(name) for name in request.POST if name != "csrfmiddlewaretoken"}
    return {name: values for name, values in kept.items() if not any(word in name.lower() for word in SECRET_WORDS)}


def returned_form(request: HttpRequest) -> dict[str, Any]:
    """What the person had filled in before the step-up, as `initial` of the same form; empty when nothing waits."""
    waiting = request.session.get(WAITING)
    if request.method != "GET" or not waiting or waiting["url"] != request.get_full_path():
        return {}
    del request.session[WAITING]
    return {name: values[0] if len(values) == 1 else values for name, values in waiting["form"].items()}


@sensitive_post_parameters("password")
@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def step_up(request: PersonRequest) -> HttpResponse:
    """Prove again who you are; the page names the act that waits."""
    waiting = request.session.get(WAITING) or {}
    back = waiting.get("url") or resolve_url(settings.LOGIN_REDIRECT_URL)
    form = StepUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _proved_again(request, form):
        return HttpResponseRedirect(back)
    context = {"form": form, "act": waiting.get("words", ""), "back": back, "minutes": settings.STEP_UP_SECONDS // 60}
    return render(request, "accounts/step_up.html", context, status=200 if request.method != "POST" else 422)


def _proved_again(request: PersonRequest, form: StepUpForm) -> bool:
    person: Person = request.user
    if _must_wait(request, form, person.email):
        return False
    if not person.check_password(form.cleaned_data["password"]):
        attempts.record_failure(person.email, attempts.came_from(request), clock.now())
        form.add_error("password", "This is not your password.")
        return False
    request.session.cycle_key()
    _proved(request, person.email)
    return True
