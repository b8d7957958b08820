"""An evaluation on the demo model server, with a judge whose server has every fault that servers have."""

from collections.abc import Iterator

import pytest

from gates.run_models import CaseResult
from relcontrol.demo_models import app
from relcontrol.model_servers import retries
from tests.gates.runs.stage import cases_of
from tests.gates.scoring.counting import Counting, counting
from tests.releases.evaluating.servers import At
from tests.releases.evaluating.stage import SLUG, Evaluated, evaluated

pytestmark = pytest.mark.django_db
CASES = 80


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    """It hangs for a moment only, and then fails; calls are tried again at once."""
    monkeypatch.setattr(app, "HANGS_S", 0.05)
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(retries, "LONGEST_WISH", 0.01)
    with counting() as found:
        yield found


def test_a_faulty_judge_leaves_scores_missing_and_over_five_percent_hold_the_slice(server: Counting) -> None:
    here = on(server, "demo-judge-faulty")
    shown = here.evaluated(here.register(model_ref="endpoint:answering/demo-healthy"), concurrency=16)
    assert shown["state"] == "done", shown["problem"]
    missing = CaseResult.objects.filter(run=shown["gate_run_id"], score=None)
    assert 0.05 * CASES < missing.count() < 0.5 * CASES
    assert all(row.output and row.reason for row in missing)
    assert shown["cases"] == shown["cases"] | {"missing": missing.count(), "of": CASES}
    assert (shown["verdict"], shown["slices"][0]["quality"]["verdict"]) == ("gate_hold", "insufficient")
    assert "missing" in " ".join(shown["slices"][0]["quality"]["reasons"])
    spent = shown["evaluation"]["spent"]
    told = [sum(spent[side][name] for side in spent) for name in ("calls", "input_tokens", "output_tokens")]
    assert told == [server.calls, server.input_tokens, server.output_tokens]


def on(server: Counting, judge: str) -> Evaluated:
    """An organization on the demo server with one of its judges."""
    parameters = {"temperature": "0.7", "seed": 1}
    fields = {"model": judge, "parameters": parameters, "scale": ["1", "5"]}
    slices = {SLUG: {"threshold": "0.65", "quality_floor": "0.1"}}
    return evaluated(At(server.base_url), cases_of(SLUG, CASES), slices=slices, judge=fields)  # type: ignore[arg-type]  # asks for no more
