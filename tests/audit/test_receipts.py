"""Appending: in the decision's transaction, in order, and never to be changed again."""

import json
import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit import verify
from audit.administration.applications import create_application
from audit.events import Event
from audit.log import merkle
from audit.models import ChainHead, Receipt, ReleaseHead
from audit.pages.explorer import told
from audit.receipts import Record, append
from audit.selectors import envelope_of
from audit.statement import ClosedApiWeights, ReleaseRef
from audit.trust import trust_document
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Application, Organization
from relcontrol.clock import now
from relcontrol.errors import Conflict
from tests import factories
from tests.audit.log.scene import complete_nodes, frontier_of, leaves_of, nodes_of

WRITERS = 8
EACH = 5
MANIFEST = "cd" * 32


def chain_of(organization: Organization) -> list[Receipt]:
    """All receipts, in order."""
    return list(Receipt.objects.filter(organization=organization).order_by("seq"))


@pytest.mark.django_db
def test_every_receipt_is_accepted_by_the_auditors_verifier() -> None:
    organization = factories.organization()
    factories.application(organization)
    trust = trust_document(organization)
    statements = [verify.verify_envelope(envelope_of(receipt), trust) for receipt in chain_of(organization)]
    for previous, current in pairwise(statements):
        verify.check_link(previous, current)
    assert [s.predicate["event"] for s in statements] == [
        "organization.changed",
        "application.changed",
        "route.changed",
    ]
    assert statements[0].predicate["chain"]["prev"] == verify.genesis_prev(organization.origin)


@pytest.mark.django_db
def test_a_decision_that_fails_leaves_no_receipt() -> None:
    organization = factories.organization()
    factories.application(organization, "legal-assistant")
    before = chain_of(organization)
    with pytest.raises(Conflict):
        create_application(actor=command_actor(organization), slug="legal-assistant")
    assert chain_of(organization) == before


@pytest.mark.django_db(transaction=True)
def test_a_receipt_is_refused_outside_of_a_transaction() -> None:
    organization = factories.organization()
    record = Record(event=Event.TOKEN_CHANGED, outcome="none", kind="token", name="t", state={})
    with pytest.raises(RuntimeError, match="in the transaction of its decision"):
        append(command_actor(organization), record)


@pytest.mark.django_db
def test_issued_at_never_runs_backwards_when_the_clock_does(monkeypatch: pytest.MonkeyPatch) -> None:
    organization = factories.organization()
    last = chain_of(organization)[-1]
    monkeypatch.setattr("audit.receipts.now", lambda: now() - timedelta(days=1))
    create_application(actor=command_actor(organization), slug="later")
    assert chain_of(organization)[-1].issued_at == last.issued_at


def change_as(role: str, statement: str) -> None:
    """Try it as `rc_app`, as the owner, or as the owner pretending to replicate, which only a superuser may."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        if role != "rc_app":
            cursor.execute("SET LOCAL ROLE NONE")
        if role == "replica":
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["rc_app", "owner", "replica"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_receipt SET event = 'x'", "DELETE FROM audit_receipt", "TRUNCATE audit_receipt CASCADE"],
)
def test_no_role_changes_receipts(role: str, statement: str) -> None:
    factories.organization()
    with pytest.raises(DatabaseError, match=r"append-only|permission denied"), transaction.atomic():
        change_as(role, statement)


@pytest.mark.django_db
def test_the_triggers_fire_always_and_the_application_has_no_right_to_change() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'audit_receipt'::regclass AND NOT tgisinternal"
        )
        assert dict(cursor.fetchall()) == {"audit_receipt_no_change": "A", "audit_receipt_no_truncate": "A"}
        for right, expected in {
            "INSERT": True,
            "SELECT": True,
            "UPDATE": False,
            "DELETE": False,
            "TRUNCATE": False,
        }.items():
            cursor.execute("SELECT has_table_privilege('rc_app', 'audit_receipt', %s)", [right])
            assert cursor.fetchone() == (expected,), right


def write_at_once(step: Callable[[int, int], object]) -> None:
    """`step(writer, number)` by each writer with a connection of its own, all at once; none may fail."""
    errors: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(EACH):
                step(writer, number)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_eight_writers_at_once_make_one_chain_without_gap_or_fork() -> None:
    organization = factories.organization()
    actor = command_actor(organization)
    write_at_once(lambda writer, number: create_application(actor=actor, slug=f"a{writer}-{number}"))
    receipts = chain_of(organization)
    assert [receipt.seq for receipt in receipts] == list(range(1, WRITERS * EACH + 2))
    assert [receipt.prev for receipt in receipts[1:]] == [receipt.receipt_hash for receipt in receipts[:-1]]
    assert Application.objects.count() == WRITERS * EACH
    head = ChainHead.objects.get(organization=organization)
    assert (head.seq, head.receipt_hash) == (receipts[-1].seq, receipts[-1].receipt_hash)
    assert frontier_of(organization).root() == merkle.root_of(leaves_of(organization))
    assert nodes_of(organization) == complete_nodes(leaves_of(organization))


def gate_of(organization: Organization, outcome: str = "pass") -> Receipt:
    """The receipt of a gate of one release, in a transaction of its own."""
    record = Record(
        event=Event.GATE_PASSED,
        outcome=outcome,
        kind="release",
        name="r1",
        application="legal-assistant",
        release=ReleaseRef(MANIFEST),
        weights=ClosedApiWeights("openai", "gpt-5"),
        state={"verdict": outcome},
    )
    with transaction.atomic():
        return append(command_actor(organization), record)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_on_one_release_make_one_chain_of_it() -> None:
    organization = factories.organization()
    write_at_once(lambda writer, number: gate_of(organization))
    receipts = chain_of(organization)[1:]
    assert [receipt.release_seq for receipt in receipts] == list(range(1, WRITERS * EACH + 1))
    assert [receipt.release_prev for receipt in receipts] == [None, *(one.receipt_hash for one in receipts[:-1])]
    head = ReleaseHead.objects.get(organization=organization, manifest_sha256=MANIFEST)
    assert (head.seq, head.receipt_hash) == (receipts[-1].release_seq, receipts[-1].receipt_hash)


@pytest.mark.django_db
def test_two_receipts_of_one_transaction_follow_each_other() -> None:
    organization = factories.organization()
    first, second = gate_of(organization), gate_of(organization)
    assert (second.prev, second.release_prev) == (first.receipt_hash, first.receipt_hash)
    assert (second.seq, second.release_seq) == (first.seq + 1, 2)


@pytest.mark.django_db
def test_what_is_returned_is_what_is_stored() -> None:
    organization = factories.organization()
    made = gate_of(organization)
    stored = Receipt.objects.get(pk=made.pk)
    for field in Receipt._meta.concrete_fields:
        found = getattr(stored, field.attname)
        assert (bytes(found) if isinstance(found, memoryview) else found) == getattr(made, field.attname), field.attname
    assert [(one.field, one.value) for one in made.openings.all()] == [("state", {"verdict": "pass"})]


@pytest.mark.django_db
@pytest.mark.parametrize(("with_release", "statements"), [(True, 3), (False, 2)])
def test_an_append_is_one_lock_and_one_write(with_release: bool, statements: int) -> None:
    organization = factories.organization()
    record = Record(event=Event.TOKEN_CHANGED, outcome="none", kind="token", name="t", state={})
    with CaptureQueriesContext(connection) as counted:
        if with_release:
            gate_of(organization)
        else:
            append(command_actor(organization), record)
    asked = [query["sql"] for query in counted.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert len(asked) == statements, asked


@pytest.mark.django_db
def test_each_personal_detail_is_opened_and_erased_alone() -> None:
    organization = factories.organization()
    factories.person(organization, "auditor", email="ada@acme.example")
    receipt = chain_of(organization)[-1]
    fields = ["personal.email", "personal.name", "state"]
    assert list(receipt.openings.order_by("field").values_list("field", flat=True)) == fields
    assert b"ada@" not in bytes(receipt.payload)
    assert "ada@" not in str(receipt.openings.get(field="state").value)
    receipt.openings.get(field="personal.email").delete()
    [told_now] = told(organization, [receipt])
    assert told_now.words.endswith("added ada as auditor.")
    receipt.openings.get(field="personal.name").delete()
    [told_then] = told(organization, [receipt])
    assert told_then.words.endswith(f"added {receipt.subject.removeprefix('person:')} as auditor.")


@pytest.mark.django_db
def test_what_is_personal_may_be_any_json() -> None:
    organization = factories.organization()
    personal = {"phone": None, "names": ["Ada", "Augusta"], "text": 'a "quoted" % ü'}
    record = Record(Event.TOKEN_CHANGED, "none", "token", "t", state={}, personal=personal)
    opened = {one.field: one.value for one in append(command_actor(organization), record).openings.all()}
    assert opened == {"state": {}} | {f"personal.{name}": value for name, value in personal.items()}


@pytest.mark.django_db
def test_receipts_of_an_application_name_it_in_what_is_signed() -> None:
    organization = factories.organization()
    factories.application(organization)
    factories.person(organization, "auditor")
    signed = [json.loads(bytes(receipt.payload))["predicate"]["application"] for receipt in chain_of(organization)]
    assert signed == [None, "legal-assistant", "legal-assistant", None]
    assert [receipt.application or None for receipt in chain_of(organization)] == signed


@pytest.mark.django_db
def test_two_organizations_have_chains_of_their_own() -> None:
    one, other = factories.organization("one"), factories.organization("other")
    factories.application(one)
    assert [r.seq for r in chain_of(one)] == [1, 2, 3]
    assert [r.seq for r in chain_of(other)] == [1]
    stranger: dict[str, Any] = trust_document(other)
    with pytest.raises(verify.VerificationError, match="another customer"):
        verify.verify_envelope(envelope_of(chain_of(one)[0]), stranger)
