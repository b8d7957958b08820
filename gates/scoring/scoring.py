"""Scores from judges, many at a time: calls in flight up to a limit, each paid once, none beyond the budget.

Used from a worker's own thread, which speaks to the database between calls. Every call ends: each attempt has its time,
attempts are few, and a server that answers nothing is given up. So a run ends whatever the server does.
"""

from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from time import monotonic
from types import TracebackType
from typing import Any, Final, Self

from gates.llm_judge.reading import Draw, read_draw
from gates.models import Judge
from gates.scoring.bills import expected, spent_on
from gates.scoring.known_draws import draw_key, keep_draw, known_draws
from gates.scoring.questions import Scored, ScoreOrder
from gates.scoring.scorers import Scorer, scorer_of
from gates.scoring.work import Work, without_calls
from relcontrol.accounts.models import Organization
from relcontrol.model_servers.calls import Calls
from relcontrol.model_servers.client import Answer
from relcontrol.model_servers.spending import Budget, Spent

CALL_SECONDS: Final = 60.0
ATTEMPTS: Final = 4
NEWS_SECONDS: Final = 4.0
# So many calls in a row without an answer, each tried several times, and a server is asked no more.
GIVE_UP_AFTER: Final = 12
UNLIMITED: Final = Budget()
NOTHING: Final = Spent()


@dataclass(frozen=True, slots=True)
class _Call:
    """One draw that is to be asked for, or is being."""

    work: Work
    draw: int
    body: Mapping[str, Any]
    key: str
    reserved: Spent


class Scoring:
    """A context in which judges score. `spent` is the running total, what was spent before included."""

    def __init__(
        self,
        organization: Organization,
        *,
        concurrency: int = 8,
        budget: Budget = UNLIMITED,
        spent: Spent = NOTHING,
        cached: bool = True,
    ) -> None:
        self.spent = spent
        self._organization, self._budget, self._cached = organization, budget, cached
        self._concurrency = max(1, concurrency)
        self._calls = Calls(time_limit=CALL_SECONDS, attempts=ATTEMPTS)
        self._scorers: dict[str, Scorer] = {}
        self._flying: dict[Future[Answer], _Call] = {}
        self._waiting: deque[_Call] = deque()
        self._ready: deque[Scored] = deque()
        self._unanswered: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._calls.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calls.__exit__(kind, error, trace)

    @property
    def in_flight(self) -> int:
        """How many calls are in flight now."""
        return len(self._flying)

    @property
    def ready(self) -> int:
        """How many more scores are complete now: a caller that writes them may write them together."""
        return len(self._ready)

    def run(self, orders: Iterable[ScoreOrder]) -> Generator[Scored | None, None, None]:
        """Scores in the order in which they are complete; None where none was for some seconds.

        Orders are taken as calls become free. `Conflict` where a judge cannot score, before it is asked anything.
        """
        rest: Iterator[ScoreOrder] | None = iter(orders)
        heard = monotonic()
        try:
            while rest is not None or self._flying or self._waiting or self._ready:
                self._begin_waiting()
                if rest is not None and not self._ready and self._is_free():
                    rest = rest if self._took_one(rest) else None
                elif not self._ready:
                    self._land(heard + NEWS_SECONDS - monotonic())
                if self._ready or monotonic() - heard >= NEWS_SECONDS:
                    yield self._ready.popleft() if self._ready else None
                    heard = monotonic()
        finally:
            self._give_up_all()

    def _is_free(self) -> bool:
        """Whether another order may be taken: no call waits, and one more could begin."""
        return not self._waiting and len(self._flying) < self._concurrency

    def _took_one(self, orders: Iterator[ScoreOrder]) -> bool:
        order = next(orders, None)
        if order is None:
            return False
        scorer = self._scorer(order.judge)
        draw = scorer.by_rules(order.question)
        if draw is None and scorer.model and (problem := scorer.model.refusal(order.question)):
            draw = Draw(None, "", problem)
        if draw is not None or scorer.model is None:
            self._ready.append(without_calls(order, draw or Draw(None)))
        else:
            self._plan(Work(order, scorer.model))
        return True

    def _scorer(self, judge: Judge) -> Scorer:
        if judge.sha256 not in self._scorers:
            self._scorers[judge.sha256] = scorer_of(judge)
        return self._scorers[judge.sha256]

    def _plan(self, work: Work) -> None:
        """Take the draws that are known; the others wait to be asked for."""
        model, order = work.model, work.order
        bodies = model.bodies(order.question, work.missing())
        keys = {draw: draw_key(model.judge, model.server.base_url, draw, body) for draw, body in bodies.items()}
        if self._cached and not order.fresh:
            known = known_draws(self._organization, keys.values())
            work.draws |= {draw: known.get(key) for draw, key in keys.items()}
            self._count(work, Spent(cached=sum(key in known for key in keys.values())))
        if work.is_over:
            self._ready.append(work.scored())
        for draw in work.missing():
            reserved = expected(bodies[draw], model.definition.parameters.max_tokens, model.server.prices)
            self._waiting.append(_Call(work, draw, bodies[draw], keys[draw], reserved))

    def _begin_waiting(self) -> None:
        """Begin the calls that wait, as far as limit, budget and server let them."""
        while self._waiting and len(self._flying) < self._concurrency:
            call = self._waiting[0]
            if reason := self._reason_to_stop(call):
                self._stop(call.work, reason)
            elif self._may_be_used_up():
                return
            else:
                self._waiting.popleft()
                server, seconds = call.work.model.server, call.work.model.definition.parameters.timeout_seconds
                future = self._calls.ask(server.base_url, server.secret, call.body, time_limit=seconds)
                self._flying[future] = call

    def _reason_to_stop(self, call: _Call) -> str | None:
        server = call.work.model.server
        if self._unanswered[server.base_url] >= max(GIVE_UP_AFTER, self._concurrency):
            times = self._unanswered[server.base_url]
            return f"The endpoint {server.name} did not answer the last {times} calls and is asked no more."
        return self._budget.reason_to_stop(self.spent)

    def _may_be_used_up(self) -> bool:
        """Whether calls in flight may use up the budget: then the next one waits for them."""
        reserved = sum((call.reserved for call in self._flying.values()), self.spent)
        return bool(self._flying) and self._budget.reason_to_stop(reserved) is not None

    def _stop(self, work: Work, reason: str) -> None:
        """The rest of an order's draws are not asked for; it is complete once those in flight are."""
        work.stopped = reason
        self._waiting = deque(call for call in self._waiting if call.work is not work)
        self._close(work)

    def _land(self, seconds: float) -> None:
        """Wait for calls, so long at most, and take their answers."""
        done, _ = wait(self._flying, timeout=max(0.0, seconds), return_when=FIRST_COMPLETED)
        for future in done:
            self._take(self._flying.pop(future), future.result())

    def _take(self, call: _Call, answer: Answer) -> None:
        work, model = call.work, call.work.model
        self._count(work, spent_on(answer, model.server.prices))
        silent = self._unanswered[model.server.base_url] + 1
        self._unanswered[model.server.base_url] = silent if answer.output is None else 0
        draw = read_draw(model.definition, answer)
        work.draws[call.draw] = draw
        if answer.output is not None and self._cached and not work.order.fresh:
            keep_draw(self._organization, call.key, draw)
        self._close(work)

    def _close(self, work: Work) -> None:
        flying = any(call.work is work for call in self._flying.values())
        if work.is_over or (work.stopped and not flying):
            self._ready.append(work.scored())

    def _count(self, work: Work, spent: Spent) -> None:
        work.spent += spent
        self.spent += spent

    def _give_up_all(self) -> None:
        for future in self._flying:
            future.cancel()
        self._flying.clear()
        self._waiting.clear()
        self._ready.clear()
