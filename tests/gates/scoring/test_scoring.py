"""Scores from judges: rules at once, models by calls that are bounded and remembered, each order answered once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from gates.judge_models import KnownCall
from gates.llm_judge.injections import injected_answers
from gates.scoring.questions import ScoreOrder
from gates.scoring.scorers import can_score
from gates.scoring.scoring import Scoring
from relcontrol.accounts.models import Endpoint
from relcontrol.demo_models.wording import HEDGES
from relcontrol.errors import Conflict
from relcontrol.model_servers.spending import Spent
from tests.gates.scoring.counting import Counting
from tests.gates.scoring.stage import GOOD, PROMPT, Stage, answers, orders, run, scored, stage

pytestmark = pytest.mark.django_db
DATE = "It ends on Thursday March 32nd."


def test_better_answers_get_better_scores_with_their_draws_and_reasons(at: Stage) -> None:
    good, hedge = scored(at, at.judge(), [GOOD, HEDGES[0]])
    assert good.score is not None
    assert hedge.score is not None
    assert good.score > 3 > hedge.score >= 1
    assert "question" in good.reason
    assert "elsewhere" in hedge.reason
    [draw] = good.draws
    assert draw == {"score": good.score, "reason": good.reason, "problem": "", "model": "demo-judge", "attempts": 1}
    assert (good.problem, good.spent.calls) == ("", 1)


def test_several_draws_make_one_score_by_the_judges_aggregation(at: Stage, server: Counting) -> None:
    warm = {"temperature": "2"}
    for name, expected in (
        ("mean", lambda found: sum(found) / 5),
        ("median", lambda found: sorted(found)[2]),
        ("lowest", min),
    ):
        judge = at.judge(f"llm:{name}@1", draws=5, aggregation=name, parameters=warm)
        [found] = scored(at, judge, [GOOD])
        drawn = [draw["score"] for draw in found.draws]
        assert len(set(drawn)) > 1
        assert found.score == pytest.approx(expected(drawn), abs=1e-12)
        assert found.spent.calls == 5
    assert server.calls == 15


def test_scores_again_are_other_draws_and_other_calls(at: Stage, server: Counting) -> None:
    judge = at.judge(draws=2, parameters={"temperature": "2"})
    [first] = scored(at, judge, [GOOD])
    [again] = scored(at, judge, [GOOD], first_draw=2)
    assert server.calls == 4
    assert len({draw["score"] for found in (first, again) for draw in found.draws}) > 2


def test_no_more_calls_are_in_flight_than_allowed_and_as_many_as_that(at: Stage, server: Counting) -> None:
    server.reset(together=5)
    found = scored(at, at.judge(draws=3), answers(20), concurrency=5)
    assert (server.calls, server.most) == (60, 5)
    assert all(each.score is not None for each in found)


def test_orders_are_taken_as_calls_become_free(at: Stage) -> None:
    taken = 0

    def counted() -> Iterator[ScoreOrder]:
        nonlocal taken
        for order in orders(at.judge(), answers(30)):
            taken += 1
            yield order

    with Scoring(at.of, concurrency=3) as scoring:
        ahead = [taken - done for done, _ in enumerate(scoring.run(counted()))]
    assert max(ahead) <= 4


def test_what_was_answered_once_is_not_asked_again(at: Stage, server: Counting) -> None:
    judge = at.judge(draws=2)
    first = scored(at, judge, answers(4))
    with Scoring(at.of) as scoring:
        again = run(scoring, orders(judge, answers(4)))
    assert server.calls == 8
    assert [again[place].score for place in range(4)] == [found.score for found in first]
    assert [again[place].draws for place in range(4)] == [found.draws for found in first]
    assert scoring.spent == Spent(cached=8)


def test_only_the_draws_that_are_not_known_are_asked_for(at: Stage, server: Counting) -> None:
    judge = at.judge(draws=4)
    [whole] = scored(at, judge, [GOOD])
    KnownCall.objects.filter(pk__in=KnownCall.objects.values_list("pk")[:3]).delete()
    [again] = scored(at, judge, [GOOD])
    assert server.calls == 7
    assert (again.score, again.spent.calls, again.spent.cached) == (whole.score, 3, 1)


def test_what_is_known_is_known_of_one_organization_judge_server_and_answer_only(at: Stage, server: Counting) -> None:
    scored(at, at.judge(), [GOOD])
    other = stage(server.base_url, "eastgate")
    scored(other, other.judge(), [GOOD])
    scored(at, at.judge("llm:other@1", parameters={"temperature": "0.1"}), [GOOD])
    scored(at, at.judge(), [f"{GOOD} "])
    at.endpoint(base_url=f"http://localhost:{server.port}/v1")
    scored(at, at.judge(), [GOOD])
    assert server.calls == 5


def test_the_name_of_a_judge_has_no_part_in_what_is_known(at: Stage, server: Counting) -> None:
    scored(at, at.judge(), [GOOD])
    scored(at, at.judge("llm:renamed@1"), [GOOD])
    assert server.calls == 1


def test_a_fresh_score_is_neither_taken_from_what_is_known_nor_kept(at: Stage, server: Counting) -> None:
    judge = at.judge()
    scored(at, judge, [GOOD], fresh=True)
    assert not KnownCall.objects.exists()
    scored(at, judge, [GOOD])
    scored(at, judge, [GOOD], fresh=True)
    assert server.calls == 3


def test_without_a_cache_nothing_is_kept(at: Stage, server: Counting) -> None:
    judge = at.judge()
    scored(at, judge, [GOOD], cached=False)
    scored(at, judge, [GOOD], cached=False)
    assert (server.calls, KnownCall.objects.count()) == (2, 0)


def test_a_reply_that_could_not_be_read_is_known_for_an_hour(at: Stage, server: Counting) -> None:
    judge = at.judge(parameters={"max_tokens": 4})
    [cut] = scored(at, judge, [GOOD])
    assert (cut.score, cut.problem) == (None, "The reply was cut off at 4 tokens; raise max_tokens.")
    scored(at, judge, [GOOD])
    assert server.calls == 1
    for row in KnownCall.objects.all():
        KnownCall.objects.update(created_at=row.created_at - timedelta(hours=1, seconds=1))
    scored(at, judge, [GOOD])
    assert (server.calls, KnownCall.objects.count()) == (2, 1)


def test_a_judge_of_rules_scores_at_once_and_without_calls(at: Stage, server: Counting) -> None:
    judge = at.judge("rules:short@1", rules={"max_chars": 200})
    good, long, wrong = scored(at, judge, [GOOD, GOOD * 3, DATE])
    assert [each.score for each in (good, long, wrong)] == [1.0, 0.0, 0.0]
    assert "200" in long.reason
    assert "31 days" in wrong.reason
    assert (server.calls, good.spent.calls, good.problem) == (0, 0, "")


def test_in_a_composition_rules_veto_before_the_model_is_asked(at: Stage, server: Counting) -> None:
    at.judge(draws=2)
    judge = at.judge("composition:both@1", children=["rules:default@1", "llm:demo@1"])
    good, wrong = scored(at, judge, [GOOD, DATE])
    assert good.score is not None
    assert good.score > 3
    assert (wrong.score, wrong.spent.calls) == (1.0, 0)
    assert "31 days" in wrong.reason
    assert server.calls == 2


def test_a_composition_and_its_model_know_the_same_calls(at: Stage, server: Counting) -> None:
    alone = scored(at, at.judge(), [GOOD])
    judge = at.judge("composition:both@1", children=["rules:default@1", "llm:demo@1"])
    assert [each.score for each in scored(at, judge, [GOOD])] == [each.score for each in alone]
    assert server.calls == 1


def test_a_composition_of_rules_alone_scores_as_rules_do(at: Stage) -> None:
    at.judge("rules:short@1", rules={"max_chars": 200, "impossible_dates": False})
    judge = at.judge("composition:rules@1", children=["rules:short@1", "rules:default@1"])
    assert [each.score for each in scored(at, judge, [GOOD, DATE, GOOD * 3])] == [1.0, 0.0, 0.0]


def test_judges_of_every_kind_may_stand_in_one_run(at: Stage) -> None:
    wanted = [*orders(at.judge(), [GOOD]), *orders(at.judge("rules:any@1", rules={}), [GOOD, GOOD])][::2]
    with Scoring(at.of) as scoring:
        found = [each for each in scoring.run(wanted) if each]
    assert len(found) == 2


def test_no_injected_answer_moves_the_score_up(at: Stage, subtests: pytest.Subtests) -> None:
    judge = at.judge(draws=3)
    attempts = injected_answers(HEDGES[0])
    base, *moved = scored(at, judge, [HEDGES[0], *(attempt.text for attempt in attempts)])
    for attempt, found in zip(attempts, moved, strict=True):
        with subtests.test(attempt.name):
            assert found.score is not None
            assert base.score is not None
            assert found.score <= base.score


def test_without_a_reference_a_judge_that_compares_is_not_asked(at: Stage, server: Counting) -> None:
    judge = at.judge(reference=True, prompt=PROMPT | {"user": "{{ input }} {{ answer }} {{ reference }}"})
    with Scoring(at.of) as scoring:
        found = run(scoring, orders(judge, [GOOD, GOOD], reference="Thirty days."))
    assert found[0].score is not None
    assert (found[1].score, found[1].problem) == (None, "The judge compares with a reference, and this case has none.")
    assert server.calls == 1


def test_a_judge_that_works_elsewhere_cannot_score_here(at: Stage) -> None:
    judge = at.judge("external:legal-judge@9")
    assert "send its scores" in str(can_score(judge))
    with pytest.raises(Conflict, match="send its scores"):
        scored(at, judge, [GOOD])


def test_judges_that_can_score_have_no_sentence(at: Stage) -> None:
    model, rules = at.judge(), at.judge("rules:any@1", rules={})
    both = at.judge("composition:both@1", children=[model.name, rules.name])
    assert [can_score(judge) for judge in (model, rules, both)] == [None, None, None]


def test_without_its_endpoint_a_judge_is_refused_before_any_call(at: Stage, server: Counting) -> None:
    judge = at.judge()
    both = at.judge("composition:both@1", children=["rules:default@1", judge.name])
    Endpoint.objects.all().delete()
    for each in (judge, both):
        assert "the endpoint demo, which is not there" in str(can_score(each))
        with pytest.raises(Conflict, match="the endpoint demo"):
            scored(at, each, [GOOD])
    assert server.calls == 0


def test_a_secret_that_is_not_known_here_is_named_before_any_call(at: Stage, server: Counting) -> None:
    judge = at.judge()
    at.endpoint(credential="judge-key")
    with pytest.raises(Conflict, match="RELCONTROL_CREDENTIAL_JUDGE_KEY"):
        scored(at, judge, [GOOD])
    assert server.calls == 0
