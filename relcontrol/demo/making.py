"""Demo content for a first look: people, rules, graded suites, eight releases that were gated, overrides, panels.

Made once, through the same services as in life, and only where there is no organization at all: a real installation
is never touched. All of it is one transaction, so a killed start leaves nothing half made. The password of the demo
people is random for each installation and stands with mode 0600 in the data folder.
"""

import json
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import connection, transaction

from audit.administration.applications import create_application, create_route
from audit.administration.organizations import create_organization
from audit.administration.people import add_person
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization, Person, Role
from relcontrol.demo.anchoring import be_witnessed, make_anchors
from relcontrol.demo.connecting import connect, make_endpoint
from relcontrol.demo.decisions import make_decisions
from relcontrol.demo.desk import make_desk
from relcontrol.demo.judging import make_graded_suite, make_judges, make_panels
from relcontrol.demo.registering import APPLICATION, ROUTING, SUITE, make_artifacts, make_ready, make_story
from relcontrol.demo.results import GRADE_SCALE, JUDGE, cases
from relcontrol.demo.topics import TOPICS
from relcontrol.jobs.models import LeasedJob
from relcontrol.runtime.private_files import read_text, write_private

SLUG: Final = "demo"
NAME: Final = "Northgate Legal"
LOCK: Final = 0x72656C64656D6F  # "reldemo": two starts on one database make the content once
PASSWORD_BYTES: Final = 12
OWNER: Final = "owner@demo"

PEOPLE: Final = (
    (OWNER, "Mara Lindqvist", Role.DOMAIN_OWNER),
    ("manager@demo", "Tom Behrens", Role.RELEASE_MANAGER),
    ("approver@demo", "Daniel Okafor", Role.RELEASE_MANAGER),
    ("auditor@demo", "Ines Moreau", Role.AUDITOR),
    ("admin@demo", "Priya Raman", Role.ADMIN),
)


def ensure(models_url: str, witness_url: str = "") -> None:
    """Make the demo content, unless an organization exists; lead it to where its models and its witness answer now.

    Without `witness_url` nothing is said of a witness.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if not Organization.objects.exists():
            _make(_password(), models_url)
        if found := organization():
            connect(command_actor(found), models_url)
            if witness_url:
                be_witnessed(command_actor(found), witness_url)


def organization() -> Organization | None:
    """The demo's organization, where there is one."""
    return Organization.objects.filter(slug=SLUG, memberships__person__email=OWNER).first()


def sign_ins() -> list[str]:
    """A line for each demo person; none where there is no demo, or its password is not the one of this folder."""
    owner = Person.objects.filter(email=OWNER, memberships__organization__slug=SLUG).first()
    if owner is None or not _password_file().exists():
        return []
    password = _password()
    if not owner.check_password(password):
        return []
    return [f"{email:<14} password {password}  ({role.label.lower()})" for email, _, role in PEOPLE]


def _password_file() -> Path:
    return Path(settings.DATA_DIR) / "demo-password"


def _password() -> str:
    """The password in the data folder; a new one where there is none."""
    file = _password_file()
    if not file.exists():
        write_private(file, secrets.token_urlsafe(PASSWORD_BYTES))
    return read_text(file)


def _make(password: str, models_url: str) -> None:
    actor = command_actor(create_organization(slug=SLUG, name=NAME))
    for email, name, role in PEOPLE:
        add_person(actor=actor, email=email, name=name, roles=[role], password=password, domains=[SLUG])
    application = create_application(actor=actor, slug=APPLICATION, name="Legal assistant")
    create_route(actor=actor, application=application, routing=ROUTING)
    make_endpoint(actor, models_url)
    _make_rules(actor)
    make_artifacts(actor)
    first, passed, failed = make_story(actor)
    make_decisions(actor, first=first, passed=passed, failed=failed, ready=make_ready(actor, passed))
    make_judges(actor)
    make_desk(actor, OWNER)
    make_graded_suite(actor)
    make_panels(actor, failed)
    make_anchors(actor)


def _make_rules(actor: Actor) -> None:
    for topic in TOPICS:
        create_slice(
            actor=actor,
            slug=topic.slug,
            name=topic.name,
            description=topic.description,
            application=APPLICATION,
            owner=OWNER,
            judge=JUDGE,
            threshold=Decimal(topic.threshold),
            match={"metadata": {"topic": topic.slug}},
        )
    lines = "\n".join(json.dumps(case, ensure_ascii=False) for case in cases())
    request = request_import(actor=actor, name=SUITE, body=lines.encode(), file_format="jsonl", scale=GRADE_SCALE)
    job = carry_out(request)
    if job.state != LeasedJob.State.DONE:
        raise RuntimeError(f"the demo suite was not imported: {job.problem}")
