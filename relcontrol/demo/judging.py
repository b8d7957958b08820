"""The demo's own judge and its panels: a judge that is a model, answers that experts graded, and a panel at work.

Nothing here calls a model: measuring the judge takes one that answers, so the director asks for it once `up` is up.
"""

import json
from typing import Any, Final

from gates.judge_making import create_judge
from gates.models import Suite
from gates.panel_models import Panel
from gates.panels.closing import close_panel
from gates.panels.importing import import_grades
from gates.panels.making import create_panel
from gates.panels.rating import next_task, rate
from gates.run_models import GateRun
from gates.suites import carry_out, request_import, suite_named
from relcontrol.accounts.actors import Actor
from relcontrol.demo.decisions import APPROVER, MANAGER, acting
from relcontrol.demo.graded import SUITE, later_grades, suite_lines
from relcontrol.demo.registering import ENDPOINT
from relcontrol.demo.results import GRADE_SCALE
from relcontrol.jobs.models import LeasedJob
from releases.models import Release

JUDGE: Final = "llm:legal-rubric@1"
JUDGE_MODEL: Final = "demo-judge"
RULES: Final = "rules:legal-form@1"
BOTH: Final = "composition:legal-rubric-and-form@1"
RATER: Final = "owner@demo"
OPEN_PANEL, CLOSED_PANEL = "IP licensing, November", "October answers, read again"
OPEN_SLICE: Final = "ip-licensing"
OPEN_ANSWERS: Final = 20
OPEN_GRADES: Final = (4, 2, 5, 3, 1, 4)
SEED: Final = 7
RUBRIC: Final = """5: right, complete, and a client could act on it.
4: right, with a gap that a lawyer would fill without looking anything up.
3: right in its core, but something that decides the case is missing.
2: partly wrong, or right by accident.
1: wrong, or no answer."""
SYSTEM: Final = f"""You grade answers to questions about the law for a firm's lawyers.

{RUBRIC}

Hold each answer to what the reference says, not to how it is said."""
DEFINITION: Final[dict[str, Any]] = {
    "endpoint": ENDPOINT,
    "model": JUDGE_MODEL,
    "prompt": {"system": SYSTEM, "user": "{{ input }}\n{{ answer }}\n{{ reference }}"},
    "draws": 2,
    "aggregation": "mean",
    "scale": [1, 5],
    "reference": True,
    "parameters": {"seed": SEED},
}


def make_judges(actor: Actor) -> None:
    """A judge that is a model, one that is rules, and both in one."""
    for name, fields in (
        (JUDGE, DEFINITION),
        (RULES, {"rules": {}}),
        (BOTH, {"children": [RULES, JUDGE]}),
    ):
        create_judge(actor=actor, name=name, fields=fields)


def make_graded_suite(actor: Actor) -> None:
    """Answers with the first expert's grades."""
    lines = "\n".join(json.dumps(line, ensure_ascii=False) for line in suite_lines())
    request = request_import(actor=actor, name=SUITE, body=lines.encode(), file_format="jsonl", scale=GRADE_SCALE)
    job = carry_out(request)
    if job.state != LeasedJob.State.DONE:
        raise RuntimeError(f"the demo's graded answers were not imported: {job.problem}")


def make_panels(actor: Actor, failed: Release) -> None:
    """One that is closed, with the other experts' grades; and one in which two people are at work."""
    manager = acting(actor.organization, MANAGER)
    _closed(manager, suite_named(actor.organization, SUITE))
    _open(manager, GateRun.objects.get(organization=actor.organization, manifest_sha256=failed.manifest_sha256))


def _closed(manager: Actor, suite: Suite) -> None:
    panel = create_panel(
        actor=manager, name=CLOSED_PANEL, rubric=RUBRIC, source=Panel.Source.SUITE, suite=suite, scale=GRADE_SCALE
    )
    import_grades(actor=manager, panel=panel, body=later_grades(), file_format="csv")
    close_panel(actor=manager, panel=panel)


def _open(manager: Actor, run: GateRun) -> None:
    panel = create_panel(
        actor=manager,
        name=OPEN_PANEL,
        rubric=RUBRIC,
        source=Panel.Source.RUN,
        run=run,
        slices=[OPEN_SLICE],
        count=OPEN_ANSWERS,
        raters=[RATER, APPROVER],
        raters_per_answer=2,
        scale=GRADE_SCALE,
        seed=SEED,
    )
    approver = acting(manager.organization, APPROVER)
    for grade in OPEN_GRADES:
        if approver.person and (task := next_task(panel, approver.person)):
            rate(actor=approver, task=task, grade=grade)
