"""What scoring served answers costs a day (domain.md "Observe"): what is to be expected, and what was really spent.

Expected is the traffic of the last hour within the budget, times what the slice's judge asks for one answer, times what
one call has read and written of late at the prices of its server. Rules cost nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.db.models import BigIntegerField, DecimalField, QuerySet, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from gates.judges import children_of, judge_named
from gates.llm_judge.definition import KIND as LLM
from gates.models import Judge
from relcontrol.accounts.models import Endpoint, Organization
from relcontrol.model_servers.spending import Prices, Spent
from releases.observer_models import ObservedSlice, Observer, ObserverJob
from releases.observing.anchors import EACH_TIME, EVERY
from releases.observing.sampling import Budget
from releases.observing.starting import minute_of
from releases.observing.traffic import Traffic, traffic_of
from releases.observing.windows import MINUTE

Amount = TypeVar("Amount", float, Decimal)

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
NOTHING: Final = Decimal(0)
COUNTS: Final = ("calls", "cached", "input_tokens", "output_tokens", "unpriced")


@dataclass(frozen=True, slots=True)
class SliceCost:
    """What a day of one slice is expected to cost; tokens and money are None while nobody can know them."""

    slice: str
    answers_per_day: float
    calls_per_day: float
    tokens_per_day: float | None
    money_per_day: Decimal | None


@dataclass(frozen=True, slots=True)
class Cost:
    """The same of all slices together, and what was `spent` in the last 24 hours, replays included."""

    calls_per_day: float
    tokens_per_day: float | None
    money_per_day: Decimal | None
    per: Sequence[SliceCost]
    spent: Spent


@dataclass(frozen=True, slots=True)
class _Rates:
    """What a call of a judge reads and writes on average, None while none was made; prices of a token by server."""

    tokens: tuple[float, float] | None
    prices: Mapping[str, Prices]

    def of(self, judges: Sequence[Judge], answers: float) -> tuple[float, float | None, Decimal | None]:
        """Calls, tokens and money of so many answers that these judges score."""
        calls = [answers * judge.definition["draws"] for judge in judges]
        if not calls:
            return 0.0, 0.0, NOTHING
        if self.tokens is None:
            return sum(calls), None, None
        money = [self._money(judge, count, *self.tokens) for judge, count in zip(judges, calls, strict=True)]
        return sum(calls), sum(calls) * sum(self.tokens), _total(money, NOTHING)

    def _money(self, judge: Judge, calls: float, read: float, written: float) -> Decimal | None:
        return self.prices.get(judge.definition["endpoint"], Prices()).cost(round(calls * read), round(calls * written))


def cost_of(observer: Observer, now: datetime) -> Cost:
    """What an observer costs."""
    spent, traffic = spent_since(observer, now - DAY), traffic_of(observer, now)
    rates = _Rates(_tokens(spent) or _tokens(_of_all(observer, now - WEEK)), _prices(observer.organization_id))
    rows = list(ObservedSlice.objects.filter(observer=observer).order_by("slice"))
    models = {name: _models(observer.organization, name) for name in {row.judge for row in rows}}
    per = [_of_slice(observer, row, traffic.get(row.slice, Traffic()), models[row.judge], rates) for row in rows]
    return Cost(
        calls_per_day=sum(each.calls_per_day for each in per),
        tokens_per_day=_total([each.tokens_per_day for each in per], 0.0),
        money_per_day=_total([each.money_per_day for each in per], NOTHING),
        per=per,
        spent=spent,
    )


def spent_since(observer: Observer, since: datetime) -> Spent:
    """What the jobs of an observer that were made since then have spent."""
    return _summed(ObserverJob.objects.filter(observer=observer, created_at__gte=since))


def _of_all(observer: Observer, since: datetime) -> Spent:
    """What observers of the organization have spent: how long its answers are, while this one has asked nothing yet."""
    rows = ObserverJob.objects.filter(observer__organization=observer.organization_id, created_at__gte=since)
    return _summed(rows)


def _summed(rows: QuerySet[ObserverJob]) -> Spent:
    """Added up by the database: a day may have thousands of jobs."""
    sums: dict[str, Any] = {name: _sum(name, BigIntegerField()) for name in COUNTS}
    money: DecimalField[Any, Any] = DecimalField(max_digits=30, decimal_places=12)
    found = rows.aggregate(**sums, cost=_sum("cost", money))
    return Spent(**{name: value or 0 for name, value in found.items() if name != "cost"}, cost=found["cost"] or NOTHING)


def _sum(name: str, field: "BigIntegerField[Any, Any] | DecimalField[Any, Any]") -> Sum:
    return Sum(Cast(KeyTextTransform(name, "spent"), field))


def _tokens(spent: Spent) -> tuple[float, float] | None:
    return (spent.input_tokens / spent.calls, spent.output_tokens / spent.calls) if spent.calls else None


def _prices(organization_id: str) -> dict[str, Prices]:
    rows = Endpoint.objects.filter(organization=organization_id)
    return {row.name: Prices(row.input_price, row.output_price) for row in rows}


def _models(organization: Organization, name: str) -> list[Judge]:
    """The models that are asked for one score of this judge; none where rules score."""
    judge = judge_named(organization, name)
    return [each for each in children_of(judge) or [judge] if each.definition["kind"] == LLM]


def _of_slice(
    observer: Observer, row: ObservedSlice, traffic: Traffic, models: Sequence[Judge], rates: _Rates
) -> SliceCost:
    answers = _answers(observer, row, traffic)
    calls, tokens, money = rates.of(models, answers)
    return SliceCost(row.slice, answers, calls, tokens, money)


def _answers(observer: Observer, row: ObservedSlice, traffic: Traffic) -> float:
    """How many answers a day are scored: of each shortest window what the budget takes, and the anchors among them."""
    minute, most = minute_of(observer), int(observer.settings["per_window"])
    budget = Budget(float(observer.settings["share"]), most, row.n_min)
    requests = traffic.requests_a_minute * (minute / MINUTE)
    chosen = min(requests, most, max(budget.share * requests, budget.needed))
    anchors = EACH_TIME * (DAY / EVERY) if row.rho_floor is not None and requests else 0.0
    return chosen * (DAY / minute) + anchors


def _total(amounts: Sequence[Amount | None], nothing: Amount) -> Amount | None:
    """Their sum; None where one is not known."""
    known = [each for each in amounts if each is not None]
    return sum(known, nothing) if len(known) == len(amounts) else None
