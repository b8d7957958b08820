"""The agent against the product itself: the command, over HTTP, beside files that are right and then are not."""

import importlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from urllib.request import Request

import pytest
from django.core.management import CommandError, call_command

from audit.evidence_models import WeightsObservation, WeightsStatement
from audit.weights.observers import register_observer
from audit.weights.oms import read_bundle
from relcontrol.accounts.actors import command_actor
from relcontrol.relctl import Answer, Client
from tests.audit.weights.files import foreign_bundle, foreign_key, tiny_model
from tests.factories import api, service_token
from tests.releases.canary import Canary

command = importlib.import_module("relcontrol.management.commands.attest-weights")
FOREIGN = "33b5b14cdc0a51a12c20805deeadaa9bdeaf3476ebb79ae68992b7d86f93bc91"


class Agent:
    """The command on one machine: what it wrote, and its exit code."""

    def __init__(self, place: Path) -> None:
        self.folder, self.key, self.code, self.out, self.err = tiny_model(place), place / "observer.pem", 0, "", ""

    def run(self, *words: str) -> str:
        """Run it; what it printed on stdout, or its complaint."""
        out, err = StringIO(), StringIO()
        try:
            call_command("attest-weights", *words, "--key", str(self.key), stdout=out, stderr=err)
            self.code = 0
        except CommandError as error:
            out.write(str(error))
            self.code = error.returncode
        self.out, self.err = out.getvalue().strip(), err.getvalue()
        return self.out

    def look(self, *words: str) -> str:
        """Run it on the folder."""
        return self.run(str(self.folder), *words)


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    return Agent(tmp_path)


@pytest.fixture
def reached(here: Canary, monkeypatch: pytest.MonkeyPatch) -> Canary:
    """The product answers the agent's requests in this process, in place of a socket; all else is relctl's client."""
    token = service_token(here.organization, "gateway:heartbeat")
    product = api(token)

    def once(self: Client, asking: Request) -> Answer:
        assert asking.get_header("Authorization") == f"Bearer {token}"
        path, body = asking.selector.removeprefix("/v1/"), asking.data
        answer = product.get(path) if body is None else product.post(path, body)
        return Answer(answer.status_code, answer.content, answer.headers)

    monkeypatch.setattr(Client, "_once", once)
    monkeypatch.setenv("RELCONTROL_TOKEN", token)
    monkeypatch.setenv("RELCONTROL_URL", "http://127.0.0.1:9")
    return here


@pytest.fixture
def known(reached: Canary, agent: Agent) -> Canary:
    """Its key is registered."""
    public = agent.run("--print-key")
    register_observer(actor=command_actor(reached.organization), name="gpu-7", public_key=public)
    return reached


def test_it_makes_its_key_once_and_prints_the_public_half(agent: Agent) -> None:
    first = agent.run("--print-key")
    assert ("BEGIN PUBLIC KEY" in first, "Made the key" in agent.err) == (True, True)
    assert agent.key.stat().st_mode & 0o777 == 0o600
    assert (agent.run("--print-key"), agent.err) == (first, "")


def test_printing_the_digest_makes_no_key(agent: Agent) -> None:
    assert agent.look("--print").startswith("sha256:")
    assert (agent.code, agent.key.exists()) == (0, False)


def test_it_prints_the_digest_to_register_and_writes_the_statement(agent: Agent, tmp_path: Path) -> None:
    file = tmp_path / "model.sig"
    printed = agent.look("--ignore", "notes.txt", "--statement", str(file))
    signed = read_bundle(json.loads(file.read_text()))
    assert (
        printed
        == f"sha256:{signed.statement.predicate.weights_sha256}"
        == agent.look("--print", "--ignore", "notes.txt")
    )
    assert signed.statement.model == "tiny-model"
    assert agent.look("--print") != printed


def test_the_registered_files_are_observed_and_a_sample_of_them_later(agent: Agent, known: Canary) -> None:
    digest = agent.look("--print")
    said = agent.look("--expect", digest)
    assert (agent.code, "7 files" in said, "are the registered ones (load)" in said) == (0, True, True)
    assert WeightsStatement.objects.get().weights_sha256 == digest.removeprefix("sha256:")
    said = agent.look("--expect", digest, "--sample", "0.3")
    assert (agent.code, "3 files" in said, "--seed" in agent.err) == (0, True, True)
    assert list(WeightsObservation.objects.order_by("pk").values_list("depth", flat=True)) == ["load", "sample"]


def test_other_files_end_it_with_code_1_and_what_differs(agent: Agent, known: Canary) -> None:
    digest = agent.look("--print")
    agent.look("--expect", digest)
    (agent.folder / "config.json").write_text('{"layers": 3}\n')
    said = agent.look("--expect", digest, "--sample", "1")
    assert (agent.code, "config.json has SHA-256" in said, "Take the model server out of service" in said) == (
        1,
        True,
        True,
    )
    row = WeightsObservation.objects.latest("pk")
    assert (row.depth, row.drifted) == ("load", True)  # a sample that differs is followed by a reading of all


def test_a_statement_by_somebody_else_says_how_to_list_the_files(agent: Agent, known: Canary) -> None:
    body = {"bundle": foreign_bundle(), "public_key": foreign_key().decode()}
    known.scene.ci.post("weights/statements", body)
    assert "6 files" in agent.look("--expect", FOREIGN)
    assert agent.code == 0


def test_an_agent_that_nobody_registered_is_told_what_to_do(agent: Agent, reached: Canary) -> None:
    said = agent.look("--expect", agent.look("--print"))
    assert (agent.code, "Nobody has registered the key" in said) == (1, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "--expect"),
        (("--expect", "sha256:abc"), "64 hexadecimal digits"),
        (("--expect", FOREIGN, "--sample", "2"), "at most 1"),
        (("--expect", FOREIGN, "--every", "0"), "1,440 minutes"),
        (("--expect", FOREIGN, "--processes", "many"), "1 to 64"),
    ],
    ids=str,
)
def test_wrong_words_are_refused_with_the_right_ones(agent: Agent, words: tuple[str, ...], why: str) -> None:
    assert why in agent.look(*words)


def test_the_key_never_lies_among_the_weights(agent: Agent) -> None:
    agent.key = agent.folder / "observer.pem"
    assert "lies among the weights" in agent.look("--print")


class Turns:
    """A clock, and pauses that make it go on; the last one ends the command as Ctrl-C does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *between: Callable[[], object]) -> None:
        self.between = list(between)
        monkeypatch.setattr(command.time, "sleep", self.sleep)
        monkeypatch.setattr(command.signal, "signal", lambda *_: None)

    def sleep(self, seconds: float) -> None:
        if not self.between:
            raise KeyboardInterrupt
        self.between.pop(0)()


def test_it_looks_again_and_again_and_goes_on_after_a_failure(
    agent: Agent, known: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, config = agent.look("--print"), agent.folder / "config.json"
    right = config.read_text()
    link = agent.folder / "link"
    Turns(
        monkeypatch,
        lambda: link.symlink_to("a-b"),
        link.unlink,
        lambda: config.write_text("{}"),
        lambda: config.write_text(right),
    )
    said = agent.look("--expect", digest, "--every", "5", "--sample", "0.5")
    assert (agent.code, "Stopped" in said) == (130, True)
    assert "is a link" in agent.err
    depths = list(WeightsObservation.objects.order_by("pk").values_list("depth", flat=True))
    drifted = [row.drifted for row in WeightsObservation.objects.order_by("pk")]
    assert (depths[0], drifted[0], drifted[-1]) == ("load", False, False)
    assert (depths[1], len(depths) >= 3) == ("sample", True)
