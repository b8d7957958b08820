"""Shapes of panels in the API: what is sent, and what a rater and a manager each see of one."""

from typing import Any

from rest_framework import serializers

from gates.panel_models import Panel, PanelTask
from gates.panels.agreement import PanelReliability
from gates.panels.disagreements import FINDINGS, Disagreement
from gates.panels.rules import MAX_NAME, MAX_REASON, MAX_RUBRIC, MOST_RATERS
from gates.panels.selectors import Progress, Tally
from gates.panels.texts import ItemTexts, texts_of
from gates.statistics.reliability import Reliability
from relcontrol.api.inputs import Input, Text, Truth, Whole


class Number(serializers.FloatField):
    """A JSON number: no strings, no booleans."""

    def to_internal_value(self, data: Any) -> float:
        """The number, or an error for any other type."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class PanelInput(Input):
    """`POST /v1/panels`: which answers, who grades them, and how."""

    name = Text(max_length=MAX_NAME)
    rubric = Text(max_length=MAX_RUBRIC)
    source = serializers.ChoiceField(Panel.Source.values)  # type: ignore[assignment]  # DRF keeps it beside its own
    suite = Text(max_length=200, required=False)
    run = Text(max_length=200, required=False)
    slices = serializers.ListField(child=Text(max_length=63), required=False, max_length=500)
    count = Whole(required=False, allow_null=True)
    raters = serializers.ListField(child=Text(max_length=254), required=False, max_length=MOST_RATERS)
    raters_per_answer = Whole(required=False, allow_null=True)
    scale = serializers.ListField(child=Number(), min_length=2, max_length=2)
    seed = Whole(required=False, allow_null=True)


class GradeInput(Input):
    """A person's grade of one answer."""

    grade = Number()


class SkipInput(Input):
    """Why a person leaves an answer out."""

    reason = Text(max_length=MAX_REASON)


class CloseInput(Input):
    """Whether the panel is closed although grades are missing."""

    anyway = Truth(required=False)


class UndoInput(Input):
    """Which decision one takes for the newest; another one is then not taken back."""

    task_id = Whole(required=False, allow_null=True)


class CancelPanelInput(Input):
    """Why the panel is given up, if anything is to be said."""

    reason = Text(max_length=MAX_REASON, required=False, allow_blank=True)


class AdjudicateInput(Input):
    """What is decided on one answer: `rater` is a letter, `to` the address of one more rater."""

    decision = serializers.ChoiceField(list(FINDINGS))
    reason = Text(max_length=MAX_REASON)
    rater = Text(max_length=2, required=False)
    to = Text(max_length=254, required=False)


def panel_as_json(panel: Panel, own: Tally | None) -> dict[str, Any]:
    """What everybody may see of a panel, with a rater's own part. Nothing here tells a release or a suite."""
    return {
        "panel_id": panel.pk,
        "name": panel.name,
        "state": panel.state,
        "scale": panel.scale,
        "rubric": panel.rubric,
        "created_at": panel.created_at,
        "closed_at": panel.closed_at,
        "yours": None if own is None else tally_as_json(own),
    }


def managed_as_json(panel: Panel, progress: Progress) -> dict[str, Any]:
    """What its managers see beside that."""
    return {
        "source": panel.source,
        "suite": panel.suite.name if panel.suite else None,
        "run": panel.run_id,
        "raters_per_answer": panel.raters_per_answer,
        "created_by": panel.created_by_label,
        "closed_by": panel.closed_by_label or None,
        "receipt": panel.receipt_hash or None,
        **progress_as_json(progress),
    }


def progress_as_json(progress: Progress) -> dict[str, Any]:
    """How far everybody is."""
    return {
        "answers": progress.answers,
        "complete": progress.complete,
        **tally_as_json(progress.tally),
        "raters": [
            {"rater": each.key, "name": each.label, "imported": each.imported, **tally_as_json(each.tally)}
            for each in progress.raters
        ],
    }


def tally_as_json(tally: Tally) -> dict[str, int]:
    """Counts of grades."""
    return {"rated": tally.rated, "skipped": tally.skipped, "waiting": tally.waiting, "of": tally.of}


def task_as_json(task: PanelTask, texts: ItemTexts | None = None) -> dict[str, Any]:
    """One answer as its rater sees it."""
    seen = texts or texts_of(task.item)
    return {
        "task_id": task.pk,
        "place": task.place,
        "state": task.state,
        "grade": task.grade,
        "reason": task.reason or None,
        "input": seen.input,
        "output": seen.output,
        "reference": seen.reference,
        "gone": seen.gone,
    }


def disagreement_as_json(each: Disagreement, texts: ItemTexts) -> dict[str, Any]:
    """One answer on which grades differ; raters are letters."""
    item = each.item
    return {
        "answer": item.pk,
        "slice": item.slice.slug if item.slice else None,
        "spread": each.spread,
        "input": texts.input,
        "output": texts.output,
        "reference": texts.reference,
        "grades": [
            {
                "rater": voice.letter,
                "state": voice.state,
                "grade": voice.grade,
                "reason": voice.reason or None,
                "set_aside": voice.set_aside,
            }
            for voice in each.voices
        ],
        "waits": each.waits,
        "finding": item.finding or None,
        "finding_reason": item.finding_reason or None,
    }


def agreement_as_json(panel: Panel, found: PanelReliability) -> dict[str, Any]:
    """How far raters agree, as a whole, each with the others, and per slice."""
    return {
        "panel_id": panel.pk,
        **_reliability(found.reliability, found.n),
        "each": [{"rater": one.key, "name": one.label, "n": one.n, "rho": one.rho} for one in found.raters],
        "slices": [
            {"slice": one.slice.slug if one.slice else None, **_reliability(one.reliability, one.n)}
            for one in found.slices
        ],
    }


def _reliability(found: Reliability, n: int) -> dict[str, Any]:
    icc = found.icc
    return {
        "n": n,
        "raters": found.raters,
        "alpha": found.alpha,
        "icc_single": icc.c_single if icc else None,
        "icc_panel": icc.c_panel if icc else None,
        "ceiling": found.ceiling,
    }
