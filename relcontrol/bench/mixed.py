"""Decisions of every kind by eight writers at once, on few rows: no deadlock, gap or fork (receipts.md "Append")."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected

from audit.administration.applications import create_application, create_route
from audit.administration.organizations import create_organization
from audit.administration.people import add_person
from audit.administration.tokens import create_token
from audit.chain_checks import check_chain
from audit.exporting.exports import make_export, request_export
from audit.models import ChainCheck, Export, Receipt
from gates.slices.services import change_slice, create_slice, slice_named
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization
from relcontrol.accounts.selectors import application_named
from relcontrol.bench import figures
from relcontrol.bench.options import Options
from relcontrol.bench.processes import in_processes
from relcontrol.bench.tables import Table
from relcontrol.clock import now
from relcontrol.errors import DomainError
from relcontrol.jobs.models import LeasedJob
from relcontrol.jobs.running import run
from releases.artifacts import create_artifact
from releases.registry.order import Order
from releases.registry.registration import register

WRITERS = 8
ORGANIZATIONS = 2
APPLICATION, SLICE, SUITE = "assistant", "contracts", "scored-qa-v1"
MODEL = "Divinci-AI/gemma-4-e2b@a7c91f"
CASES = json.dumps({"case_id": "c1", "slice": SLICE, "input": "May affiliates use the licence?"}).encode()
NAMES = 40  # few, so that writers meet

Decision = Callable[[Actor, random.Random], object]


def _register(actor: Actor, chance: random.Random) -> None:
    """A release with two prompts of its own, named in another order by each writer."""
    numbers = chance.sample(range(NAMES), 2)
    refs = [f"templates/mixed@v{number}" for number in numbers]
    enclosed = [{"ref": ref, "value": _prompt(number)} for ref, number in zip(refs, numbers, strict=True)]
    order = Order(
        application=APPLICATION,
        model_ref=MODEL,
        prompt_template_ref=refs[0],
        routing={"domain": chance.choice(["legal", "medical"])},
        dataset_version=SUITE,
        generation={"seed": chance.randrange(1_000_000)},
        artifacts=enclosed,
    )
    register(actor=actor, order=order)


def _prompt(number: int) -> dict[str, Any]:
    return {"kind": "prompt_template", "system": f"Edition {number}."}


def _create_artifact(actor: Actor, chance: random.Random) -> None:
    number = chance.randrange(NAMES)
    create_artifact(actor=actor, ref=f"templates/mixed@v{number}", value=_prompt(number))


def _change_slice(actor: Actor, chance: random.Random) -> None:
    target = slice_named(actor.organization, SLICE)
    change_slice(actor=actor, target=target, threshold=Decimal(chance.randrange(10, 90)) / 100)


def _create_slice(actor: Actor, chance: random.Random) -> None:
    create_slice(actor=actor, slug=f"slice-{chance.randrange(NAMES * 10)}", parent=SLICE)


def _create_token(actor: Actor, chance: random.Random) -> None:
    create_token(actor=actor, name=f"ci {chance.randrange(NAMES)}", scopes=["releases:write"])


def _create_application(actor: Actor, chance: random.Random) -> None:
    create_application(actor=actor, slug=f"assistant-{chance.randrange(NAMES * 10)}")


def _create_route(actor: Actor, chance: random.Random) -> None:
    application = application_named(actor.organization, APPLICATION)
    create_route(actor=actor, application=application, routing={"domain": f"d{chance.randrange(NAMES * 10)}"})


def _add_person(actor: Actor, chance: random.Random) -> None:
    add_person(actor=actor, email=f"p{chance.randrange(NAMES * 10)}@relcontrol.example.com", roles=["viewer"])


def _import_suite(actor: Actor, chance: random.Random) -> None:
    name = f"suite-{chance.randrange(NAMES * 10)}"
    _require_over(carry_out(request_import(actor=actor, name=name, body=CASES, file_format="jsonl")))


def _export(actor: Actor, chance: random.Random) -> None:
    scope = chance.choice([{"application": APPLICATION}, {"application": "assistant-1"}])
    export = request_export(actor=actor, scope=scope)
    run(Export.objects.filter(pk=export.pk), make_export)
    export.refresh_from_db()
    _require_over(export)


def _require_over(job: LeasedJob) -> None:
    """A worker logs what stops a job and leaves it to be tried again; here that is a finding."""
    if not job.is_over:
        raise UnfinishedError(job.pk)


# The longest one is rare, so that it does not become the measurement.
DECISIONS: dict[str, tuple[Decision, int]] = {
    "register a release": (_register, 6),
    "name an artifact": (_create_artifact, 6),
    "change a slice": (_change_slice, 6),
    "create a slice": (_create_slice, 3),
    "create a token": (_create_token, 6),
    "create an application": (_create_application, 3),
    "create a route": (_create_route, 3),
    "add a person": (_add_person, 3),
    "import a suite": (_import_suite, 2),
    "export an application": (_export, 1),
}


class UnfinishedError(Exception):
    """A job that was done at once is not over."""


@dataclass(slots=True)
class Tally:
    """What one writer did. `refused` are answers: a name that is taken, a rule that says no."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    deadlocks: int = 0
    unfinished: int = 0


def mixed_table(options: Options) -> Table:
    """Decide for `options.mixed` seconds, then look at every chain."""
    organizations = [_prepared(f"mixed-{number}") for number in range(ORGANIZATIONS)]
    seed = random.SystemRandom().randrange(2**32)
    end = time.monotonic() + options.mixed
    tallies = in_processes([partial(_decide, organizations, seed + number, end) for number in range(WRITERS)])
    done, refused = _summed(tallies)
    rows = [(name, figures.count(done[name]), figures.count(refused[name])) for name in DECISIONS]
    rows.append(("all", figures.count(done.total()), figures.count(refused.total())))
    findings, problems = _findings(organizations, tallies)
    receipts = Receipt.objects.filter(organization__in=organizations).count()
    title = f"Mixed decisions: {WRITERS} writers on {ORGANIZATIONS} organizations for {options.mixed:g} s, seed {seed}"
    speed = f"{figures.count(receipts)} receipts, {figures.rate(receipts, options.mixed)}"
    return Table(title, ("decision", "done", "refused"), rows, [speed, *findings], problems)


def _prepared(slug: str) -> Organization:
    organization = create_organization(slug=slug)
    actor = command_actor(organization)
    application = create_application(actor=actor, slug=APPLICATION)
    for domain in ("legal", "medical"):
        create_route(actor=actor, application=application, routing={"domain": domain})
    create_slice(actor=actor, slug=SLICE)
    carry_out(request_import(actor=actor, name=SUITE, body=CASES, file_format="jsonl"))
    return organization


def _decide(organizations: list[Organization], seed: int, end: float) -> Tally:
    chance, tally = random.Random(seed), Tally()  # noqa: S311 - which decision comes next is no secret
    names = list(DECISIONS)
    weights = [weight for _, weight in DECISIONS.values()]
    while time.monotonic() < end:
        [name] = chance.choices(names, weights)
        _try(name, command_actor(chance.choice(organizations)), chance, tally)
    return tally


def _try(name: str, actor: Actor, chance: random.Random, tally: Tally) -> None:
    try:
        DECISIONS[name][0](actor, chance)
    except DomainError:
        tally.refused[name] += 1
    except OperationalError as error:
        if not isinstance(error.__cause__, DeadlockDetected):
            raise
        tally.deadlocks += 1
    except UnfinishedError:
        tally.unfinished += 1
    else:
        tally.done[name] += 1


def _summed(tallies: list[Tally]) -> tuple[Counter[str], Counter[str]]:
    done, refused = Counter[str](), Counter[str]()
    for tally in tallies:
        done.update(tally.done)
        refused.update(tally.refused)
    return done, refused


def _findings(organizations: list[Organization], tallies: list[Tally]) -> tuple[list[str], list[str]]:
    """The lines to print, and those of them that are failures."""
    lines, problems = [], []
    counts = (
        ("deadlocks seen by writers", sum(tally.deadlocks for tally in tallies)),
        ("deadlocks counted by PostgreSQL", _deadlocks()),
        ("jobs that stopped in the middle", sum(tally.unfinished for tally in tallies)),
    )
    for name, number in counts:
        lines.append(f"{name}: {number}")
        problems += [f"{name}: {number}"] if number else []
    for organization in organizations:
        line, holds = _chain_line(organization)
        lines.append(line)
        problems += [] if holds else [line]
    return lines, problems


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        (number,) = cursor.fetchone()
    return int(number)


def _chain_line(organization: Organization) -> tuple[str, bool]:
    """Gaps and forks counted in the table, then the auditor's own walk over the chain."""
    rows = Receipt.objects.filter(organization=organization)
    number, last = rows.count(), rows.latest("seq").seq
    forks = number - rows.values("prev").distinct().count()
    check = check_chain(ChainCheck.objects.get(organization=organization), now())
    while not check.problem and check.seq < last:
        check = check_chain(check, now())
    verdict = check.problem or f"verifies to #{check.seq}"
    return f"{organization.slug}: gaps {last - number}, forks {forks}, {verdict}", not (
        last - number or forks or check.problem
    )
