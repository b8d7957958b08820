"""What an evaluation is asked for: a gate run whose answers and scores relcontrol gets itself. Pure.

The answers are made by the release's own bundle, so there is no parity to claim; the judges are those of the slices.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from gates.runs.order import RunOrder
from gates.runs.reading import invalid_of, read_text, read_truth
from relcontrol.bundle.canonical import sha256_hex
from relcontrol.bundle.reading import Reader
from relcontrol.model_servers.spending import Budget

FIELDS: Final = (
    *("suite", "judge", "samples", "budget", "concurrency", "fresh", "dry_run"),
    *("branch", "commit", "feature_snapshot"),
)
OF_SENT_RESULTS: Final = ("parity", "scale", "grade_scale")
BUDGET_FIELDS: Final = ("cases", "tokens", "cost")
MOST_SAMPLES: Final = 5
MOST_AT_ONCE: Final = 64
AT_ONCE: Final = 8
MOST_TOKENS: Final = 10**12
MOST_COST: Final = Decimal(10**9)
SCHEMA: Final = "relcontrol/evaluation/v1"


@dataclass(frozen=True, slots=True)
class EvaluationOrder:
    """`samples` answers to each case, `concurrency` calls at once; `fresh` pays for answers that are known already.

    `suite` by name, id or digest, None is the manifest's own; `judge` is for slices that name none.
    """

    suite: str | None = None
    judge: str | None = None
    samples: int = 1
    budget: Budget = field(default_factory=Budget)
    concurrency: int = AT_ONCE
    fresh: bool = False
    dry_run: bool = False
    branch: str | None = None
    commit: str | None = None
    feature_snapshot: str | None = None

    def as_run_order(self) -> RunOrder:
        """What a run keeps of it beside the evaluation."""
        return RunOrder(
            suite=self.suite,
            judge=self.judge,
            branch=self.branch,
            commit=self.commit,
            feature_snapshot=self.feature_snapshot,
            dry_run=self.dry_run,
        )

    def sha256(self) -> str:
        """What tells one request from another."""
        return sha256_hex({"schema": SCHEMA, **asdict(self), "budget": self.budget.as_json()})


def read_evaluation_order(body: Mapping[str, Any]) -> EvaluationOrder:
    """What was ordered. Raises `Invalid` with every problem."""
    reader = Reader()
    for name in OF_SENT_RESULTS:
        if name in body:
            message = "This is for results that are sent; relcontrol answers with the release's own bundle."
            reader.refuse(name, message, "unknown_field")
    given = {name: value for name, value in body.items() if name not in OF_SENT_RESULTS}
    fields = reader.closed(given, "", FIELDS)
    texts = ("suite", "judge", "branch", "commit", "feature_snapshot")
    order = EvaluationOrder(
        **{name: read_text(reader, fields.get(name), name) for name in texts},
        samples=_whole(reader, fields.get("samples"), "samples", MOST_SAMPLES, 1),
        concurrency=_whole(reader, fields.get("concurrency"), "concurrency", MOST_AT_ONCE, AT_ONCE),
        budget=_budget(reader, fields.get("budget")),
        fresh=read_truth(reader, fields.get("fresh"), "fresh"),
        dry_run=read_truth(reader, fields.get("dry_run"), "dry_run"),
    )
    if reader.problems:
        raise invalid_of(reader.problems)
    return order


def _whole(reader: Reader, value: object, name: str, high: int, otherwise: int) -> int:
    return otherwise if value is None else reader.integer(value, name, low=1, high=high)


def _budget(reader: Reader, value: object) -> Budget:
    if value is None:
        return Budget()
    fields = reader.closed(value, "budget", BUDGET_FIELDS)
    cases, tokens = (
        None if (most := fields.get(name)) is None else reader.integer(most, f"budget.{name}", low=1, high=MOST_TOKENS)
        for name in ("cases", "tokens")
    )
    return Budget(cases, tokens, _money(reader, fields.get("cost")))


def _money(reader: Reader, value: object) -> Decimal | None:
    """An amount; a number or a decimal text, as money in JSON comes as either."""
    if value is None:
        return None
    written = repr(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    try:
        amount = Decimal(written) if isinstance(written, str) else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not math.isfinite(amount) or not 0 < amount <= MOST_COST:
        reader.refuse("budget.cost", 'Write an amount above 0, such as "2.50".', "out_of_range")
        return None
    return amount
