"""Erasing somebody: no copy is left and none can be read; everybody else and every receipt are as they were."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from audit import verify
from audit.exporting.exports import content_of, make_export, request_export
from audit.models import Export, Receipt
from audit.trust import trust_document
from gates.panel_models import PanelTask
from gates.panels.texts import texts_of_many
from relcontrol.accounts.actors import command_actor
from relcontrol.clock import now
from relcontrol.errors import Conflict, Forbidden, Invalid, NotFound
from relcontrol.jobs.running import run
from releases.privacy import erasing
from releases.privacy.copies import COPIES, request_ids_of
from releases.privacy.erasing import digest_of_request, erase, found_of
from releases.trace_models import Erasure, Feedback, SubjectKey, Trace
from releases.traces.bodies import open_bodies
from releases.traces.opened import opened
from tests import factories
from tests.releases.privacy.stage import (
    ANSWERED,
    ASKED,
    JANE,
    OTHER,
    REASON,
    SECRETS,
    Stage,
    columns_opened_by,
    columns_with,
    delivered,
    files_with,
    row_of,
    said,
    send,
    spooled,
    trace_of,
)

SEALED = {
    "releases_trace.body",
    "releases_replaypair.answers",
    "gates_panelitem.sealed",
    "releases_observedanswer.sealed",
    "releases_worstanswer.sealed",
}
IN_CLEAR = {
    "releases_replaypair.findings",
    "releases_replaypair.problem",
    "gates_paneltask.reason",
    "api_idempotencyrecord.answer",
    "releases_observedanswer.problem",
    "releases_worstanswer.problem",
    "releases_feedback.label",
}


def exported(here: Stage) -> bytes:
    """An export of the whole organization."""
    export = request_export(actor=command_actor(here.organization), scope={"organization": True}, with_report=False)
    assert run(Export.objects.filter(pk=export.pk), make_export)
    return b"".join(content_of(export))


def verified(here: Stage, document: bytes) -> dict[str, str]:
    """The auditor's verdicts on an export."""
    report = verify.verify_document(document, trust_document(here.organization))
    assert report.exit_code == 3  # TIME and COMPLETENESS need more than an export
    return {verdict.check: verdict.outcome for verdict in report.verdicts}


def prove(here: Stage, folder: Path, act: Callable[[], object]) -> None:
    """That after `act` nothing of Jane is left or can be read, and that all else is as it was."""
    keys, neighbours = here.keys(JANE), here.keys(OTHER)
    before = exported(here)
    spool = spooled(folder, row_of(JANE, 91))
    assert columns_opened_by(keys, here.digest(JANE)) == SEALED
    assert columns_with("GRANITE") == IN_CLEAR
    act()
    delivered(here, spool)
    assert columns_opened_by(keys, here.digest(JANE)) == set()
    for text in SECRETS[JANE]:
        assert columns_with(text) == set()
    assert files_with(folder, *SECRETS[JANE]) == []
    assert here.keys(JANE).open(here.digest(JANE), b"\x01" * 60) is None
    assert columns_opened_by(neighbours, here.digest(OTHER)) == SEALED
    assert columns_with("MARBLE") == IN_CLEAR
    after = exported(here)
    assert not any(text.encode() in document for document in (before, after) for text in SECRETS[JANE])
    assert verified(here, before) == verified(here, after)
    assert verified(here, after)["INTEGRITY"] == "holds"


def erased(here: Stage) -> Erasure:
    return erase(actor=here.admin, subject=JANE, reason=REASON)


def test_nothing_of_somebody_who_was_erased_is_left_or_can_be_read(here: Stage, tmp_path: Path) -> None:
    prove(here, tmp_path, lambda: erased(here))


def test_the_proof_fails_where_erasing_does_nothing_or_forgets_a_place(
    here: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, fault in enumerate((*faults(), None)):
        with undone(), monkeypatch.context() as patch:
            act: Callable[[], object] = (lambda: None) if fault is None else lambda: erased(here)
            for name, value in (fault or {}).items():
                patch.setattr(erasing, name, value)
            with pytest.raises(AssertionError):
                prove(here, tmp_path / str(number), act)


def faults() -> Iterator[dict[str, Any]]:
    """What an erasure could forget: any one table, feedback, the key."""
    for forgotten in COPIES:
        yield {"COPIES": tuple(copy for copy in COPIES if copy is not forgotten)}
    yield {"erase_feedback": lambda *_: 0}
    yield {"_destroy_key": lambda *_: 1}


class undone:  # noqa: N801 - used like a function
    """What happens inside is rolled back."""

    def __enter__(self) -> None:
        self._atomic = transaction.atomic()
        self._atomic.__enter__()

    def __exit__(self, *error: Any) -> None:
        transaction.set_rollback(True)
        self._atomic.__exit__(None, None, None)


def test_an_erasure_says_how_much_went_and_its_receipt_names_nobody(here: Stage) -> None:
    row = erased(here)
    counts = {"keys": 1, "traces": 1, "replays": 1, "panel_answers": 1, "observed_answers": 1, "worst_answers": 1}
    assert row.gone == {**counts, "feedback": 1}
    receipt = Receipt.objects.filter(organization=here.organization).latest("seq")
    assert (receipt.event, receipt.receipt_hash) == ("disclosure.erased", row.receipt_hash)
    openings = {opening.field: opening.value for opening in receipt.openings.all()}
    assert openings == {
        "state": {"id": row.pk, "subject": here.digest(JANE).hex(), "gone": row.gone},
        "personal.reason": REASON,
    }
    assert JANE not in json.dumps(openings)


def test_what_goes_is_told_before(here: Stage) -> None:
    told = found_of(here.organization, here.digest(JANE))
    assert told == {name: count for name, count in erased(here).gone.items() if name != "feedback"}


def test_erasing_again_changes_nothing(here: Stage) -> None:
    first = erased(here)
    receipts = Receipt.objects.filter(organization=here.organization).count()
    assert erased(here) == first
    assert erase(actor=here.admin, digest=here.digest(JANE), reason=REASON) == first
    assert Receipt.objects.filter(organization=here.organization).count() == receipts


def test_numbers_that_decisions_rest_on_stay(here: Stage) -> None:
    erased(here)
    trace = trace_of(here, JANE)
    assert (trace.latency_ms, trace.slice, trace.status) == (900, "ip-licensing", 200)
    assert Trace.objects.filter(organization=here.organization).count() == 2


def test_pages_say_that_it_was_erased(here: Stage) -> None:
    erased(here)
    assert [body.state for body in opened(here.organization.pk, [trace_of(here, who) for who in (JANE, OTHER)])] == [
        "erased",
        "open",
    ]


def test_raters_see_that_an_answer_is_gone_and_its_grades_do_not_count(here: Stage) -> None:
    erased(here)
    items = list(here.panel.items.select_related("panel", "case"))
    gone = {bytes(item.subject or b""): texts.gone for item, texts in zip(items, texts_of_many(items), strict=True)}
    assert gone == {here.digest(JANE): True, here.digest(OTHER): False}
    tasks = PanelTask.objects.filter(item__subject=here.digest(JANE))
    assert {(task.state, task.grade) for task in tasks} == {("skipped", None)}
    assert PanelTask.objects.filter(item__subject=here.digest(OTHER), state="skipped").count() == 1


def test_what_she_asks_later_is_stored_without_texts_and_without_what_was_said_of_it(here: Stage) -> None:
    erased(here)
    Feedback.objects.create(
        organization=here.organization, request_id="req-8", kind="label", label=ANSWERED[JANE], created_at=now()
    )
    send(here.organization, row_of(JANE, 8), row_of(OTHER, 9))
    bodies = {row.request_id: row.body for row in Trace.objects.filter(organization=here.organization)}
    assert bodies["req-8"] is None
    assert bodies["req-9"]
    assert not Feedback.objects.filter(request_id="req-8").exists()
    assert columns_with("GRANITE") == set()


def test_nothing_is_kept_of_what_is_said_of_her_answers_later(here: Stage) -> None:
    erased(here)
    with pytest.raises(Conflict, match="was erased"):
        said(here, JANE)
    said(here, OTHER)
    assert columns_with("GRANITE") == set()


def test_a_subject_is_erased_by_the_id_of_a_request(here: Stage) -> None:
    digest = digest_of_request(here.organization, "req-1")
    assert digest == here.digest(JANE)
    assert erase(actor=here.admin, digest=digest, reason=REASON).gone["traces"] == 1


def test_a_request_that_two_sent_says_nobody(here: Stage) -> None:
    send(here.organization, row_of(JANE, 5, request_id="same"), row_of(OTHER, 6, request_id="same"))
    with pytest.raises(Conflict, match="2 subjects"):
        digest_of_request(here.organization, "same")
    assert request_ids_of(here.organization.pk, here.digest(JANE)) == {"req-1", "same"}


def test_a_subject_without_a_key_is_erased_and_gets_none_again(here: Stage) -> None:
    SubjectKey.objects.filter(organization=here.organization, subject=here.digest(JANE)).delete()
    assert erased(here).gone["keys"] == 0
    send(here.organization, row_of(JANE, 8))
    assert Trace.objects.get(request_id="req-8").body is None


@pytest.mark.parametrize("subject", ["nobody", "JANE.DOE@example.org"])
def test_somebody_who_was_never_seen_is_not_found_and_leaves_no_mark(here: Stage, subject: str) -> None:
    keys = SubjectKey.objects.count()
    with pytest.raises(NotFound, match="never seen"):
        erase(actor=here.admin, subject=subject, reason=REASON)
    assert SubjectKey.objects.count() == keys
    with pytest.raises(NotFound):
        digest_of_request(here.organization, "req-none")


def test_the_same_name_in_another_organization_is_somebody_else(here: Stage) -> None:
    other = factories.organization("eastgate")
    send(other, row_of(JANE, 1))
    erased(here)
    ours = Trace.objects.get(organization=other)
    (body,) = open_bodies(other.pk, [(bytes(ours.subject), ours.body)])
    assert body["input"]["messages"][0]["content"] == ASKED[JANE]


@pytest.mark.parametrize("reason", ["", "why", "x" * 1_001, f"{JANE.upper()} asked for it"])
def test_a_reason_says_something_and_does_not_name_her(here: Stage, reason: str) -> None:
    with pytest.raises(Invalid):
        erase(actor=here.admin, subject=JANE, reason=reason)
    assert not Erasure.objects.exists()


def test_only_an_administrator_erases(here: Stage) -> None:
    with pytest.raises(Forbidden):
        erase(actor=here.canary.manager, subject=JANE, reason=REASON)
