"""An organization with one of everything that has an address, and everybody who may come to it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

from django.apps import apps
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from django.test import Client

from audit.administration.application_keys import create_application_key
from audit.administration.applications import create_endpoint
from audit.administration.tokens import revoke_token
from audit.keys.keyring import signer
from audit.keys.signing import EXPORT
from audit.models import Receipt
from audit.scopes.saved import save_scope
from gates.calibrations.requesting import request_calibration
from gates.judge_models import CalibrationRun
from gates.judges import judge_for, judge_named
from gates.models import Suite, SuiteImport
from gates.overrides.requesting import request_override
from gates.panels.making import create_panel
from gates.panels.rating import rate
from gates.reviews.allowlist import propose
from gates.run_models import AllowlistEntry, GateRun, Override
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor, system_actor
from relcontrol.accounts.models import Person, Role, Token
from relcontrol.accounts.permissions import SCOPES
from relcontrol.clock import now
from releases.artifacts import create_artifact
from releases.measuring.policy_definition import Definition
from releases.measuring.policy_services import create_policy
from releases.models import Release
from releases.rolling.order import RollOrder
from releases.rolling.starting import start_rollout
from releases.rollout_models import ReplayPair, Rollout
from releases.selectors import release_named
from releases.traces.ingest import store
from tests.api.addresses import Address
from tests.api.evidence import anchored, finished_export, observed
from tests.factories import Api, api, person, person_token, route, service_token
from tests.gates.overrides import scene as overrides
from tests.gates.overrides.scene import person_actor
from tests.gates.reviews.scene import Judged, held_run
from tests.gates.runs.documents import candidate
from tests.gates.runs.factory import gate_run
from tests.releases.canary import PLAN, REASON, passed, replica, serving, warm
from tests.releases.observing import factory as observing
from tests.releases.scene import OTHER_PROMPT, PROMPT_VALUE, Scene, scene, stable
from tests.releases.traces.samples import trace_row

EVERY_ROLE = tuple(Role.values)
TOXICITY = Definition("Toxicity", "score:toxicity", 0.05, None, 600, 30, "pause_for_review")


@dataclass
class World:
    """A scene with its objects (by the name that they have in paths) and its visitors (by what they are)."""

    scene: Scene
    objects: dict[str, str]
    roles: dict[str, Api] = field(default_factory=dict)
    scopes: dict[str, Api] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def everything(self) -> Api:
        """Somebody who holds every role."""
        return self.roles["all"]

    def path(self, address: Address) -> str:
        """The address of a real object of this organization."""
        missing = [part for part in address.parts if self._value(address, part) is None]
        assert not missing, (
            f"{address} names {missing}, of which the tests have no object yet: "
            f"add one to `objects_of` in {__name__.replace('.', '/')}.py under that name."
        )
        return address.filled({part: str(self._value(address, part)) for part in address.parts})

    def _value(self, address: Address, part: str) -> str | None:
        return self.objects.get(f"{address.name}.{part}", self.objects.get(part))


def world(slug: str) -> World:
    """A whole organization; visitors are made when they are asked for."""
    made = scene(slug)
    here = World(made, objects_of(made))
    for role in EVERY_ROLE:
        here.people[role] = person(made.organization, role)
        here.roles[role] = api(person_token(made.organization, here.people[role]))
    here.people["all"] = person(made.organization, *EVERY_ROLE)
    here.roles["all"] = api(person_token(made.organization, here.people["all"]))
    own = person_actor(made.organization, here.people["all"])
    here.objects["api-override-withdraw.override"] = asked_for(made, own, number=902).pk
    here.objects |= panels_of(made, here.people["viewer"], here.people["all"])
    for scope in SCOPES:
        here.scopes[scope] = api(service_token(made.organization, scope))
    return here


def objects_of(made: Scene) -> dict[str, str]:
    """What each part of a path stands for here; `name-of-address.part` goes before `part`."""
    release, slug = made.registered()["release_id"], made.organization.slug
    endpoint = create_endpoint(actor=made.actor, name="primary", base_url="http://127.0.0.1:11434/v1")
    member = person(made.organization, "viewer", email=f"member@{slug}.example").memberships.get()
    return {
        "organization": made.organization.slug,
        "application": made.application.slug,
        "api-application.application": made.application.pk,
        "route": str(made.application.routes.get().pk),
        **rolling(made),
        "release": release,
        "artifact": create_artifact(actor=made.actor, ref=f"templates/of-{slug}@v1", value=PROMPT_VALUE)[0].ref,
        "receipt": Receipt.objects.filter(organization=made.organization).latest("seq").receipt_hash,
        "export": finished_export(made).pk,
        **anchored(made),
        "keyid": signer(EXPORT).keyid,
        **observed(made),
        "scope": save_scope(actor=made.actor, name=f"scope of {slug}", scope={"organization": True}).pk,
        "slug": create_slice(actor=made.actor, slug=f"slice-of-{slug}").slug,
        "suite": imported(made, f"suite-of-{slug}").name,
        "key": SuiteImport.objects.filter(organization=made.organization).latest("pk").pk,
        "settings-application.slug": made.application.slug,
        "settings-application-name.slug": made.application.slug,
        "settings-application-clients.slug": made.application.slug,
        "settings-endpoint.name": endpoint.name,
        "endpoint": endpoint.pk,
        "settings-member.key": member.pk,
        "settings-member-remove.key": member.pk,
        "settings-token-revoke.key": Token.objects.filter(organization=made.organization).latest("pk").pk,
        "name": f"templates/of-{slug}",
        "override": asked_for(made, made.actor, number=901).pk,
        "api-release-override.release": stopped(made, number=903).pk,
        "api-release-archive.release": halted(made, number=904).pk,
        "entry": proposed(made, f"tolerated-of-{slug}").pk,
        **dict.fromkeys(("gate-run-sign-off.run", "api-gate-run-sign-off.run"), left_for_review(made).pk),
        "judge": judge_for(actor=made.actor, name="external:legal-judge@9", scale=None).pk,
        "calibration": measurement_of(made).pk,
        "api-gate-run-cancel.run": waiting_run(made).pk,
        "gate-run-cancel.run": waiting_run(made).pk,
        "run": gate_run(made.organization, candidate=candidate(release_id=release)).pk,
    }


def rolling(made: Scene) -> dict[str, str]:
    """A rollout on a route of its own with a trace and a pair that its rules scored; a policy; an application key."""
    slug, beside = made.organization.slug, route(made.application, domain="rolling")
    first = stable(made.registered(routing=beside.routing)["release_id"])
    serving(first)
    fields = {"routing": beside.routing, "prompt_template_ref": OTHER_PROMPT, "previous_release": first.pk}
    release = release_named(made.organization, made.registered(**fields)["release_id"])
    passed(release)
    replica(made.organization, fingerprints=[first.bundle_sha256, release.bundle_sha256])
    warm(first)
    row = start_rollout(actor=made.actor, release=release, order=RollOrder(plan=PLAN, reason=REASON))
    scored_pair(row, f"rpp_of_{slug}")
    begun = (row.started_at - timedelta(seconds=1)).isoformat()
    known: dict[str, Any] = {"release": release.manifest_sha256, "route": beside.pk, "rollout": row.pk}
    store(made.organization, [trace_row(started_at=begun, request_id=f"req-of-{slug}", **known)], now=row.started_at)
    policy = create_policy(actor=made.actor, application=made.application, definition=TOXICITY)
    key, _ = create_application_key(actor=made.actor, application=made.application, name="web")
    return {
        "rollout": row.pk,
        **watched(first),
        "request_id": f"req-of-{slug}",
        "command": "pause",
        "api-route-rollback.route": beside.pk,
        "policy": policy.pk,
        "application_key": key.pk,
        "api-application-keys.application": made.application.pk,
        "api-application-key.application": made.application.pk,
    }


def watched(release: Release) -> dict[str, str]:
    """What watches a serving release, with a slice that drifts: its alarm, and the worst answers of that."""
    row = observing.observer(release)
    observing.window(observing.observed(row))
    drifting = observing.alarm(row)
    return {"alarm": drifting.pk, "worst": observing.worst(drifting, count=1).pk}


def scored_pair(row: Rollout, key: str) -> ReplayPair:
    """A pair of a slice that a judge elsewhere scores, as the rules have left it."""
    judged = create_slice(actor=system_actor(row.organization), slug="judged-elsewhere", judge="external:legal-judge@9")
    return ReplayPair.objects.create(
        id=key,
        organization=row.organization,
        rollout=row,
        checkpoint=1,
        slice=judged.slug,
        request_id=f"req-of-{row.organization.slug}",
        trace_id=f"{1:032x}",
        trace_started_at=row.started_at,
        subject=b"0" * 16,
        served="candidate",
        state=ReplayPair.State.SCORED,
        candidate_score=1.0,
        stable_score=1.0,
        source="rules",
        created_at=row.started_at,
        scored_at=row.started_at,
    )


def panels_of(made: Scene, other: Person, own: Person) -> dict[str, str]:
    """Panels in which one person has graded the one answer that there is, and those of the person who calls."""
    suite = imported(made, f"graded-of-{made.organization.slug}", answers=True)
    done, waiting, undone = (
        create_panel(
            actor=made.actor,
            name=f"{name} of {made.organization.slug}",
            rubric="5: right.",
            source="suite",
            suite=suite,
            scale=(1.0, 5.0),
            raters=[who.email],
            seed=1,
        )
        for name, who in (("done", other), ("waiting", own), ("undone", own))
    )
    for panel, who in ((done, other), (undone, own)):
        rate(actor=person_actor(made.organization, who), task=panel.tasks.get(), grade=4)
    mine = dict.fromkeys(("api-panel-rate.panel", "api-panel-skip.panel"), waiting.pk)
    tasks = dict.fromkeys(("task", "api-panel-rate.task", "api-panel-skip.task"), str(waiting.tasks.get().pk))
    answer = str(done.items.get().pk)
    return {"panel": done.pk, "answer": answer, **mine, **tasks, "api-panel-undo.panel": undone.pk}


def measurement_of(made: Scene) -> CalibrationRun:
    """A measurement of a judge that nobody has begun."""
    suite = imported(made, f"measured-on-of-{made.organization.slug}", answers=True)
    rules = judge_named(made.organization, "rules:default@1")
    return request_calibration(actor=made.actor, judge=rules, suite=suite)


def waiting_run(made: Scene) -> GateRun:
    """A run that nobody has begun."""
    return gate_run(made.organization, state="queued")


def imported(made: Scene, name: str, *, answers: bool = False) -> Suite:
    """A suite of this name with one case, and one graded answer where there are to be answers."""
    case: dict[str, Any] = {"case_id": "c1", "slice": "ip-licensing", "input": "May affiliates use it?"}
    if answers:
        case["answers"] = [{"answer_id": "a1", "output": "Yes.", "human_scores": [4]}]
    body = json.dumps(case).encode()
    row = carry_out(request_import(actor=made.actor, name=name, body=body, file_format="jsonl"))
    assert row.suite
    return row.suite


def proposed(made: Scene, name: str) -> AllowlistEntry:
    """An allowlist entry that waits for its review."""
    why = "The panel graded the old answer too high."
    return propose(actor=made.actor, suite=imported(made, name), case_id="c1", justification=why)


def stopped(made: Scene, number: int) -> Release:
    """A release whose gate run, of this number, has failed."""
    release = Release.objects.get(pk=made.registered(generation={"seed": number})["release_id"])
    overrides.gate_run(release, number=number)
    return release


def halted(made: Scene, number: int) -> Release:
    """A release whose rollout was halted."""
    release = stopped(made, number)
    release.delivery = Release.Delivery.HALTED
    release.save(update_fields=["delivery"])
    return release


def asked_for(made: Scene, by: Actor, number: int) -> Override:
    """An override of such a release, which waits for its approval."""
    of = overrides.candidate(stopped(made, number))
    return request_override(actor=by, candidate=of, force=True, reason=overrides.REASON)


def left_for_review(made: Scene) -> GateRun:
    """A held gate run, of which only reviews are left; its number is far from those that runs get in the tests."""
    judged = Judged(made.application, imported(made, f"reviewed-of-{made.organization.slug}"))
    return held_run(judged, number=900, manifest_sha256="e9" * 32)


def strangers(here: World) -> Mapping[str, Api]:
    """Those whom no call lets in: without a token, with one that was never given, has ended or was withdrawn."""
    owner = here.scene.organization
    revoked = service_token(owner, *SCOPES)
    revoke_token(actor=command_actor(owner), token=_row(revoked))
    expired = service_token(owner, *SCOPES)
    Token.objects.filter(pk=_row(expired).pk).update(expires_at=now() - timedelta(seconds=1))
    left = person(owner, "admin", email="left@elsewhere.example")
    gone = person_token(owner, left)
    Person.objects.filter(pk=left.pk).update(is_active=False)
    wrong_secret = service_token(owner, *SCOPES)[:-4] + "AAAA"
    without = Api("")
    without.client = Client(raise_request_exception=False)
    texts = {"revoked": revoked, "expired": expired, "inactive person": gone, "wrong secret": wrong_secret}
    return {"no token": without, "no bearer": Api("x"), **{name: api(text) for name, text in texts.items()}}


def browser(who: Person) -> Client:
    """A signed-in browser."""
    client = Client(raise_request_exception=False)
    client.force_login(who)
    return client


def _row(text: str) -> Token:
    return Token.objects.get(public=text.removeprefix("rc_").partition(".")[0])


@contextmanager
def connection_kept() -> Iterator[None]:
    """Requests straight to the WSGI application would close the connection in the middle of our transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@contextmanager
def nothing_written() -> Iterator[None]:
    """Whatever happens inside leaves the number of rows of every table as it was."""
    before = row_counts()
    yield
    assert row_counts() == before


@contextmanager
def undone_if_accepted() -> Iterator[list[int]]:
    """A request inside puts its status into the list; what an accepted one wrote is undone, so that a refused one
    that wrote something stands out.
    """
    statuses: list[int] = []
    with transaction.atomic():
        yield statuses
        if statuses[-1] < 400:
            transaction.set_rollback(True)


@cache
def row_counts_statement() -> str:
    """One statement that counts the rows of every table that a refused call must leave alone."""
    passing = {"api_ratewindow", "api_idempotencyrecord", "django_session"}
    tables = sorted({model._meta.db_table for model in apps.get_models()} - passing)
    return " UNION ALL ".join(f"SELECT '{table}', count(*) FROM {table}" for table in tables)  # noqa: S608 - our tables


def row_counts() -> dict[str, int]:
    """How many rows each table has now."""
    with connection.cursor() as cursor:
        cursor.execute(row_counts_statement())
        rows: list[Any] = cursor.fetchall()
    return dict(rows)
