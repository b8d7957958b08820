"""Demo content for a first look: the organization `demo` with people, rules, a suite and three releases.

Made once, through the same services as in life, and only where there is no organization at all: a real installation
is never touched. All of it is one transaction, so a killed start leaves nothing half made. The password of the demo
people is random for each installation and stands with mode 0600 in the data folder.
"""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction

from audit.administration.applications import create_application, create_endpoint, create_route
from audit.administration.organizations import create_organization
from audit.administration.people import add_person
from gates.slices import create_slice
from gates.suites import carry_out, request_import
from relcontrol.accounts.actors import Actor, command_actor
from relcontrol.accounts.models import Organization, Person, Role
from relcontrol.jobs.models import LeasedJob
from releases.artifacts import create_artifact
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
JUDGE: Final = "external:legal-judge@9"
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
}

# slug, name, description, threshold of agreement
SLICES: Final = (
    ("contract-drafting", "Contract drafting", "Clauses to be written or mended.", "0.65"),
    ("statutory-interpretation", "Statutory interpretation", "What a provision means and covers.", "0.65"),
    ("case-summarization", "Case summarization", "Judgments in short: facts, holding, reasons.", "0.65"),
    ("regulatory-compliance", "Regulatory compliance", "Duties towards authorities, and their dates.", "0.65"),
    ("jurisdictional-analysis", "Jurisdictional analysis", "Which court, which law.", "0.6"),
    ("ip-licensing", "IP licensing", "What a licence lets its holder do.", "0.65"),
)

# slice, question, what a good answer holds
CASES: Final = (
    (
        "contract-drafting",
        "Draft a termination clause for a two-year services agreement that lets either side leave with notice.",
        "Notice period in writing, work in progress paid, what survives the end.",
    ),
    (
        "contract-drafting",
        "Our limitation of liability covers “all damages whatsoever”. Mend it so that it holds.",
        "Carves out intent, gross negligence and injury; caps the rest at an amount.",
    ),
    (
        "contract-drafting",
        "Write a confidentiality clause that still lets our client talk to its auditors.",
        "Permitted recipients under a duty of their own; term; return or destruction.",
    ),
    (
        "statutory-interpretation",
        "A statute forbids “vehicles” in the park. Does it cover an electric wheelchair?",
        "Purpose before wording; most readings exempt aids of the disabled.",
    ),
    (
        "statutory-interpretation",
        "The act says notice is given “within 14 days”. Does the day of the event count?",
        "As a rule it does not; say where the interpretation act decides.",
    ),
    (
        "statutory-interpretation",
        "A list ends in “and other similar goods”. May software be among them?",
        "Same kind as the goods listed; argues from the list.",
    ),
    (
        "case-summarization",
        "Summarise: the tenant withheld rent for eight weeks because the heating failed; the court allowed four.",
        "Facts, holding (four weeks), why not eight.",
    ),
    (
        "case-summarization",
        "Summarise: a carrier lost sealed goods; the sender had not declared their value; liability was capped.",
        "Facts, holding (cap applies), the duty to declare.",
    ),
    (
        "case-summarization",
        "Summarise: an employee forwarded client data to a private address; the dismissal was upheld on appeal.",
        "Facts, procedure, holding, weight of the earlier warning.",
    ),
    (
        "regulatory-compliance",
        "A client found a leak of personal data on Friday evening. By when must it tell the authority?",
        "72 hours from awareness; weekends count; reasons if later.",
    ),
    (
        "regulatory-compliance",
        "Must a firm of twelve people that screens patients' data appoint a data protection officer?",
        "Large-scale health data decides, not the head count.",
    ),
    (
        "regulatory-compliance",
        "We send a newsletter to customers who bought once. Do we need their consent?",
        "Existing-customer exception: similar goods, a way to object each time.",
    ),
    (
        "jurisdictional-analysis",
        "A buyer in Lyon sues a seller in Porto over goods delivered to Ghent. Which court may hear it?",
        "Seller's domicile or the place of delivery; a choice-of-court clause first.",
    ),
    (
        "jurisdictional-analysis",
        "The contract names English law, the consumer lives in Vienna. Which rules protect her?",
        "Mandatory rules of her residence stay.",
    ),
    (
        "jurisdictional-analysis",
        "Where can a German company enforce a judgment against assets in Norway?",
        "Lugano Convention; which court declares it enforceable.",
    ),
    (
        "ip-licensing",
        "The licence is for “the Licensee”. May its subsidiaries use the software?",
        "Not without words that cover affiliates; how to check for them.",
    ),
    (
        "ip-licensing",
        "Our client wants to sublicense a patent that it holds under an exclusive licence. May it?",
        "Only where the licence grants it; exclusivity alone does not decide.",
    ),
    (
        "ip-licensing",
        "Can we ship a product that links to an LGPL library without opening our own source?",
        "Yes where relinking stays possible; notices; the library's own changes are open.",
    ),
)


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
    _make_releases(actor)


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
    for slug, name, description, threshold in SLICES:
        create_slice(
            actor=actor,
            slug=slug,
            name=name,
            description=description,
            owner=OWNER,
            judge=JUDGE,
            threshold=Decimal(threshold),
            match={"metadata": {"topic": slug}},
        )
    lines = "\n".join(json.dumps(case, ensure_ascii=False) for case in _cases())
    job = carry_out(request_import(actor=actor, name=SUITE, body=lines.encode(), file_format="jsonl"))
    if job.state != LeasedJob.State.DONE:
        raise RuntimeError(f"the demo suite was not imported: {job.problem}")


def _cases() -> Sequence[Mapping[str, str]]:
    return [
        {"case_id": f"{topic}-{number:02}", "slice": topic, "input": question, "reference": reference}
        for number, (topic, question, reference) in enumerate(CASES, start=1)
    ]


def _make_artifacts(actor: Actor) -> None:
    steps = [{"op": "unicode_nfc"}, {"op": "strip"}, {"op": "collapse_whitespace"}]
    create_artifact(actor=actor, ref=PREPROCESSING, value={"kind": "preprocessing", "steps": steps})
    for version, caution in CAUTION.items():
        value = {"kind": "prompt_template", "system": SYSTEM.format(caution=caution), "user": "{{ input }}"}
        create_artifact(actor=actor, ref=f"{PROMPT}@{version}", value=value)


def _make_releases(actor: Actor) -> None:
    """A cold start, then a new prompt, then another temperature: one change each."""
    parts: dict[str, Any] = {
        "application": APPLICATION,
        "model_ref": MODEL,
        "routing": ROUTING,
        "dataset_version": SUITE,
        "preprocessing_ref": PREPROCESSING,
        "prompt_template_ref": f"{PROMPT}@v13",
        "generation": {"temperature": "0.2", "max_tokens": 1200},
    }
    changes: Sequence[Mapping[str, Any]] = (
        {},
        {"prompt_template_ref": f"{PROMPT}@v14"},
        {"generation": {"temperature": "0", "max_tokens": 1200}},
    )
    previous = None
    for change in changes:
        parts |= change
        previous = register(actor=actor, order=Order(**parts, previous_release=previous)).release.pk
