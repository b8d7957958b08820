"""The explorer: who sees it, what its search finds, what a range shows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.administration.applications import create_application
from audit.administration.people import remove_person
from audit.administration.tokens import create_token
from audit.chain_checks import AGAIN, check_all_chains
from audit.events import Event
from audit.examination import MOST_IN_RANGE, examine_range
from audit.models import ChainHead, Receipt
from audit.receipts import Record, append
from audit.statement import ClosedApiWeights, Delivery, ReleaseRef
from relcontrol.accounts.actors import command_actor
from relcontrol.accounts.models import Organization
from relcontrol.clock import now
from tests import factories
from tests.audit.test_chain_checks import tamper

pytestmark = pytest.mark.django_db
HOME = "/o/northgate/audit/"
MANIFEST = "ab" * 32
RELEASE = "rel_01k0000000000000000000000a"
SCRIPT = "<script>alert(1)</script>"
QUERIES = 14


@pytest.fixture
def northgate() -> Organization:
    """Receipts 1 to 5: organization, application, route, auditor, release r128."""
    made = factories.organization()
    factories.application(made)
    member = factories.person(made, "auditor", email="mara@northgate.example")
    member.name = "Mara Lindqvist"
    member.save()
    append(
        command_actor(made),
        Record(
            event=Event.RELEASE_REGISTERED,
            outcome="registered",
            kind="release",
            name="r128",
            application="legal-assistant",
            release=ReleaseRef(MANIFEST, RELEASE, "rte_1"),
            delivery=Delivery(None, "registered"),
            weights=ClosedApiWeights("openai", "gpt-5"),
            state={"name": "r128"},
        ),
    )
    return made


@pytest.fixture
def auditor(northgate: Organization) -> Client:
    """Mara's browser."""
    client = Client()
    client.force_login(northgate.memberships.get(person__email="mara@northgate.example").person)
    return client


@pytest.fixture
def numbers(auditor: Client) -> Callable[..., list[int]]:
    """The numbers of the receipts that a search finds."""

    def found(**query: str) -> list[int]:
        answer = auditor.get(HOME, query)
        assert answer.status_code == 200
        return [item.receipt.seq for item in answer.context["told"]]

    return found


def test_the_explorer_lists_every_receipt_newest_first_in_a_sentence(auditor: Client) -> None:
    answer = auditor.get(HOME)
    assert [item.receipt.seq for item in answer.context["told"]] == [5, 4, 3, 2, 1]
    assert "registered legal-assistant r128." in answer.content.decode()


def test_what_happens_to_a_release_is_told_by_its_name_and_no_id(auditor: Client, northgate: Organization) -> None:
    record = Record(
        event=Event.CHECKPOINT_HELD,
        outcome="extended",
        kind="rollout",
        name="rol_01k0000000000000000000000a",
        application="legal-assistant",
        release=ReleaseRef(MANIFEST, RELEASE, "rte_1"),
        delivery=Delivery("rolling", "rolling"),
        weights=ClosedApiWeights("openai", "gpt-5"),
        state={"checkpoint": 5},
    )
    row = append(command_actor(northgate), record)
    for path in (HOME, f"{HOME}receipts/{row.receipt_hash}/"):
        assert "legal-assistant r128 was held at its checkpoint." in auditor.get(path).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#2", [2]),
        ("2", [2]),
        ("r128", [5]),
        ("legal-assistant r128", [5]),
        ("other r128", []),
        (RELEASE, [5]),
        (MANIFEST, [5]),
        (MANIFEST[:12], [5]),
        ("MARA", [4]),
        ("mara@northgate.example", [4]),
        ("release.registered", [5]),
        ("register", [5]),
        ("route", [3]),
        ("legal-assistant", [5, 3, 2]),
        ("rcp_nothing", []),
        ("nobody", []),
        ("%", []),
        ("99999999999", []),
    ],
)
def test_the_search_box_understands(numbers: Callable[..., list[int]], text: str, expected: list[int]) -> None:
    assert numbers(q=text) == expected


def test_a_receipt_is_found_by_a_prefix_of_its_hash_and_by_its_id(
    numbers: Callable[..., list[int]], northgate: Organization
) -> None:
    row = Receipt.objects.get(organization=northgate, seq=3)
    assert numbers(q=row.receipt_hash[:12]) == numbers(q=row.pk) == [3]


def test_what_somebody_did_is_found_by_her_id_and_name(
    numbers: Callable[..., list[int]], northgate: Organization
) -> None:
    actor = factories.person_actor(northgate, "admin")
    create_application(actor=actor, slug="second")
    assert numbers(q=actor.id) == numbers(q="admin@northgate.example") == [7, 6]


def test_a_former_member_is_still_found_by_name(numbers: Callable[..., list[int]], northgate: Organization) -> None:
    factories.person(northgate, "viewer", email="zoe@northgate.example")
    left = northgate.memberships.get(person__email="zoe@northgate.example")
    remove_person(actor=command_actor(northgate), membership=left)
    assert numbers(q="zoe") == [7, 6]


@pytest.mark.parametrize("event", ["release.registered", "register"])
def test_events_are_chosen_in_both_vocabularies(numbers: Callable[..., list[int]], event: str) -> None:
    assert numbers(event=event) == [5]


def test_a_time_range_limits_the_list(numbers: Callable[..., list[int]]) -> None:
    tomorrow = (now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert numbers(start=tomorrow) == []
    assert len(numbers(end=tomorrow)) == 5


@pytest.mark.parametrize(
    "query", [{"event": "no.event"}, {"start": "yesterday"}, {"start": "2026-02-02T00:00", "end": "2026-01-01T00:00"}]
)
def test_a_search_that_cannot_be_read_says_so_and_lists_nothing(auditor: Client, query: dict[str, str]) -> None:
    answer = auditor.get(HOME, query)
    assert answer.status_code == 422
    assert answer.context["told"] == []
    assert "field-error" in answer.content.decode()


def test_no_match_offers_to_clear_the_filters(auditor: Client) -> None:
    assert 'data-empty="no-match"' in auditor.get(HOME, {"q": "nobody"}).content.decode()


def test_older_receipts_follow_by_cursor_and_keep_the_filters(auditor: Client, northgate: Organization) -> None:
    for number in range(60):
        create_token(actor=command_actor(northgate), name=f"ci-{number}", scopes=["audit:read"])
    first = auditor.get(HOME, {"event": "token.changed"})
    assert "event=token.changed&amp;cursor=" in first.content.decode()
    second = auditor.get(HOME, {"event": "token.changed", "cursor": first.context["next_cursor"]})
    seen = [item.receipt.seq for page in (first, second) for item in page.context["told"]]
    assert seen == list(range(65, 5, -1))


@pytest.mark.parametrize("cursor", ["%%%", "bm8", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk"])
def test_a_foreign_cursor_is_refused(auditor: Client, cursor: str) -> None:
    assert auditor.get(HOME, {"cursor": cursor}).status_code == 400


@pytest.mark.parametrize("path", ["", "range/?first=1&last=2", "receipts/1/", "exports/", "verify.py", "trust.json"])
def test_pages_of_the_evidence_have_guards(northgate: Organization, path: str) -> None:
    viewer, outsider, nobody = Client(), Client(), Client()
    viewer.force_login(factories.person(northgate, "viewer"))
    outsider.force_login(factories.person(factories.organization("southgate"), "auditor"))
    refused = viewer.get(f"{HOME}{path}")
    assert refused.status_code == 403
    assert "auditor" in refused.content.decode()
    assert outsider.get(f"{HOME}{path}").status_code == 404
    assert nobody.get(f"{HOME}{path}")["Location"].startswith(f"/sign-in?next={quote(HOME)}")


def test_scripts_in_what_was_recorded_and_asked_are_escaped(auditor: Client, northgate: Organization) -> None:
    create_token(actor=command_actor(northgate), name=SCRIPT, scopes=["audit:read"])
    for query in ({}, {"q": SCRIPT}, {"event": SCRIPT}, {"start": SCRIPT}):
        assert SCRIPT not in auditor.get(HOME, query).content.decode()
    assert "&lt;script&gt;" in auditor.get(HOME).content.decode()


@pytest.mark.parametrize("rows", [3, 30])
def test_the_explorer_costs_the_same_at_any_length(auditor: Client, northgate: Organization, rows: int) -> None:
    for number in range(rows):
        create_token(actor=command_actor(northgate), name=f"ci-{number}", scopes=["audit:read"])
    with CaptureQueriesContext(connection) as captured:
        auditor.get(HOME, {"q": "ci"})
    assert len(captured) <= QUERIES


def test_the_chain_line_says_how_far_it_was_checked(auditor: Client) -> None:
    assert auditor.get(HOME).context["title"] == "This chain was not checked yet"
    check_all_chains(now())
    assert auditor.get(HOME).context["title"] == "Chain intact to #5"


def test_a_broken_chain_is_marked_at_its_place(auditor: Client) -> None:
    check_all_chains(now())
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 3")
    check_all_chains(now() + AGAIN + timedelta(seconds=1))
    answer = auditor.get(HOME)
    assert answer.context["break_at"] == 3
    assert answer.content.decode().count("The chain breaks here") == 1
    assert "signature does not hold" in answer.content.decode()


def test_a_range_verifies_here_and_now(auditor: Client) -> None:
    answer = auditor.get(f"{HOME}range/", {"first": "2", "last": "999"})
    assert answer.context["title"] == "All 4 receipts from #2 to #5 verify"


def test_a_range_after_the_head_verifies_nothing_and_says_so(auditor: Client) -> None:
    answer = auditor.get(f"{HOME}range/", {"first": "7", "last": "9"})
    assert answer.context["title"] == "The chain ends at #5, before this range"
    assert answer.context["report"].failures == ()


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"first": "3", "last": "2"},
        {"first": "0", "last": "2"},
        {"first": "1", "last": str(MOST_IN_RANGE + 1)},
        {"first": "x", "last": "9" * 400},
    ],
)
def test_a_range_that_cannot_be_verified_is_refused_in_words(auditor: Client, query: dict[str, str]) -> None:
    answer = auditor.get(f"{HOME}range/", query)
    assert answer.status_code == 422
    assert "field-error" in answer.text
    assert "nothing was read" in answer.text
    assert "were judged" not in answer.text


@pytest.mark.parametrize(
    ("statement", "check", "seq"),
    [
        ("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 3", "AUTHENTICITY", 3),
        ("UPDATE audit_receipt SET event = 'gate.passed' WHERE seq = 3", "INTEGRITY", 3),
        ("UPDATE audit_receipt SET signature = decode(repeat('00', 64), 'hex') WHERE seq = 3", "AUTHENTICITY", 3),
        ("DELETE FROM audit_receipt WHERE seq = 3", "COMPLETENESS", 4),
        ("DELETE FROM audit_receipt WHERE seq = 5", "COMPLETENESS", 5),
        ("DELETE FROM audit_receipt WHERE seq = 1", "COMPLETENESS", 2),
    ],
)
def test_a_range_names_each_failure_with_its_place(
    northgate: Organization, auditor: Client, statement: str, check: str, seq: int
) -> None:
    tamper("DELETE FROM audit_opening")
    tamper(statement)
    found = [(failure.check, failure.seq) for failure in examine_range(northgate, 1, 5).failures]
    assert (check, seq) in found
    assert f"#{seq}" in auditor.get(f"{HOME}range/", {"first": "1", "last": "5"}).content.decode()


def test_a_changed_receipt_breaks_the_link_of_the_one_after_it(northgate: Organization) -> None:
    tamper("UPDATE audit_receipt SET payload = payload || '\\x20'::bytea WHERE seq = 3")
    found = [(failure.check, failure.seq) for failure in examine_range(northgate, 1, 5).failures]
    assert found == [("INTEGRITY", 3), ("AUTHENTICITY", 3), ("INTEGRITY", 4)]


def test_a_range_notices_that_the_one_before_it_was_replaced(northgate: Organization) -> None:
    tamper("DELETE FROM audit_opening")
    tamper("DELETE FROM audit_receipt WHERE seq = 2")
    assert [(item.check, item.seq) for item in examine_range(northgate, 3, 5).failures] == [("COMPLETENESS", 2)]


def test_a_range_up_to_the_head_is_compared_with_it(northgate: Organization) -> None:
    ChainHead.objects.filter(organization=northgate).update(receipt_hash="f" * 64)
    found: Any = examine_range(northgate, 1, 5).failures
    assert [(item.check, item.expected) for item in found] == [("INTEGRITY", "f" * 64)]
