"""`manage.py rehearse`: what it can be asked for, what it says without a system; a browser as its stories need one."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer

from relcontrol.management.commands import rehearse
from relcontrol.management.commands.rehearse import number
from relcontrol.rehearsal.catalogue import BY_NUMBER, FAILURES, HEALTHY
from relcontrol.rehearsal.running.calling import Browser, api_call
from relcontrol.rehearsal.running.playing import Played
from relcontrol.rehearsal.running.processes import free_port
from relcontrol.rehearsal.stopping import Stopped
from tests.factories import PASSWORD, organization, person, service_token


@pytest.mark.parametrize(("text", "wanted"), [("all", "all"), ("1", 1), ("10", 10), ("healthy", 0)])
def test_a_failure_is_named_by_its_number(text: str, wanted: int | str) -> None:
    assert number(text) == wanted


@pytest.mark.parametrize("text", ["0", "11", "-1", "one", "", "²"])
def test_what_is_no_failure_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="a failure is a number from 1 to 10, healthy, or all"):
        call_command("rehearse", text)


def test_without_a_running_system_it_says_how_to_start_one() -> None:
    with pytest.raises(CommandError, match="Nothing answers at"):
        call_command("rehearse", "1", "--port", str(free_port() % 60_000))


@pytest.mark.parametrize("lost", [None, 9, 0])
def test_the_exit_code_is_0_only_where_everything_ended_as_it_must(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], lost: int | None
) -> None:
    def acted(system: Any, numbers: list[int], write: Any) -> list[Played]:
        assert numbers == sorted(BY_NUMBER)
        told = {each.number: Stopped(each.stage, "", "", 1.0, "gate.failed", "a" * 64) for each in BY_NUMBER.values()}
        return [
            Played(each, None if each.number == lost else told[each.number], "", 1.0) for each in (*FAILURES, HEALTHY)
        ]

    monkeypatch.setattr(rehearse, "says_ok", lambda url: True)
    monkeypatch.setattr(rehearse, "rehearse", acted)
    if lost is None:
        call_command("rehearse")
    else:
        with pytest.raises(SystemExit) as ended:
            call_command("rehearse", "all")
        assert ended.value.code == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1 + len(BY_NUMBER) + 1
    assert said[-1].startswith(f"{9 if lost == 9 else 10} of 10 stopped at their stage")


@pytest.mark.django_db(transaction=True)
def test_a_browser_signs_in_and_sends_forms_and_an_api_client_reads_problems(live_server: LiveServer) -> None:
    owner = organization()
    mara = person(owner, "release-manager", email="mara@northgate.example")
    browser = Browser(live_server.url, mara.email, PASSWORD)
    shown = browser.submit("/o/northgate/prompts/none/edit", {})
    assert shown.status == 404
    made = browser.submit("/o/northgate/slices/new/", {"slug": "not a slug", "name": "Legal"})
    assert (made.status, "not a slug" in made.body) == (422, True)
    token = service_token(owner, "releases:write")
    assert api_call(f"{live_server.url}/v1/me", token).status == 200
    refused = api_call(f"{live_server.url}/v1/releases/rel_none", token)
    assert (refused.status, refused.code, bool(refused.detail)) == (404, "not_found", True)
