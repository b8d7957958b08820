"""A rebased manifest of the same bundle takes its gate run along, the good and the bad."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from gates.run_models import GateRun
from releases.artifacts import create_artifact
from releases.models import Release
from tests.factories import person
from tests.gates.runs.comparing import GRADES, SCORES, Pair, limit, only, rows, scored, with_drop
from tests.gates.runs.stage import SUITE, Row
from tests.releases.scene import PROMPT_VALUE, stable

pytestmark = pytest.mark.django_db

BODY = {"model_ref": "hf:Divinci-AI/gemma-4-e2b@a7c91f", "routing": {"domain": "legal"}, "dataset_version": SUITE}
WORSE = [0.5 * score for score in SCORES]


@dataclass
class Overtaken:
    """A release that was judged against one that the route no longer serves."""

    pair: Pair
    run: Row
    serves: Release

    def rebased(self) -> Release:
        """The same bundle on what the route serves now."""
        body = BODY | {"prompt_template_ref": "templates/legal-qa@v2", "rebase": True}
        answer = self.pair.stage.ci.post("releases", body)
        assert answer.status_code == 201, answer.content
        release = Release.objects.get(pk=answer.json()["release_id"])
        assert release.previous_release == self.serves
        return release

    def runs_of(self, release: Release) -> list[Row]:
        """Its gate runs by the API."""
        found: list[Row] = self.pair.stage.ci.get(f"releases/{release.pk}/gate-runs").json()["results"]
        return found

    def standing(self, release: Release) -> str:
        """What the API says of it."""
        return str(self.pair.stage.ci.get(f"releases/{release.pk}").json()["standing"])


def overtaken(results: list[Row], **order: Any) -> Overtaken:
    """The second release is judged; then another one takes the place of the first."""
    pair = scored()
    run = pair.judged(results, **order)
    create_artifact(actor=pair.stage.actor, ref="templates/legal-qa@v3", value=PROMPT_VALUE | {"system": "A third."})
    body = BODY | {"prompt_template_ref": "templates/legal-qa@v3", "previous_release": pair.first.pk}
    answer = pair.stage.ci.post("releases", body)
    assert answer.status_code == 201, answer.content
    return Overtaken(pair, run, stable(answer.json()["release_id"]))


def test_a_pass_is_carried_with_a_receipt_and_a_digest_of_its_own() -> None:
    here = overtaken(rows())
    release = here.rebased()
    (carried,) = here.runs_of(release)
    assert (carried["verdict"], carried["carried_from"]) == ("gate_pass", here.run["gate_run_id"])
    assert carried["gate_run_sha256"] != here.run["gate_run_sha256"]
    assert here.standing(release) == "pass"
    said = here.pair.stage.last_statement()
    assert (said["event"], said["release"]["manifest_sha256"]) == ("gate.carried", release.manifest_sha256)


def test_a_failure_is_not_left_behind_by_a_rebase() -> None:
    here = overtaken(rows(scores=WORSE))
    release = here.rebased()
    assert here.runs_of(release)[0]["verdict"] == "gate_fail"
    assert here.standing(release) == "fail"
    answer = here.pair.stage.ci.post(f"releases/{release.pk}/roll", {"strategy": "canary"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_deployable")


def test_a_failure_cannot_be_left_behind_by_better_results_either() -> None:
    here = overtaken(rows(scores=WORSE))
    release = here.rebased()
    answer = here.pair.stage.send(release, rows("c"))
    assert (answer.status_code, answer.json()["code"]) == (409, "already_judged")


def test_what_a_slice_asks_now_is_asked_again() -> None:
    here = overtaken(rows())
    assert here.pair.stage.ci.patch("slices/ip-licensing", {"threshold": 0.7}).status_code == 200
    release = here.rebased()
    assert (here.runs_of(release), here.standing(release)) == ([], "none")


def test_a_dry_run_is_not_carried() -> None:
    here = overtaken(rows(), dry_run=True)
    release = here.rebased()
    assert (here.runs_of(release), here.standing(release)) == ([], "none")


def test_the_carried_run_shows_the_answers_of_the_one_it_came_from() -> None:
    here = overtaken(with_drop(10))
    carried = GateRun.objects.get(manifest_sha256=here.rebased().manifest_sha256)
    browser = Client()
    browser.force_login(person(here.pair.stage.organization, "viewer"))
    page = browser.get(f"/o/northgate/gate/{carried.pk}/")
    assert page.status_code == 200
    assert [row.drop.case.case_id for row in page.context["drop_rows"]] == ["ip-licensing-0030"]


def test_a_later_release_is_compared_with_the_scores_of_a_carried_run() -> None:
    here = overtaken(rows())
    release, stage = here.rebased(), here.pair.stage
    stable(release.pk)
    create_artifact(actor=stage.actor, ref="templates/legal-qa@v4", value=PROMPT_VALUE | {"system": "A fourth."})
    body = BODY | {"prompt_template_ref": "templates/legal-qa@v4", "previous_release": release.pk}
    answer = stage.ci.post("releases", body)
    assert answer.status_code == 201, answer.content
    document = stage.judged(Release.objects.get(pk=answer.json()["release_id"]), rows("d"))
    assert only(document)["change"]["movement"] == "same"
    assert (document["verdict"], limit(document, "parity")["verdict"]) == ("gate_pass", "pass")
    assert len(GRADES) == only(document)["change"]["n"]
