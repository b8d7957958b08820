"""Sign in, sign out, step up: who gets in, where to, how often one may try, and what waits meanwhile."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from relcontrol import clock
from relcontrol.accounts.models import Person, SignInAttempt
from relcontrol.web import attempts, signin

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.web.kitchen_sink")]
EMAIL, PASSWORD = "daniel@northgate.example", "correct horse battery"
FORM = {"name": "IP", "owner": "mara", "policy": "proof", "secret_note": "hush", "password": "x", "default": "on"}


@pytest.fixture
def daniel() -> Person:
    person = Person(email=EMAIL, name="Daniel Okafor", created_at=clock.now())
    person.set_password(PASSWORD)
    person.save()
    return person


@pytest.fixture
def signed_in(client: Client, daniel: Person) -> Client:
    client.post("/sign-in", {"email": EMAIL, "password": PASSWORD})
    return client


def sign_in(client: Client, *, email: str = EMAIL, password: str = PASSWORD, following: str = "") -> Any:
    return client.post("/sign-in", {"email": email, "password": password, "next": following})


def let_proof_grow_old(client: Client) -> None:
    session = client.session
    session[signin.PROVED_AT] -= 601
    session.save()


def test_the_right_password_lets_in(client: Client, daniel: Person) -> None:
    answer = sign_in(client, email=EMAIL.upper(), following="/act")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/act"
    assert client.session["_auth_user_id"] == daniel.pk


def test_a_new_session_key_comes_with_signing_in(client: Client, daniel: Person) -> None:
    client.get("/o/x/progress")
    before = client.session.session_key
    sign_in(client)
    assert client.session.session_key != before


@pytest.mark.parametrize("email", [EMAIL, "nobody@northgate.example"])
def test_a_wrong_password_and_an_unknown_address_look_the_same(client: Client, daniel: Person, email: str) -> None:
    answer = sign_in(client, email=email, password="wrong")
    assert answer.status_code == 422
    assert signin.WRONG in answer.text
    assert "_auth_user_id" not in client.session


def test_an_unknown_address_costs_a_hash_as_well(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(Person, "set_password", lambda _self, raw: hashed.append(raw))
    sign_in(client, email="nobody@northgate.example", password="wrong")
    assert hashed == ["wrong"]


def test_a_closed_account_stays_out(client: Client, daniel: Person) -> None:
    Person.objects.update(is_active=False)
    assert sign_in(client).status_code == 422


def test_the_password_never_comes_back(client: Client, daniel: Person) -> None:
    assert "wrong-password" not in sign_in(client, password="wrong-password").text


@pytest.mark.parametrize(
    "following",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http:///evil.example", "\\\\evil.example", ""],
)
def test_nobody_is_sent_to_another_site(client: Client, daniel: Person, following: str) -> None:
    assert sign_in(client, following=following).headers["Location"] == "/"


def test_who_is_signed_in_already_goes_on_at_once(signed_in: Client) -> None:
    assert signed_in.get("/sign-in?next=/act").headers["Location"] == "/act"


def test_a_page_behind_the_sign_in_names_itself(client: Client) -> None:
    answer = client.get("/act", follow=True)
    assert "To go on to" in answer.text
    assert 'name="next" value="/act"' in answer.text


def test_signing_out_takes_a_post(signed_in: Client) -> None:
    assert signed_in.get("/sign-out").status_code == 405
    signed_in.post("/sign-out")
    assert "_auth_user_id" not in signed_in.session


def test_the_eleventh_try_has_to_wait_even_with_the_right_password(client: Client, daniel: Person) -> None:
    for _ in range(attempts.FAILURES_ALLOWED):
        sign_in(client, password="wrong")
    answer = sign_in(client)
    assert answer.status_code == 422
    assert "Wait 15 min" in answer.text


def test_the_wait_ends_and_old_failures_are_forgotten(
    client: Client, daniel: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(attempts.FAILURES_ALLOWED):
        sign_in(client, password="wrong")
    later = clock.now() + attempts.WINDOW
    monkeypatch.setattr(clock, "now", lambda: later)
    sign_in(client, password="wrong")
    assert SignInAttempt.objects.count() == 1
    assert sign_in(client).status_code == 302


def test_another_person_or_place_does_not_wait(client: Client, daniel: Person) -> None:
    for _ in range(attempts.FAILURES_ALLOWED):
        sign_in(client, email="other@northgate.example", password="wrong")
    assert sign_in(client).status_code == 302
    for _ in range(attempts.FAILURES_ALLOWED):
        sign_in(client, password="wrong")
    there = Client(REMOTE_ADDR="192.0.2.7")
    assert sign_in(there).status_code == 302


def test_a_success_starts_the_count_anew(client: Client, daniel: Person) -> None:
    sign_in(client, password="wrong")
    sign_in(client)
    assert not SignInAttempt.objects.exists()


def test_an_address_is_kept_as_a_digest_only(client: Client) -> None:
    sign_in(client, password="wrong")
    assert SignInAttempt.objects.get().email_digest == attempts.email_digest(f" {EMAIL.title()} ")


@pytest.mark.parametrize(("age", "minutes"), [(0, 15), (60, 14), (899, 1)])
def test_the_wait_is_told_in_whole_minutes(age: int, minutes: int) -> None:
    at: datetime = clock.now()
    for _ in range(attempts.FAILURES_ALLOWED):
        attempts.record_failure(EMAIL, "192.0.2.7", at)
    assert attempts.minutes_to_wait(EMAIL, "192.0.2.7", at + timedelta(seconds=age)) == minutes


def test_a_fresh_proof_lets_a_dangerous_act_go_on(signed_in: Client) -> None:
    assert signed_in.post("/act", FORM).text == "done"


def test_an_old_proof_leads_to_a_page_that_names_the_act(signed_in: Client) -> None:
    let_proof_grow_old(signed_in)
    answer = signed_in.post("/act", FORM, follow=True)
    assert answer.redirect_chain == [("/step-up", 302)]
    assert "Sign in again to close the gate" in answer.text


def test_a_htmx_form_is_led_there_too(signed_in: Client) -> None:
    let_proof_grow_old(signed_in)
    answer = signed_in.post("/act", FORM, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == "/step-up"


def test_after_the_step_up_the_same_form_comes_back_filled_in(signed_in: Client) -> None:
    let_proof_grow_old(signed_in)
    signed_in.post("/act?from=list", FORM)
    answer = signed_in.post("/step-up", {"password": PASSWORD})
    assert answer.headers["Location"] == "/act?from=list"
    page = signed_in.get("/act?from=list").text
    assert 'value="IP"' in page
    assert '<option value="mara" selected>' in page
    assert signed_in.post("/act", FORM).text == "done"


def test_what_waits_comes_back_once(signed_in: Client) -> None:
    let_proof_grow_old(signed_in)
    signed_in.post("/act", FORM)
    signed_in.get("/act")
    assert 'value="IP"' not in signed_in.get("/act").text


def test_no_secret_waits_in_the_session(signed_in: Client) -> None:
    let_proof_grow_old(signed_in)
    signed_in.post("/act", FORM)
    assert set(signed_in.session[signin.WAITING]["form"]) == {"name", "owner", "policy", "default"}


def test_a_wrong_password_is_no_proof_and_counts_as_a_failure(signed_in: Client) -> None:
    let_proof_grow_old(signed_in)
    answer = signed_in.post("/step-up", {"password": "wrong"})
    assert answer.status_code == 422
    assert SignInAttempt.objects.count() == 1
    assert signed_in.post("/act", FORM).status_code == 302


def test_a_step_up_has_to_wait_after_ten_failures(signed_in: Client) -> None:
    let_proof_grow_old(signed_in)
    for _ in range(attempts.FAILURES_ALLOWED):
        signed_in.post("/step-up", {"password": "wrong"})
    assert "Too many failed tries" in signed_in.post("/step-up", {"password": PASSWORD}).text


def test_a_step_up_is_for_people_who_are_signed_in(client: Client) -> None:
    assert client.get("/step-up").headers["Location"].startswith("/sign-in")


def test_a_proof_from_the_future_is_none(signed_in: Client) -> None:
    session = signed_in.session
    session[signin.PROVED_AT] += 3600
    session.save()
    assert signed_in.post("/act", FORM).status_code == 302
