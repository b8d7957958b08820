"""The badge beside a judge's numbers says whether gate runs may rest on it, in a word and a sentence."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import ChainCheck
from gates.calibrations.selectors import compared
from gates.calibrations.standing import badge, badges, badges_of_slices, rescore_deviation, valid_calibration
from gates.slices.services import change_slice, create_slice
from relcontrol.clock import now
from relcontrol.needs import needs_of
from relcontrol.rehearsal.samples import graded
from tests.factories import person_actor
from tests.gates.calibrations.bench import COUNT, JUDGE, SLICE, Bench, bench, of_slice, older
from tests.gates.runs.stage import cases_of, stage

pytestmark = pytest.mark.django_db

CHILD = "patents"


@pytest.fixture
def here() -> Bench:
    return bench()


def test_without_a_judge_there_is_nothing_to_say(here: Bench) -> None:
    assert badge(here.slice(), None, now()).word == "No judge"


def test_a_judge_that_nobody_measured_says_what_to_do(here: Bench) -> None:
    found = badge(here.slice(), here.judge().sha256, now())
    assert (found.tone, found.word, found.url_key) == ("skip", "Not calibrated", "")
    assert found.sentence.endswith("Measure the judge against answers that your experts graded.")


@pytest.mark.parametrize(
    ("rho", "tone", "word", "holds"),
    [(0.85, "pass", "Calibrated", True), (0.70, "hold", "Not proven", True), (0.30, "fail", "Disagrees", False)],
)
def test_a_measurement_has_its_word(rho: float, tone: str, word: str, holds: bool, here: Bench) -> None:
    run = here.measured(here.scores(**{SLICE: graded(COUNT, rho)}))
    found = badge(here.slice(), run.judge.sha256, now())
    assert (found.tone, found.word, found.holds, found.url_key) == (tone, word, holds, run.pk)
    assert (valid_calibration(here.slice().pk, run.judge.sha256, now()) is not None) is holds


def test_the_sentence_tells_agreement_experts_and_the_human_ceiling(here: Bench) -> None:
    run = here.measured()
    found = badge(here.slice(), run.judge.sha256, now())
    assert found.sentence.startswith("Agreement 0.85 with 3 experts on 60 answers, 8")
    assert "% of the human ceiling" in found.sentence
    assert (found.rho, found.n, found.ceiling) == (of_slice(run).rho, COUNT, of_slice(run).document["ceiling"])


def test_after_thirty_days_it_has_expired(here: Bench) -> None:
    run = here.measured()
    at = now() + timedelta(days=30, minutes=1)
    found = badge(here.slice(), run.judge.sha256, at)
    assert (found.tone, found.word) == ("hold", "Expired")
    assert valid_calibration(here.slice().pk, run.judge.sha256, at) is None
    assert valid_calibration(here.slice().pk, run.judge.sha256, now()) is not None


def test_a_slice_that_has_other_children_now_has_to_be_measured_again() -> None:
    here = bench({SLICE: graded(40, 0.9), CHILD: graded(40, 0.9)})
    run = here.measured()
    change_slice(actor=here.stage.actor, target=here.slice(CHILD), parent=SLICE)
    found = badge(here.slice(), run.judge.sha256, now())
    assert (found.word, found.holds) == ("Ended", False)
    assert found.sentence == "The slice has other slices below it now than when its judge was measured."
    assert badge(here.slice(CHILD), run.judge.sha256, now()).holds


def test_a_new_child_without_cases_changes_nothing(here: Bench) -> None:
    run = here.measured()
    create_slice(actor=here.stage.actor, slug="empty", parent=SLICE)
    assert badge(here.slice(), run.judge.sha256, now()).holds


def test_a_measurement_that_says_nothing_does_not_hide_the_one_that_holds(here: Bench) -> None:
    first = here.measured()
    here.measured(here.scores()[:30])
    assert badge(here.slice(), first.judge.sha256, now()).url_key == first.pk


def test_badges_of_many_slices_take_as_many_queries_as_that_of_one() -> None:
    parts = {f"slice-{number}": graded(30, 0.9, seed=number) for number in range(6)}
    here = bench(parts, judge=JUDGE)
    sha256 = here.measured().judge.sha256
    rows = [here.slice(slug) for slug in parts]
    counts = []
    for chosen in (rows[:1], rows):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = badges(here.stage.organization, [(row.pk, sha256) for row in chosen], now())
        counts.append(len(queries))
        assert {each.word for each in found.values()} == {"Calibrated"}
    assert counts[0] == counts[1] <= 3
    assert {each.word for each in badges_of_slices(here.stage.organization, rows, now()).values()} == {"Calibrated"}


def test_other_organizations_measurements_are_not_seen(here: Bench) -> None:
    run = here.measured()
    other = bench_of("eastgate")
    assert badge(other.slice(), run.judge.sha256, now()).word == "Not calibrated"
    assert rescore_deviation(run.judge.sha256, other.slice().pk) is None


def bench_of(slug: str) -> Bench:
    """A second organization, with the same slice and no grades."""
    return Bench(stage({SLICE: {}}, cases_of(SLICE, 3), slug), {})


def test_judges_are_compared_on_the_answers_of_both_the_best_first(here: Bench) -> None:
    here.measured(here.scores(**{SLICE: graded(COUNT, 0.40)}), judge="external:weak@1")
    here.measured(here.scores(**{SLICE: graded(COUNT, 0.80)}), judge="external:old@1")
    here.measured()
    found = compared(here.slice(), now())
    assert [each.judge.name for each in found] == [JUDGE, "external:old@1", "external:weak@1"]
    best, _, weak = found
    assert best.against is None
    assert weak.against
    assert (weak.against.n, weak.against.dropped) == (COUNT, True)
    assert weak.badge.word == "Disagrees"


def test_of_each_judge_the_newest_measurement_is_compared(here: Bench) -> None:
    older(here.measured(), 3)
    newest = here.measured(here.scores(**{SLICE: graded(COUNT, 0.80)}))
    (found,) = compared(here.slice(), now())
    assert found.calibration.run_id == newest.pk


def titles(here: Bench, *roles: str) -> list[str]:
    """What waits for somebody with these roles."""
    actor = person_actor(here.stage.organization, *roles)
    return [need.title for need in needs_of(actor, ChainCheck(organization=here.stage.organization), now())]


def test_a_slice_whose_judge_lost_its_calibration_waits_for_a_person() -> None:
    here = bench(judge=JUDGE)
    run = here.measured()
    assert not titles(here, "domain-owner")
    run.calibrations.update(ended_at=now(), ended_because="The judge has moved.")
    assert f"Measure {JUDGE} again on {SLICE}" in titles(here, "release-manager")
    assert not titles(here, "viewer")
    here.measured()
    assert not titles(here, "domain-owner", "auditor")


def test_one_whose_slice_has_another_judge_does_not(here: Bench) -> None:
    run = here.measured()
    run.calibrations.update(ended_at=now(), ended_because="The judge has moved.")
    assert not titles(here, "domain-owner")
