"""Where copies of what live requests said may lie: one registry, for erasing and for retention.

Every table with such a copy is here, with the columns that hold it; every other column that could hold one is in
`elsewhere`, with the reason why it does not. A test walks all models, so that a new column is in one of the two.

Texts go. Numbers that decisions rest on, such as latencies and scores of windows, stay, and so do ids and the keyed
digest of the subject, which tells nobody without the organization's secret whose it was.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db.models import Case, CharField, Count, Exists, Model, OuterRef, Q, QuerySet, Value, When

from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels.rating import GONE as GONE_FOR_RATERS
from relcontrol.api.models import IdempotencyRecord
from relcontrol.clock import now
from releases.observer_models import ObservedAnswer, WorstAnswer
from releases.replays.scoring import GONE
from releases.rollout_models import ReplayPair
from releases.trace_models import Trace

Rows = QuerySet[Any]
# Tables whose rows name a request and its subject.
REQUESTS: Final[Sequence[type[Model]]] = (Trace, ReplayPair, ObservedAnswer, WorstAnswer)
PROBLEM: Final = Case(When(problem="", then=Value("")), default=Value(GONE), output_field=CharField())


@dataclass(frozen=True, slots=True)
class Copy:
    """A table of copies that names the subject of each row.

    `columns` hold the copy. `sealed` are the rows that still need their subject's key, `rows` those in which an erasure
    finds something that `empty` takes out, `aged` those in which retention does, by `forget`; both return how many rows
    it was in. `at` says how old a row is; None where retention has a way of its own.
    """

    name: str
    words: str
    model: type[Model]
    columns: tuple[str, ...]
    sealed: Q
    rows: Q
    empty: Callable[[Rows], int]
    aged: Q
    forget: Callable[[Rows], int]
    at: str | None
    organization: str = "organization_id"

    def of_subject(self, organization_id: str, subject: bytes) -> Rows:
        """The rows with a copy of this subject."""
        return self._all().filter(self.rows, subject=subject, **{self.organization: organization_id})

    def knows(self, organization_id: str, subject: bytes) -> bool:
        """Whether any row is of this subject, with a copy or without."""
        return self._all().filter(subject=subject, **{self.organization: organization_id}).exists()

    def erase(self, organization_id: str, subject: bytes) -> int:
        """Take out every copy of a subject; returns how many there were."""
        return self.empty(self.of_subject(organization_id, subject))

    def expire(self, end: datetime) -> Counter[str]:
        """Take out what is older than `end`; returns how many of each organization."""
        if self.at is None:
            return Counter()
        return _forgotten(self._all().filter(self.aged, **{f"{self.at}__lt": end}), self.organization, self.forget)

    def needing(self) -> Exists:
        """Of a row of `SubjectKey`: whether something here is still sealed with it."""
        of_key = {"subject": OuterRef("subject"), self.organization: OuterRef("organization_id")}
        return Exists(self._all().filter(self.sealed, **of_key))

    def _all(self) -> Rows:
        return self.model._default_manager.order_by()


def request_ids_of(organization_id: str, subject: bytes) -> set[str]:
    """The ids of every request that is known to be this subject's."""
    mine = {"organization_id": organization_id, "subject": subject}
    ids = (table._default_manager.filter(**mine).values_list("request_id", flat=True) for table in REQUESTS)
    return {key for of_one in ids for key in of_one if key}


def subjects_of(organization_id: str, request_id: str) -> set[bytes]:
    """The digests of everybody who sent a request with this id: clients choose ids, and may repeat them."""
    named = {"organization_id": organization_id, "request_id": request_id, "subject__isnull": False}
    digests = (table._default_manager.filter(**named).values_list("subject", flat=True) for table in REQUESTS)
    return {bytes(digest) for of_one in digests for digest in of_one}


def _forgotten(rows: Rows, organization: str, forget: Callable[[Rows], int]) -> Counter[str]:
    counted = Counter(dict(rows.values_list(organization).annotate(Count("pk"))))
    if counted:
        forget(rows)
    return counted


def _full(column: str) -> Q:
    """Whether there are bytes; what is sealed after an erasure has none."""
    return Q(**{f"{column}__isnull": False}) & ~Q(**{column: b""})


def _updating(**values: Any) -> Callable[[Rows], int]:
    return lambda rows: int(rows.update(**values))


def _deleted(rows: Rows) -> int:
    """Windows have what counted of them; without their texts single answers would only pile up."""
    return int(rows.delete()[0])


def _empty_panel_answers(rows: Rows) -> int:
    """The texts, what raters and adjudicators wrote of them, and the grades. Panels are locked first, as raters do."""
    items = _panel_items(rows)
    asked = PanelTask.objects.filter(item__in=items).exclude(reason=GONE_FOR_RATERS)
    _forget_stored_answers(items, list(asked.values_list("pk", flat=True)))
    asked.update(state=PanelTask.State.SKIPPED, grade=None, reason=GONE_FOR_RATERS, decided_at=now())
    return PanelItem.objects.filter(pk__in=items).update(sealed=None, output="", finding_reason="")


def _forget_panel_answers(rows: Rows) -> int:
    """The texts and what was written of them; a grade is a number, and stays."""
    items = _panel_items(rows)
    PanelTask.objects.filter(item__in=items, state=PanelTask.State.SKIPPED).update(reason=GONE_FOR_RATERS)
    return PanelItem.objects.filter(pk__in=items).update(sealed=None, finding_reason="")


def _forget_stored_answers(items: list[int], tasks: list[int]) -> None:
    """What the API has answered to a rater is stored for a day, for those who ask again with the same key."""
    of_rater, of_adjudicator = Q(answer__task__task_id__in=tasks), Q(answer__answer__in=items)
    IdempotencyRecord.objects.filter(of_rater | of_adjudicator).delete()


def _panel_items(rows: Rows) -> list[int]:
    found = dict(rows.values_list("pk", "panel_id"))
    list(Panel.objects.filter(pk__in=set(found.values())).order_by("pk").select_for_update(no_key=True))
    return sorted(found)


_SAID: Final = ~Q(problem__in=["", GONE])
_ASKED: Final = Q(Exists(PanelTask.objects.filter(item=OuterRef("pk")).exclude(reason=GONE_FOR_RATERS)))

COPIES: Final[tuple[Copy, ...]] = (
    Copy(
        name="traces",
        words="Prompts and answers of requests",
        model=Trace,
        columns=("body",),
        sealed=Q(),
        rows=Q(body__isnull=False),
        empty=_updating(body=None),
        aged=Q(body__isnull=False),
        forget=_updating(body=None),
        at=None,
    ),
    Copy(
        name="replays",
        words="Answers of replays",
        model=ReplayPair,
        columns=("answers", "findings", "problem"),
        sealed=_full("answers"),
        rows=_full("answers") | ~Q(findings=[]) | _SAID,
        empty=_updating(answers=None, findings=[], problem=PROBLEM),
        aged=_full("answers") | _SAID,
        forget=_updating(answers=None, problem=PROBLEM),
        at="created_at",
    ),
    Copy(
        name="panel_answers",
        words="Answers in panels, with grades and comments",
        model=PanelItem,
        columns=("sealed", "output", "finding_reason"),
        sealed=_full("sealed"),
        rows=_full("sealed") | ~Q(output="", finding_reason="") | _ASKED,
        empty=_empty_panel_answers,
        aged=_full("sealed") | ~Q(finding_reason=""),
        forget=_forget_panel_answers,
        at="trace_started_at",
        organization="panel__organization_id",
    ),
    Copy(
        name="observed_answers",
        words="Answers that the observer had scored",
        model=ObservedAnswer,
        columns=("sealed", "problem"),
        sealed=_full("sealed"),
        rows=_full("sealed") | _SAID,
        empty=_updating(sealed=None, problem=PROBLEM),
        aged=Q(),
        forget=_deleted,
        at="at",
    ),
    Copy(
        name="worst_answers",
        words="Worst answers",
        model=WorstAnswer,
        columns=("sealed", "problem"),
        sealed=_full("sealed"),
        rows=_full("sealed") | _SAID,
        empty=_updating(sealed=None, problem=PROBLEM),
        aged=_full("sealed") | _SAID,
        forget=_updating(sealed=None, problem=PROBLEM),
        at="trace_started_at",
    ),
)
# Columns of copies that no row of a registered table names the subject of: reached by a request's id, or by an item.
OTHER_COLUMNS: Final[frozenset[str]] = frozenset(
    {
        "releases.SubjectKey.wrapped_key",
        "releases.Feedback.name",
        "releases.Feedback.label",
        "gates.PanelTask.reason",
        "api.IdempotencyRecord.answer",
    }
)
FEEDBACK: Final = "feedback"
WORDS: Final = {copy.name: copy.words for copy in COPIES} | {FEEDBACK: "Feedback on requests"}


def columns_of_copies() -> frozenset[str]:
    """Every column that may hold a copy, as `app.Model.column`."""
    return OTHER_COLUMNS | {f"{copy.model._meta.label}.{column}" for copy in COPIES for column in copy.columns}
