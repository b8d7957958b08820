"""A subject of whom copies lie everywhere, a neighbour in the same tables, and a look into every column and file."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection

from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels.making import create_panel
from gates.panels.rating import rate
from relcontrol.accounts.actors import Actor, system_actor
from relcontrol.accounts.models import Organization, Person
from relcontrol.clock import now
from releases.gateway.control.spool import Spool
from releases.gateway.control.traces import Batch
from releases.measuring.feedback import record
from releases.observer_models import ObservedAnswer, ObservedSlice, WorstAnswer, WorstAnswers
from releases.rollout_models import ReplayPair, Rollout
from releases.trace_models import Trace
from releases.traces.bodies import BodyKeys, DamagedBodyError, seal_body
from releases.traces.ingest import store
from releases.traces.keys import keys_of
from releases.traces.subjects import subject_digest
from tests import factories
from tests.gates.panels.scene import expert
from tests.releases.canary import Canary, canary
from tests.releases.rolling.watched import observer_of
from tests.releases.traces.samples import trace_row

JANE, OTHER = "jane.doe@example.org", "conversation-77"
ASKED = {JANE: "May KESTREL licence her patent?", OTHER: "May HERON licence his patent?"}
ANSWERED = {JANE: "OTTER may, as GRANITE says.", OTHER: "BADGER may, as MARBLE says."}
SECRETS = {JANE: ("KESTREL", "OTTER", "GRANITE", "jane.doe"), OTHER: ("HERON", "BADGER", "MARBLE")}
SLICE = "ip-licensing"
REASON = "She asked for it by letter on Monday."


@dataclass
class Stage:
    """The organization, its administrator, and the rollout and panel in which both subjects are."""

    canary: Canary
    admin: Actor
    rollout: Rollout
    panel: Panel

    @property
    def organization(self) -> Organization:
        return self.canary.organization

    def digest(self, subject: str) -> bytes:
        return subject_digest(self.organization.pk, subject)

    def keys(self, subject: str) -> BodyKeys:
        """Her key as it is now, kept outside of the database as an attacker with an old backup would have it."""
        return BodyKeys(self.organization.pk, keys_of(self.organization.pk, [self.digest(subject)]))


def stage(slug: str = "northgate") -> Stage:
    """Both subjects in every table that holds copies."""
    here = canary(slug)
    rollout = here.start()
    send(here.organization, *(row_of(subject, number) for number, subject in enumerate(ASKED, start=1)))
    Trace.objects.filter(organization=here.organization).update(slice=SLICE)
    made = Stage(here, factories.person_actor(here.organization, "admin"), rollout, graded_panel(here))
    for subject in ASKED:
        replayed(made, subject)
        said(made, subject)
    observed(made)
    return made


def row_of(subject: str, number: int, **changes: Any) -> dict[str, Any]:
    """A request of a subject, a minute ago."""
    fields = {
        "subject": subject,
        "request_id": f"req-{number}",
        "started_at": (now() - timedelta(minutes=1)).isoformat(),
        "input": {"messages": [{"role": "user", "content": ASKED[subject]}]},
        "output": {"content": ANSWERED[subject]},
        "metadata": {"client": subject},
    }
    return trace_row(number, **{**fields, **changes})


def send(owner: Organization, *rows: dict[str, Any], at: datetime | None = None) -> None:
    """Store them."""
    assert store(owner, rows, now=at or now()).accepted == len(rows)


def trace_of(made: Stage, subject: str) -> Trace:
    """The oldest trace of a subject."""
    rows = Trace.objects.filter(organization=made.organization, subject=made.digest(subject))
    return rows.order_by("started_at", "trace_id")[0]


def of_trace(made: Stage, subject: str) -> dict[str, Any]:
    """What rows about a trace say of it."""
    trace = trace_of(made, subject)
    names = {"request_id": trace.request_id, "trace_id": trace.trace_id, "trace_started_at": trace.started_at}
    return {"organization": made.organization, "subject": bytes(trace.subject), **names}


def sealed(made: Stage, subject: str, **texts: str) -> bytes:
    """Texts about an answer of a subject, sealed."""
    return seal_body(made.organization.pk, made.digest(subject), {"reason": ANSWERED[subject], **texts})


def replayed(made: Stage, subject: str) -> ReplayPair:
    """A scored pair, whose problem quotes what should not have been quoted."""
    return ReplayPair.objects.create(
        **of_trace(made, subject),
        rollout=made.rollout,
        checkpoint=1,
        slice=SLICE,
        served="stable",
        state=ReplayPair.State.SCORED,
        answers=sealed(made, subject, candidate=ANSWERED[subject]),
        findings=[{"side": "stable", "rule": "pattern", "detail": ANSWERED[subject]}],
        problem=f"No number in {ANSWERED[subject]}",
        created_at=now(),
    )


def said(made: Stage, subject: str) -> None:
    """A label on the answer, which quotes it."""
    actor = system_actor(made.organization)
    record(actor=actor, request_id=trace_of(made, subject).request_id, kind="label", value=ANSWERED[subject])


def graded_panel(here: Canary) -> Panel:
    """A panel of both answers: one expert has graded them, the other has left them out with a comment that quotes."""
    manager = factories.person_actor(here.organization, "domain-owner")
    raters = [expert(here.organization, "ada"), expert(here.organization, "bea")]
    panel = create_panel(
        actor=manager,
        name="Live answers",
        rubric="5: right.",
        source="traces",
        count=2,
        raters=[_person(rater).email for rater in raters],
        raters_per_answer=2,
        scale=(1.0, 5.0),
        seed=7,
    )
    ada, bea = raters
    for task in PanelTask.objects.filter(panel=panel, person=ada.person):
        rate(actor=ada, task=task, grade=4)
    client = factories.api(factories.person_token(here.organization, _person(bea)))
    for task in PanelTask.objects.filter(panel=panel, person=bea.person):
        comment = {"reason": f"I do not know {_quoted(here, task.item)}"}
        answer = client.post(f"panels/{panel.pk}/tasks/{task.pk}/skip", comment, Idempotency_Key=f"skip-{task.pk}")
        assert answer.status_code == 200, answer.content
    return panel


def _quoted(here: Canary, item: PanelItem) -> str:
    jane = subject_digest(here.organization.pk, JANE)
    return ANSWERED[JANE if bytes(item.subject or b"") == jane else OTHER]


def _person(actor: Actor) -> Person:
    assert actor.person
    return actor.person


def observed(made: Stage) -> None:
    """What an observer had scored of both, and the worst answers of the rollout's halt."""
    row = observer_of(made.canary.route)
    watched = ObservedSlice.objects.create(
        observer=row, slice=SLICE, judge="rules", judge_sha256="c" * 64, spread=0.25, n_min=10, next_from=now()
    )
    worst = WorstAnswers.objects.create(
        organization=made.organization,
        route=made.canary.route,
        kind=WorstAnswers.Kind.HALT,
        rollout=made.rollout,
        left=made.canary.candidate,
        kept=made.canary.stable,
        event_receipt="d" * 64,
        created_at=now(),
    )
    for place, subject in enumerate(ASKED, start=1):
        about = of_trace(made, subject)
        ObservedAnswer.objects.create(
            **about,
            observed=watched,
            kind=ObservedAnswer.Kind.REPLAYED,
            at=about["trace_started_at"],
            state=ObservedAnswer.State.SCORED,
            score=0.2,
            sealed=sealed(made, subject, output=ANSWERED[subject]),
            problem=f"Read {ANSWERED[subject]}",
            created_at=now(),
        )
        WorstAnswer.objects.create(
            **about,
            worst=worst,
            place=place,
            slice=SLICE,
            score_after=0.2,
            sealed=sealed(made, subject, input=ASKED[subject], after=ANSWERED[subject]),
            problem=f"Read {ANSWERED[subject]}",
        )


def spooled(folder: Path, *rows: dict[str, Any]) -> Spool:
    """The spool of a gateway that could not deliver these rows."""
    spool = Spool(folder, max_bytes=1_000_000)
    spool.put(Batch(len(rows), json.dumps({"traces": rows}).encode()))
    return spool


def delivered(made: Stage, spool: Spool) -> None:
    """The spool's oldest batch arrives."""
    claim, damaged = spool.claim()
    assert claim
    assert damaged == 0
    send(made.organization, *json.loads(claim.batch.body)["traces"])
    spool.done(claim)


def columns_with(text: str) -> set[str]:
    """Every column of every table in which a text stands in clear."""
    found = set()
    for table, column, kind in _columns():
        here = "position(%s::bytea IN {})" if kind == "bytea" else "position(%s IN {}::text)"
        needle = text.encode() if kind == "bytea" else text
        query = f"SELECT 1 FROM {table} WHERE {here.format(column)} > 0 LIMIT 1"  # noqa: S608 - quoted by PostgreSQL
        if _first(query, [needle]):
            found.add(f"{table}.{column}")
    return found


def columns_opened_by(keys: BodyKeys, subject: bytes) -> set[str]:
    """Every column with bytes that a key opens."""
    found = set()
    for table, column, kind in _columns():
        if kind == "bytea" and any(_opens(keys, subject, value) for value in _values(table, column)):
            found.add(f"{table}.{column}")
    return found


def files_with(folder: Path, *texts: str) -> list[Path]:
    """Every file below a folder in which one of the texts stands in clear."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if any(text.encode() in file.read_bytes() for text in texts)]


def _columns() -> Iterator[tuple[str, str, str]]:
    """Tables themselves and no partition apart from its table, every column that can hold text or bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(relname), quote_ident(attname), format_type(atttypid, NULL)"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition"
            " AND attnum > 0 AND NOT attisdropped"
        )
        kinds = ("text", "character", "json", "bytea")
        yield from [row for row in cursor.fetchall() if row[2].startswith(kinds)]


def _values(table: str, column: str) -> Iterator[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL")  # noqa: S608 - quoted by PostgreSQL
        yield from [bytes(value) for (value,) in cursor.fetchall()]


def _opens(keys: BodyKeys, subject: bytes, value: bytes) -> bool:
    try:
        return bool(keys.open(subject, value))
    except DamagedBodyError:
        return False


def _first(query: str, values: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()
