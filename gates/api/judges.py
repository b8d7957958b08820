"""REST: judges to read and to make."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gates.api.shapes import JUDGES, ONE_JUDGE
from gates.judge_making import create_judge
from gates.judges import children_of, judge_named, judges_of, scale_of
from gates.models import Judge
from relcontrol.accounts.permissions import VIEW, WRITE_GATES, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Structure, Text
from relcontrol.api.pages import PAGED, listed

MAKING = (
    "The name says of which kind the judge is. `rules:` takes `rules`, and what they leave out is as in the default "
    "ones; `llm:` takes `endpoint`, `model`, `prompt` (with the slots {{ input }}, {{ answer }} and, with a reference, "
    "{{ reference }}), `draws`, `aggregation`, `scale`, `reference` and `parameters`; `composition:` takes `children`, "
    "names of judges of rules that veto and of one that is a model; `external:` takes `scale`. "
    "200 where there is this very judge already; 409 where its name means another one."
)


class PromptInput(Input):
    """What a judge that is a model is told; slots stand in the user's part."""

    system = Text(max_length=50_000, required=False, allow_blank=True)
    user = Text(max_length=50_000)


class JudgeInput(Input):
    """`POST /v1/judges`; which of these a judge takes, the service knows by its kind."""

    name = Text(max_length=200)
    rules = Structure(required=False)
    endpoint = Text(max_length=200, required=False)
    model = Text(max_length=200, required=False)
    prompt = PromptInput(required=False)
    draws = serializers.JSONField(required=False)
    aggregation = Text(max_length=20, required=False)
    scale = serializers.JSONField(required=False)
    reference = serializers.JSONField(required=False)
    parameters = Structure(required=False)
    children = serializers.JSONField(required=False)


@extend_schema_view(
    get=extend_schema(summary="Judges, newest first", parameters=PAGED, responses=JUDGES),
    post=extend_schema(
        summary="Make a judge",
        description=MAKING,
        request=JudgeInput,
        responses={200: ONE_JUDGE, 201: ONE_JUDGE},
    ),
)
class Judges(CommandCall):
    """Judges of this organization."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW, "POST": WRITE_GATES}

    def get(self, request: Request) -> Response:
        """A page."""
        return Response(listed(request, judges_of(self.actor.organization), judge_as_json))

    def command(self, request: Request, **kwargs: str) -> Response:
        """Make one."""
        fields = self.read(JudgeInput)
        judge, new = create_judge(actor=self.actor, name=fields.pop("name"), fields=fields)
        return Response(whole_judge_as_json(judge), 201 if new else 200)


@extend_schema_view(get=extend_schema(summary="One judge, by id or name", responses=ONE_JUDGE))
class OneJudge(Call):
    """A judge."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, judge: str) -> Response:
        """What makes it, with its prompt, or the judges that it is composed of."""
        return Response(whole_judge_as_json(judge_named(self.actor.organization, judge)))


def judge_as_json(judge: Judge) -> dict[str, Any]:
    """A judge."""
    return {
        "judge_id": judge.pk,
        "name": judge.name,
        "kind": judge.definition["kind"],
        "scale": list(scale_of(judge)),
        "sha256": judge.sha256,
        "definition": judge.definition,
        "created_by": judge.created_by_label,
        "created_at": judge.created_at,
    }


def whole_judge_as_json(judge: Judge) -> dict[str, Any]:
    """A judge with the texts and the judges that its definition has by digest."""
    prompt = judge.prompt and {"system": judge.prompt["system"], "user": judge.prompt["user"]}
    return judge_as_json(judge) | {"prompt": prompt, "children": [child.name for child in children_of(judge)]}
