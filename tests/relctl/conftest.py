"""A stage that plays relcontrol, and relctl run against it without real pauses."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from relcontrol.relctl import main
from tests.relctl.stage import TOKEN, Stage


@dataclass(frozen=True)
class Ran:
    """What one run of relctl came to."""

    code: int
    out: str
    err: str
    pauses: list[float]


class Relctl(Protocol):
    """Runs relctl with these words."""

    def __call__(self, *words: object) -> Ran: ...


@pytest.fixture
def stage() -> Iterator[Stage]:
    running = Stage()
    yield running
    running.close()


@pytest.fixture
def relctl(stage: Stage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Relctl:
    monkeypatch.setenv("RELCONTROL_URL", stage.url)
    monkeypatch.setenv("RELCONTROL_TOKEN", TOKEN)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def run(*words: object) -> Ran:
        pauses: list[float] = []
        try:
            code = main([str(word) for word in words], pause=pauses.append)
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capfd.readouterr()
        return Ran(code, out, err, pauses)

    return run
