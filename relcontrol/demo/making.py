"""Demo content for a first look: people, rules, a graded suite, three releases that were gated, two overrides.

Made once, through the same services as in life, and only where there is no organization at all: a real installation
is never touched. All of it is one transaction, so a killed start leaves nothing half made. The password of the demo
people is random for each installation and stands with mode 0600 in the data folder.
"""

import json
import os
import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from audit.administration.applications import create_application, create_endpoint, create_route
from audit.administration.organizations import create_organization
from audit.administration.people import add_person
from gates.slices.services import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization, Person, Role
from relcontrol.demo.decisions import make_decisions
from relcontrol.demo.results import GRADE_SCALE, JUDGE, cases
from relcontrol.demo.topics import TOPICS
from relcontrol.jobs.models import LeasedJob
from releases.artifacts import create_artifact
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register

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

APPLICATION: Final = "legal-assistant"
ROUTING: Final = {"domain": "legal"}
SUITE: Final = "scored-qa-legal-v1"
MODEL: Final = "hf:Divinci-AI/gemma-4-e2b@a7c91f"
PREPROCESSING: Final = "preprocessing/tidy@v1"
PROMPT: Final = "templates/legal-qa"

SYSTEM: Final = """You help the lawyers of Northgate Legal with questions about the law.

Answer the question first, in one sentence. Then give the reasons, with the statute or the clause for each.
Where the law differs between jurisdictions, say which one you answer for.
{caution}
Never invent a citation. If you do not know, say so."""
CAUTION: Final = {
    "v13": "If the question leaves out a fact that decides it, ask for that fact.",
    "v14": "If the question leaves out a fact that decides it, name the fact and answer for both cases.",
    "v15": "Be brief: a lawyer reads this between two calls.",
}


def ensure() -> None:
    """Make the demo content, unless an organization exists."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        if not Organization.objects.exists():
            _make(_password())


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
    """The password in the data folder; a new one is written whole or not at all."""
    file = _password_file()
    if not file.exists():
        temporary = file.with_name(f"{file.name}.{os.getpid()}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(secrets.token_urlsafe(PASSWORD_BYTES))
        temporary.replace(file)
    return file.read_text().strip()


def _make(password: str) -> None:
    organization = create_organization(slug=SLUG, name=NAME)
    actor = command_actor(organization)
    for email, name, role in PEOPLE:
        add_person(actor=actor, email=email, name=name, roles=[role], password=password, domains=[SLUG])
    _make_ground(actor)
    _make_rules(actor)
    _make_artifacts(actor)
    first, passed, failed = _make_releases(actor)
    make_decisions(actor, first=first, passed=passed, failed=failed)


def _make_ground(actor: Actor) -> None:
    application = create_application(actor=actor, slug=APPLICATION, name="Legal assistant")
    create_route(actor=actor, application=application, routing=ROUTING)
    create_endpoint(
        actor=actor,
        name="main-llm",
        base_url="http://127.0.0.1:11434/v1",
        credential="main-llm-key",
        input_price=Decimal("0.0000002"),
        output_price=Decimal("0.0000008"),
    )


def _make_rules(actor: Actor) -> None:
    for topic in TOPICS:
        create_slice(
            actor=actor,
            slug=topic.slug,
            name=topic.name,
            description=topic.description,
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


def _make_artifacts(actor: Actor) -> None:
    steps = [{"op": "unicode_nfc"}, {"op": "strip"}, {"op": "collapse_whitespace"}]
    create_artifact(actor=actor, ref=PREPROCESSING, value={"kind": "preprocessing", "steps": steps})
    for version, caution in CAUTION.items():
        value = {"kind": "prompt_template", "system": SYSTEM.format(caution=caution), "user": "{{ input }}"}
        create_artifact(actor=actor, ref=f"{PROMPT}@{version}", value=value)


def _make_releases(actor: Actor) -> list[Release]:
    """A cold start and two new prompts, one change each."""
    parts: dict[str, Any] = {
        "application": APPLICATION,
        "model_ref": MODEL,
        "routing": ROUTING,
        "dataset_version": SUITE,
        "preprocessing_ref": PREPROCESSING,
        "generation": {"temperature": "0.2", "max_tokens": 1200},
    }
    made: list[Release] = []
    for version in CAUTION:
        previous = made[-1].pk if made else None
        order = Order(**parts, prompt_template_ref=f"{PROMPT}@{version}", previous_release=previous)
        made.append(register(actor=actor, order=order).release)
    return made
