"""What judging costs: right to the token, and no call more than the budget allows."""

from decimal import Decimal

import pytest

from gates.scoring.scoring import Scoring
from relcontrol.model_servers.spending import Budget, Spent
from tests.gates.scoring.counting import Counting
from tests.gates.scoring.stage import Stage, answers, orders, run, scored
from tests.model_servers.sequences import USAGE, completion, sequences

pytestmark = pytest.mark.django_db


def test_tokens_and_cost_are_the_servers_own_count(at: Stage, server: Counting) -> None:
    with Scoring(at.of) as scoring:
        found = run(scoring, orders(at.judge(draws=3), answers(12)))
    spent = scoring.spent
    assert (spent.calls, spent.input_tokens, spent.output_tokens) == (36, server.input_tokens, server.output_tokens)
    assert spent.cost == server.input_tokens * Decimal("0.000001") + server.output_tokens * Decimal("0.000002")
    assert sum((each.spent for each in found.values()), Spent()) == spent
    assert spent.unpriced == 0


def test_what_was_spent_before_counts_on(at: Stage) -> None:
    with Scoring(at.of, spent=Spent(calls=5, input_tokens=100)) as scoring:
        run(scoring, orders(at.judge(), answers(1)))
    assert scoring.spent.calls == 6
    assert scoring.spent.input_tokens > 100


def test_calls_of_an_endpoint_without_prices_are_counted_apart(at: Stage) -> None:
    at.endpoint(output_price=None)
    with Scoring(at.of) as scoring:
        run(scoring, orders(at.judge(draws=2), answers(2)))
    assert (scoring.spent.unpriced, scoring.spent.cost) == (4, Decimal(0))
    assert scoring.spent.tokens > 0


def test_attempts_that_failed_are_calls_and_their_tokens_are_billed(at: Stage) -> None:
    with sequences() as other:
        well = completion('{"reason": "", "score": 3}', model="demo-judge")
        at.endpoint(base_url=other.answering(429, "no-completion", 500, well))
        [found] = scored(at, at.judge(), answers(1))
    assert (found.score, found.draws[0]["attempts"]) == (3.0, 4)
    assert (found.spent.calls, found.spent.input_tokens, found.spent.output_tokens) == (4, 2 * USAGE[0], 2 * USAGE[1])


def test_an_answer_whose_tokens_nobody_counted_is_unpriced(at: Stage) -> None:
    uncounted = completion('{"reason": "", "score": 3}', model="demo-judge") | {"usage": None}
    with sequences() as other:
        at.endpoint(base_url=other.answering(uncounted))
        [found] = scored(at, at.judge(), answers(1))
    assert (found.score, found.spent.unpriced, found.spent.tokens) == (3.0, 1, 0)


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_budget_of_tokens_is_overdrawn_by_one_call_at_most(at: Stage, server: Counting, concurrency: int) -> None:
    [one] = scored(at, at.judge(), answers(1), cached=False)
    server.reset()
    budget = Budget(tokens=10 * one.spent.tokens)
    with Scoring(at.of, concurrency=concurrency, budget=budget) as scoring:
        found = run(scoring, orders(at.judge(), answers(40)))
    assert len(found) == 40
    assert 10 * one.spent.tokens <= scoring.spent.tokens < 11.5 * one.spent.tokens
    assert scoring.spent.calls == server.calls == sum(each.score is not None for each in found.values())
    assert 9 <= server.calls <= 11


def test_what_comes_after_the_budget_is_missing_with_its_sentence(at: Stage, server: Counting) -> None:
    with Scoring(at.of, budget=Budget(tokens=1), concurrency=1) as scoring:
        found = run(scoring, orders(at.judge(), answers(5)))
    assert server.calls == 1
    missing = [each for each in found.values() if each.score is None]
    assert len(missing) == 4
    assert {each.problem for each in missing} == {f"The budget of 1 tokens is used up ({scoring.spent.tokens:,})."}
    assert all(each.spent.calls == 0 for each in missing)


def test_a_budget_of_money_stops_as_well(at: Stage, server: Counting) -> None:
    [one] = scored(at, at.judge(), answers(1), cached=False)
    server.reset()
    found = scored(at, at.judge(), answers(20), budget=Budget(cost=5 * one.spent.cost))
    assert 4 <= server.calls <= 6
    assert "The budget of" in next(each.problem for each in found if each.score is None)


def test_a_budget_that_was_used_up_before_allows_no_call(at: Stage, server: Counting) -> None:
    [found] = scored(at, at.judge(), answers(1), budget=Budget(tokens=100), spent=Spent(input_tokens=100))
    assert (found.score, server.calls) == (None, 0)


def test_a_score_of_fewer_draws_than_the_judges_is_none(at: Stage, server: Counting) -> None:
    [found] = scored(at, at.judge(draws=5), answers(1), budget=Budget(tokens=1), concurrency=1)
    assert server.calls == 1
    assert (found.score, len(found.draws)) == (None, 1)
    assert "budget" in found.problem


def test_what_is_known_or_needs_no_call_comes_without_a_budget(at: Stage, server: Counting) -> None:
    judge = at.judge()
    scored(at, judge, answers(3))
    [*known, unknown] = scored(at, judge, answers(4), budget=Budget(tokens=0))
    assert all(each.score is not None for each in known)
    assert unknown.score is None
    [by_rules] = scored(at, at.judge("rules:any@1", rules={}), answers(1), budget=Budget(tokens=0))
    assert by_rules.score == 1.0
    assert server.calls == 3
