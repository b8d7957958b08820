"""Live answers in a panel: sampled sealed, opened for raters alone, and gone with their subject."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from gates.models import Slice
from gates.panel_models import Panel, PanelItem, PanelTask
from gates.panels.closing import close_panel
from gates.panels.making import create_panel
from gates.panels.rating import GONE, next_task, rate
from gates.panels.sampling import TraceOrder
from gates.panels.texts import texts_of, texts_of_many
from relcontrol.accounts.actors import Actor
from relcontrol.clock import now
from relcontrol.errors import Invalid
from releases.panels import AGE, sample_traces
from releases.trace_models import SubjectKey, Trace
from releases.traces.subjects import subject_digest
from tests import factories
from tests.gates.panels.scene import expert
from tests.gates.scene import Scene
from tests.gates.scene import scene as gate_scene
from tests.releases.traces.samples import stored, trace_row

SECRET_PROMPT = "You are release r128 of the legal assistant."


@dataclass(frozen=True)
class Live:
    """An organization with traces, a manager who may read them, and two experts."""

    scene: Scene
    manager: Actor
    ada: Actor
    bea: Actor

    def panel(self, **changes: Any) -> Panel:
        """A panel of live answers."""
        order: dict[str, Any] = {
            "actor": self.manager,
            "name": f"Live answers {Panel.objects.count()}",
            "rubric": "5: right.",
            "source": "traces",
            "count": 5,
            "raters": [each.person.email for each in (self.ada, self.bea) if each.person],
            "raters_per_answer": 2,
            "scale": (1.0, 5.0),
            "seed": 7,
        }
        return create_panel(**{**order, **changes})


@pytest.fixture
def live(db: None) -> Live:
    """Twelve answers of twelve subjects, on two slices by turns."""
    scene = gate_scene()
    owner = scene.organization
    manager = factories.person_actor(owner, "domain-owner")
    made = Live(scene, manager, expert(owner, "ada"), expert(owner, "bea"))
    send(made, *(row(number) for number in range(12)))
    Trace.objects.filter(organization=owner).update(slice="ip-licensing")
    odd = [f"{number:032x}" for number in range(1, 12, 2)]
    Trace.objects.filter(organization=owner, trace_id__in=odd).update(slice="contract-drafting")
    return made


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A trace of its own subject."""
    messages = [{"role": "system", "content": SECRET_PROMPT}, {"role": "user", "content": f"Question {number}?"}]
    fields = {
        "subject": f"user-{number}",
        "started_at": now().isoformat(),
        "input": {"messages": messages},
        "output": {"content": f"Answer {number}."},
    }
    return trace_row(number, **{**fields, **changes})


def send(live: Live, *rows: dict[str, Any]) -> None:
    """Store these traces now."""
    assert stored(live.scene.organization, *rows, now=now()).accepted == len(rows)


def erased(live: Live, subject: str) -> None:
    """Somebody's key is destroyed."""
    digest = subject_digest(live.scene.organization.pk, subject)
    keys = SubjectKey.objects.filter(organization=live.scene.organization, subject=digest)
    assert keys.update(wrapped_key=None, destroyed_at=now()) == 1


def sampled(live: Live, *groups: frozenset[str], count: int = 20, seed: int = 1) -> list[str]:
    """The ids of traces that are drawn."""
    return [each.trace_id for each in sample_traces(TraceOrder(live.scene.organization, groups, count, seed))]


def test_so_many_answers_are_drawn_by_chance_and_the_seed_says_which(live: Live) -> None:
    assert len(set(sampled(live, count=5))) == 5
    assert sampled(live, count=5) == sampled(live, count=5) != sampled(live, count=5, seed=2)


def test_a_rater_sees_what_was_asked_and_answered_and_not_the_releases_own_words(live: Live) -> None:
    assert live.ada.person
    task = next_task(live.panel(), live.ada.person)
    assert task
    texts = texts_of(task.item)
    number = int(task.item.trace_id, 16)
    assert (texts.input, texts.output, texts.reference) == (f"Question {number}?", f"Answer {number}.", None)
    assert SECRET_PROMPT not in str(texts)


def test_the_texts_are_nowhere_in_clear(live: Live) -> None:
    panel = live.panel()
    kept = "".join(str(list(PanelItem.objects.filter(pk=item.pk).values())) for item in panel.items.all())
    assert "Question" not in kept
    assert "Answer " not in kept
    assert all(item.sealed for item in panel.items.all())


def test_a_conversation_is_shown_with_who_said_what(live: Live) -> None:
    turns = [
        {"role": "user", "content": "May affiliates use it?"},
        {"role": "assistant", "content": "Which affiliates?"},
        {"role": "user", "content": [{"type": "text", "text": "The German one."}]},
    ]
    Trace.objects.filter(organization=live.scene.organization).update(error="timeout")
    send(live, row(50, input={"messages": turns}))
    (item,) = live.panel().items.all()
    assert (
        texts_of(item).input == "User: May affiliates use it?\n\nAssistant: Which affiliates?\n\nUser: The German one."
    )


def test_of_each_named_slice_so_many_are_drawn(live: Live) -> None:
    panel = live.panel(slices=["ip-licensing", "contract-drafting"], count=2)
    assert Counter(panel.items.values_list("slice__slug", flat=True)) == {"ip-licensing": 2, "contract-drafting": 2}
    assert Slice.objects.filter(organization=live.scene.organization).count() == 2


def test_nobody_has_more_than_three_answers_in_a_panel(live: Live) -> None:
    Trace.objects.filter(organization=live.scene.organization).update(error="timeout")
    send(live, *(row(number, subject="talkative") for number in range(20, 30)))
    Trace.objects.filter(organization=live.scene.organization, trace_id__gte=f"{25:032x}").update(slice="ip-licensing")
    assert len(sampled(live)) == 3
    assert len(sampled(live, frozenset({"ip-licensing"}), frozenset({"contract-drafting"}))) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"input": None, "output": None},
        {"output": {"content": ""}},
        {"error": "timeout", "status": 504},
        {"arm": "shadow"},
        {"input": {"messages": [{"role": "system", "content": "Only this."}]}},
    ],
    ids=["no texts", "no answer", "an error", "a copy for a shadow", "no question"],
)
def test_what_nobody_could_grade_is_not_drawn(live: Live, changes: dict[str, Any]) -> None:
    send(live, row(60, **changes))
    assert f"{60:032x}" not in sampled(live)


def test_what_is_too_old_is_not_drawn(live: Live) -> None:
    Trace.objects.filter(organization=live.scene.organization).update(started_at=now() - AGE)
    with pytest.raises(Invalid, match="no live answer"):
        live.panel()


def test_somebody_who_was_erased_is_not_drawn(live: Live) -> None:
    erased(live, "user-3")
    assert f"{3:032x}" not in sampled(live)
    assert len(sampled(live)) == 11


def test_erasing_a_subject_makes_her_answer_gone_and_skipped_and_leaves_the_others(live: Live) -> None:
    panel = live.panel(count=12)
    erased(live, "user-3")
    items = list(panel.items.select_related("panel", "case").order_by("pk"))
    gone = [item.trace_id for item, texts in zip(items, texts_of_many(items), strict=True) if texts.gone]
    assert gone == [f"{3:032x}"]
    assert live.ada.person
    while task := next_task(panel, live.ada.person):
        rate(actor=live.ada, task=task, grade=4)
    states = set(PanelTask.objects.filter(item__trace_id=gone[0]).values_list("state", "reason"))
    assert states == {("skipped", GONE)}
    assert PanelTask.objects.filter(person=live.ada.person, state="rated").count() == 11


def test_a_copy_outlives_its_trace_as_long_as_the_key_is_there(live: Live) -> None:
    panel = live.panel()
    Trace.objects.filter(organization=live.scene.organization).update(body=None)
    assert not any(texts.gone for texts in texts_of_many(list(panel.items.select_related("panel", "case"))))


def test_a_copy_of_another_subject_or_organization_does_not_open(live: Live) -> None:
    first, second = live.panel().items.all()[:2]
    PanelItem.objects.filter(pk=first.pk).update(subject=bytes(second.subject or b""))
    first.refresh_from_db()
    assert texts_of(first).gone


def test_closing_a_panel_of_live_answers_brings_no_rating_and_leaves_a_receipt(live: Live) -> None:
    panel = live.panel()
    for actor in (live.ada, live.bea):
        assert actor.person
        while task := next_task(panel, actor.person):
            rate(actor=actor, task=task, grade=4)
    closed = close_panel(actor=live.manager, panel=panel)
    assert closed.receipt_hash == live.scene.receipts()[-1].receipt_hash
    assert [row.event for row in live.scene.receipts()].count("ratings.added") == 0
