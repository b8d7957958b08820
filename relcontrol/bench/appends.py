"""Appends per second, with 1 and 8 writers on 1 and 8 organizations, beside plain INSERTs of the same bytes.

A writer is a process with a connection of its own; each append is a transaction of its own, as a decision is.
"""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import count as counting
from itertools import cycle
from statistics import median
from typing import Any

from django.db import connection, transaction

from audit.administration.organizations import create_organization
from audit.events import Event
from audit.models import Receipt
from audit.receipts import Record, append
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from relcontrol.bench.options import Options
from relcontrol.bench.processes import in_processes
from relcontrol.bench.surroundings import as_owner
from relcontrol.bench.tables import Table

MANY = 8
REFERENCE = {(MANY, 1): "330 to 360/s", (MANY, MANY): "800 to 1,800/s"}  # receipts.md, two shared cores
PLAIN_TABLE = "bench_plain_receipt"
GRACE_S = 0.3  # until every process has forked and connected

Step = Callable[[int], object]


def append_table(options: Options) -> Table:
    """The table of appends and of plain INSERTs."""
    organizations = [create_organization(slug=f"writers-{number}") for number in range(MANY)]
    rows = [
        _row(options, writers, of, partial(_appending, organizations[:of]))
        for writers, of in ((1, 1), (MANY, 1), (1, MANY), (MANY, MANY))
    ]
    sample = Receipt.objects.filter(organization=organizations[0]).latest("seq")
    _make_plain_table()
    rows += [_row(options, writers, 0, lambda number: partial(_insert_plain, sample, number)) for writers in (1, MANY)]
    columns = ("what", "writers", "organizations", "median", "lowest", "highest", "reference")
    return Table(
        f"Appends: {options.runs} runs of {options.seconds:g} s each",
        columns,
        rows,
        [
            "Reference: receipts.md, PostgreSQL 15 on two shared cores.",
            "Plain INSERT: the same columns, indexes and bytes, one row per transaction; no lock, link or signature.",
        ],
    )


def _row(options: Options, writers: int, of: int, writer: Callable[[int], Step]) -> tuple[str, ...]:
    rates = [_rate(options, writers, writer) for _ in range(options.runs)]
    name = "append" if of else "plain INSERT"
    shown = [f"{figure:,.0f}/s" for figure in (median(rates), min(rates), max(rates))]
    return (name, str(writers), str(of) if of else "-", *shown, REFERENCE.get((writers, of), "-"))


def _rate(options: Options, writers: int, writer: Callable[[int], Step]) -> float:
    begin = time.monotonic() + GRACE_S
    works = [partial(_until, begin, options.seconds, writer(number)) for number in range(writers)]
    return sum(in_processes(works)) / options.seconds


def _until(begin: float, duration: float, step: Step) -> int:
    """How many steps this process made between `begin` and its end."""
    connection.ensure_connection()
    time.sleep(max(0.0, begin - time.monotonic()))
    end = begin + duration
    for done in counting():
        if time.monotonic() >= end:
            return done
        step(done)
    raise AssertionError("an endless count has ended")


def _appending(organizations: Sequence[Organization], number: int) -> Step:
    """Writer `number` has one organization, or all in turn where it is the only writer of several."""
    mine = cycle(command_actor(one) for one in (*organizations[number:], *organizations[:number]))
    if number:
        mine = cycle([command_actor(organizations[number % len(organizations)])])
    return lambda done: append_one(next(mine), done)


@transaction.atomic
def append_one(actor: Actor, number: int) -> None:
    """A receipt as a token leaves it."""
    state = {"id": f"tok_{number}", "name": "ci", "person": None, "scopes": ["releases:write"], "public": "0" * 16}
    append(actor, Record(event=Event.TOKEN_CHANGED, outcome="created", kind="token", name=f"tok_{number}", state=state))


def _make_plain_table() -> None:
    with as_owner() as cursor:
        cursor.execute(f"CREATE TABLE {PLAIN_TABLE} (LIKE audit_receipt INCLUDING ALL)")
        cursor.execute(f"GRANT INSERT, SELECT ON {PLAIN_TABLE} TO rc_app")


def _insert_plain(sample: Receipt, number: int, done: int) -> None:
    columns = [field.column for field in Receipt._meta.concrete_fields]
    marks = ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        statement = f"INSERT INTO {PLAIN_TABLE} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names of a model
        cursor.execute(statement, list(_plain_values(sample, number, done)))


def _plain_values(sample: Receipt, number: int, done: int) -> Iterator[Any]:
    """The sample's values, with what must be unique made so."""
    fresh = secrets.token_hex(32)
    unique = {
        "id": f"rcp_{fresh[:26]}",
        "receipt_hash": fresh,
        "prev": fresh,
        "seq": secrets.randbits(60) + number + done + 1,
    }
    for field in Receipt._meta.concrete_fields:
        yield unique.get(field.attname, getattr(sample, field.attname))
