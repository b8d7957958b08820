"""REST: panels. A rater sees her own answers and nothing else; whoever manages sees no grade before the end."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from gates.api import panel_answers as answers
from gates.api.panel_shapes import (
    AdjudicateInput,
    CancelPanelInput,
    CloseInput,
    GradeInput,
    PanelInput,
    SkipInput,
    UndoInput,
    agreement_as_json,
    disagreement_as_json,
    managed_as_json,
    panel_as_json,
    progress_as_json,
    tally_as_json,
    task_as_json,
)
from gates.api.suites import uploaded
from gates.panel_models import Panel, PanelTask
from gates.panels.access import may_manage
from gates.panels.agreement import reliability
from gates.panels.closing import cancel_panel, close_panel
from gates.panels.disagreements import adjudicate, disagreements
from gates.panels.importing import import_grades
from gates.panels.making import create_panel
from gates.panels.rating import rate, skip, undo
from gates.panels.selectors import (
    Tally,
    item_named,
    own_tallies,
    own_tally,
    panel_named,
    panels_of,
    progress,
    task_named,
    tasks_of,
)
from gates.panels.texts import texts_of_many
from gates.runs.selectors import run_named
from gates.suite_files.rows import format_of
from gates.suites import suite_named
from relcontrol.accounts.permissions import RATE_ANSWERS, VIEW, WRITE_GATES, Allowed, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input
from relcontrol.api.pages import PAGED, cursor_of, key_of, limit_of, listed
from relcontrol.errors import Malformed, NotFound, invalid

STATE = OpenApiParameter("state", str, enum=PanelTask.State.values, description="Only answers that stand so.")
MOST_COMPARED = 200


class OfPanel(Call):
    """A call about one panel."""

    def panel(self) -> Panel:
        """The panel that the path names."""
        return panel_named(self.actor.organization, self.kwargs["panel"])

    def seen(self, panel: Panel) -> dict[str, Any]:
        """The panel as this actor may see it."""
        person = self.actor.person
        own = own_tally(panel, person) if person else Tally()
        shown = panel_as_json(panel, own if own.of else None)
        if isinstance(may_manage(self.actor, panel), Allowed):
            shown |= managed_as_json(panel, progress(actor=self.actor, panel=panel))
        return shown


class PanelCommand(OfPanel, CommandCall):
    """A call that changes a panel."""

    def read_if_any(self, shape: type[Input]) -> dict[str, Any]:
        """The body of a call that can go without one."""
        return self.read(shape) if self.request._request.body else {}


@extend_schema_view(
    get=extend_schema(summary="Panels, newest first", parameters=PAGED, responses=answers.PANEL_PAGE),
    post=extend_schema(summary="Start a panel", request=PanelInput, responses={201: answers.PANEL}),
)
class Panels(PanelCommand):
    """Panels of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_GATES}

    def get(self, request: Request) -> Response:
        """A page, with one's own part of each."""
        page = listed(request, panels_of(self.actor.organization), lambda panel: panel)
        person = self.actor.person
        own = own_tallies(page["results"], person) if person else {}
        return Response(page | {"results": [panel_as_json(panel, own.get(panel.pk)) for panel in page["results"]]})

    def command(self, request: Request, **kwargs: str) -> Response:
        """Start one."""
        body = self.read(PanelInput)
        organization = self.actor.organization
        for name, find in (("suite", suite_named), ("run", run_named)):
            if name in body:
                try:
                    body[name] = find(organization, body[name])
                except NotFound as error:
                    raise invalid(name, error.detail) from error
        return Response(self.seen(create_panel(actor=self.actor, **body)), 201)


@extend_schema_view(get=extend_schema(summary="One panel, as far as one may see it", responses=answers.PANEL))
class OnePanel(OfPanel):
    """A panel."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, panel: str) -> Response:
        """What it asks, one's own part, and for those who manage it how far everybody is."""
        return Response(self.seen(self.panel()))


@extend_schema_view(
    get=extend_schema(
        summary="The answers that one is asked to grade, in one's own order",
        parameters=[*PAGED, STATE],
        responses=answers.TASKS,
    )
)
class Tasks(OfPanel):
    """One's own part of a panel."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": RATE_ANSWERS}

    def get(self, request: Request, panel: str) -> Response:
        """A page with the texts; empty for those who grade nothing here."""
        found, person = self.panel(), self.actor.person
        rows = tasks_of(found, person) if person else PanelTask.objects.none()
        if state := request.query_params.get("state"):
            if state not in PanelTask.State.values:
                raise Malformed(f"state must be one of {', '.join(PanelTask.State.values)}.")
            rows = rows.filter(state=state)
        if cursor := request.query_params.get("cursor"):
            rows = rows.filter(place__gt=_place(cursor))
        limit = limit_of(request)
        page = list(rows[: limit + 1])
        following = cursor_of(page[limit - 1].place) if len(page) > limit else None
        texts = texts_of_many([task.item for task in page[:limit]])
        shown = [task_as_json(task, text) for task, text in zip(page[:limit], texts, strict=True)]
        return Response({"results": shown, "next": following})


class OwnTask(PanelCommand):
    """A rater's decision."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": RATE_ANSWERS}

    def task(self) -> PanelTask:
        """The task that the path names; the service refuses everybody else than its rater."""
        return task_named(self.panel(), self.kwargs["task"])

    def decided(self, task: PanelTask) -> Response:
        """The task as it is now, and how much is left."""
        person = self.actor.person
        own = own_tally(task.panel, person) if person else Tally()
        return Response({"task": task_as_json(task), "yours": tally_as_json(own)})


@extend_schema_view(post=extend_schema(summary="Grade an answer", request=GradeInput, responses=answers.DECIDED))
class Rate(OwnTask):
    """One grade."""

    def command(self, request: Request, **kwargs: str) -> Response:
        """Grade it."""
        task = self.task()
        return self.decided(rate(actor=self.actor, task=task, **self.read(GradeInput)))


@extend_schema_view(post=extend_schema(summary="Leave an answer out", request=SkipInput, responses=answers.DECIDED))
class Skip(OwnTask):
    """One answer that this rater cannot grade."""

    def command(self, request: Request, **kwargs: str) -> Response:
        """Skip it."""
        task = self.task()
        return self.decided(skip(actor=self.actor, task=task, **self.read(SkipInput)))


@extend_schema_view(
    post=extend_schema(summary="Take back one's newest decision", request=UndoInput, responses=answers.DECIDED)
)
class Undo(OwnTask):
    """The answer waits again."""

    def command(self, request: Request, **kwargs: str) -> Response:
        """Take it back."""
        panel = self.panel()
        return self.decided(undo(actor=self.actor, panel=panel, **self.read_if_any(UndoInput)))


@extend_schema_view(get=extend_schema(summary="How far every rater is", responses=answers.PROGRESS))
class PanelProgress(OfPanel):
    """Counts, and no grade."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": WRITE_GATES}

    def get(self, request: Request, panel: str) -> Response:
        """Per rater."""
        found = self.panel()
        return Response(progress_as_json(progress(actor=self.actor, panel=found)))


@extend_schema_view(
    post=extend_schema(
        summary="Bring grades that were given elsewhere",
        description="JSON lines or CSV with case_id, answer_id, rater and grade: all rows or none.",
        parameters=[answers.FORMAT],
        request=answers.UPLOAD,
        responses={200: answers.IMPORTED, 201: answers.IMPORTED},
    )
)
class Import(PanelCommand):
    """Grades of a file."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}
    body_limit: ClassVar[int] = settings.UPLOAD_LIMIT

    def command(self, request: Request, **kwargs: str) -> Response:
        """Add them: 201, or 200 where all were there."""
        panel, upload = self.panel(), uploaded(request)
        named = request.query_params.get("format", "")
        file_format = format_of(named=named, file_name=upload.file_name, content_type=upload.content_type)
        done = import_grades(actor=self.actor, panel=panel, body=upload.body, file_format=file_format)
        answer = {"panel_id": panel.pk, "added": done.added, "known": done.known, "raters": done.raters}
        return Response(answer, 201 if done.added else 200)


@extend_schema_view(
    get=extend_schema(summary="Answers on which grades differ, widest spread first", responses=answers.DISAGREEMENTS)
)
class Disagreements(OfPanel):
    """Grades beside each other, once everybody has decided; who gave them is not said."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": WRITE_GATES}

    def get(self, request: Request, panel: str) -> Response:
        """The widest, and how many there are."""
        found = disagreements(actor=self.actor, panel=self.panel())
        shown = found[:MOST_COMPARED]
        texts = texts_of_many([each.item for each in shown])
        rows = [disagreement_as_json(each, text) for each, text in zip(shown, texts, strict=True)]
        return Response({"results": rows, "of": len(found)})


@extend_schema_view(
    post=extend_schema(summary="Decide on a disagreement", request=AdjudicateInput, responses=answers.ADJUDICATED)
)
class Adjudicate(PanelCommand):
    """Keep the grades of an answer, set one aside, or ask one more rater."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Decide."""
        item = item_named(self.panel(), self.kwargs["answer"])
        item = adjudicate(actor=self.actor, item=item, **self.read(AdjudicateInput))
        return Response({"answer": item.pk, "finding": item.finding, "finding_reason": item.finding_reason})


@extend_schema_view(
    post=extend_schema(
        summary="Close a panel: its grades become ratings of the suite", request=CloseInput, responses=answers.PANEL
    )
)
class Close(PanelCommand):
    """The end."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Close it."""
        panel = self.panel()
        return Response(self.seen(close_panel(actor=self.actor, panel=panel, **self.read_if_any(CloseInput))))


@extend_schema_view(
    post=extend_schema(summary="Give a panel up: no grade counts", request=CancelPanelInput, responses=answers.PANEL)
)
class Cancel(PanelCommand):
    """The other end."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Cancel it."""
        panel = self.panel()
        return Response(self.seen(cancel_panel(actor=self.actor, panel=panel, **self.read_if_any(CancelPanelInput))))


@extend_schema_view(
    get=extend_schema(summary="How far the raters of a closed panel agree", responses=answers.RELIABILITY)
)
class PanelAgreement(OfPanel):
    """Krippendorff's α, intraclass correlation, human ceiling, and each rater against the others."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": WRITE_GATES}

    def get(self, request: Request, panel: str) -> Response:
        """As a whole, each rater, each slice."""
        found = self.panel()
        return Response(agreement_as_json(found, reliability(actor=self.actor, panel=found)))


def _place(cursor: str) -> int:
    text = key_of(cursor)
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise Malformed("This cursor is not one of ours. Take the `next` of the previous page.")
    return int(text)
