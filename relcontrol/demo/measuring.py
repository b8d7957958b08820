"""The demo's judge at work, once the demo models answer: measured against the experts, then set to judge a release.

Like the rest of the director it reads where it stands from the rows, and does nothing that was done before.
"""

import json
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from gates.calibrations.requesting import carry_out as measure
from gates.calibrations.requesting import request_calibration
from gates.evaluating.order import EvaluationOrder
from gates.judge_models import CalibrationRun
from gates.models import Judge
from gates.run_models import GateRun
from gates.runs.requesting import carry_out as evaluate
from gates.suites import suite_named
from relcontrol.accounts.models import Endpoint, Organization
from relcontrol.demo import desk, graded, judging
from relcontrol.demo.decisions import MANAGER, acting
from relcontrol.demo.making import OWNER, organization
from relcontrol.demo.registering import ENDPOINT
from relcontrol.errors import DomainError
from releases.evaluating.requesting import request_evaluation
from releases.models import Release

ANSWER_SECONDS: Final = 2.0
AT_ONCE: Final = 4  # calls, so that a first look sees the evaluation move


def next_measure() -> str | None:
    """What was done now, or what is waited for; None where the rest is the user's."""
    found = organization()
    judge = Judge.objects.filter(organization=found, name=judging.JUDGE).first()
    if found is None or judge is None:
        return None
    calibration = CalibrationRun.objects.filter(judge=judge).order_by("pk").first()
    release = Release.objects.filter(organization=found, application__slug=desk.APPLICATION, number=1).first()
    if calibration is None:
        return _measured(found, judge) if _models_answer(found) else "waiting for the demo models"
    if not calibration.is_over:
        return f"waiting for the calibration of {judge.name}"
    if release is None or GateRun.objects.filter(manifest_sha256=release.manifest_sha256).exists():
        return None
    return _evaluated(found, release)


def _measured(found: Organization, judge: Judge) -> str:
    suite = suite_named(found, graded.SUITE)
    try:
        run = request_calibration(actor=acting(found, OWNER), judge=judge, suite=suite)
    except DomainError as error:
        return f"{judge.name} cannot be measured yet: {error.detail}"
    measure(run)
    return f"measuring {judge.name} against the experts' grades ({run.pk})"


def _evaluated(found: Organization, release: Release) -> str:
    try:
        order = EvaluationOrder(concurrency=AT_ONCE)
        run = request_evaluation(actor=acting(found, MANAGER), release=release, order=order)
    except DomainError as error:
        return f"{release.name} of the contract desk cannot be evaluated yet: {error.detail}"
    evaluate(run)
    return f"answering and judging the suite of the contract desk ({run.pk})"


def _models_answer(found: Organization) -> bool:
    """Whether the endpoint has the demo's judge: somebody may have pointed it at a server of her own."""
    endpoint = Endpoint.objects.filter(organization=found, name=ENDPOINT).first()
    return endpoint is not None and judging.JUDGE_MODEL in models_at(endpoint.base_url)


def models_at(base_url: str) -> list[str]:
    """The models of a server; none where it does not answer."""
    try:
        with urlopen(f"{base_url}/models", timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - an endpoint's own scheme
            return [str(model["id"]) for model in json.load(answer)["data"]]
    except (URLError, OSError, ValueError, LookupError, TypeError):
        return []
