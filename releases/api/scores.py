"""REST: the pairs of a rollout, and their scores by a judge that works elsewhere."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.chain import timestamp
from relcontrol.accounts.actors import Actor
from relcontrol.accounts.permissions import READ_AUDIT, VIEW, WRITE_GATES, Allowed, Permission
from relcontrol.api.calls import Call, CommandCall
from relcontrol.api.inputs import Input, Text
from relcontrol.api.pages import PAGED, listed
from relcontrol.errors import invalid
from releases.api.shapes import JSON, TEXT, a_list
from releases.replays.external_scores import MOST, take_scores
from releases.replays.selectors import opened_pairs, pairs_of
from releases.rolling.selectors import rollout_named
from releases.rollout_models import ReplayPair

STATES: Final = ReplayPair.State.values
IN_CLEAR: Final = ("messages", "candidate", "stable")
PAIR: Final = inline_serializer(
    "ReplayPair",
    {
        "pair_id": TEXT(),
        "checkpoint": serializers.IntegerField(),
        "slice": TEXT(),
        "state": serializers.ChoiceField(STATES),
        "request_id": TEXT(),
        "served": serializers.ChoiceField(["candidate", "stable"], help_text="Which of them answered in life."),
        "candidate_score": serializers.FloatField(allow_null=True),
        "stable_score": serializers.FloatField(allow_null=True),
        "source": TEXT(help_text="The judge that scored both."),
        "problem": TEXT(),
        "findings": a_list(JSON()),
        "messages": JSON(allow_null=True, help_text="The prompt; null without audit:read or gates:write."),
        "candidate": JSON(allow_null=True, help_text="The candidate's answer; null like messages."),
        "stable": JSON(allow_null=True, help_text="The stable release's answer; null like messages."),
        "created_at": serializers.DateTimeField(),
        "scored_at": serializers.DateTimeField(allow_null=True),
    },
)
PAGE: Final = inline_serializer("ReplayPairPage", {"results": a_list(PAIR), "next": TEXT(allow_null=True)})


class Score(serializers.FloatField):
    """A JSON number; a text or a boolean is none."""

    def to_internal_value(self, data: Any) -> float:
        """The number, or an error for any other type."""
        if not isinstance(data, (int, float)) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class ScoreInput(Input):
    """Both scores of one pair, on the judge's scale."""

    pair_id = Text(max_length=40)
    candidate = Score()
    stable = Score()


class ScoresInput(Input):
    """`POST /v1/rollouts/{id}/scores`."""

    scores = serializers.ListField(child=ScoreInput(), min_length=1, max_length=MOST)


@extend_schema_view(
    get=extend_schema(
        summary="Prompts that both releases answered, newest first",
        description="Prompts and answers are in clear for those with audit:read or gates:write.",
        parameters=[OpenApiParameter("state", str, enum=STATES), OpenApiParameter("slice", str), *PAGED],
        responses=PAGE,
    )
)
class Pairs(Call):
    """The pairs of one rollout."""

    permissions: ClassVar[Mapping[str, Permission]] = {"GET": VIEW}

    def get(self, request: Request, rollout: str) -> Response:
        """A page."""
        row = rollout_named(self.actor.organization, rollout)
        state = request.query_params.get("state", "")
        if state and state not in STATES:
            raise invalid("state", f"Use one of {', '.join(STATES)}.")
        rows = pairs_of(row, state=state, slug=request.query_params.get("slice", ""))
        page = listed(request, rows, lambda pair: pair)
        said = self._said(page["results"])
        results = [pair_as_json(pair) | words for pair, words in zip(page["results"], said, strict=True)]
        return Response({"results": results, "next": page["next"]})

    def _said(self, pairs: list[ReplayPair]) -> list[dict[str, Any]]:
        """What people and models said, which is personal data: for those who may read it."""
        if not may_read_answers(self.actor):
            return [dict.fromkeys(IN_CLEAR)] * len(pairs)
        return opened_pairs(self.actor.organization, pairs)


@extend_schema_view(
    post=extend_schema(
        summary="Score pairs by a slice's external judge",
        description="All or none. The scores take the place of the rules' scores; where a rule vetoed, its 0 stands.",
        request=ScoresInput,
        responses={200: inline_serializer("ScoresTaken", {"taken": serializers.IntegerField()})},
    )
)
class Scores(CommandCall):
    """Scores from elsewhere."""

    permissions: ClassVar[Mapping[str, Permission]] = {"POST": WRITE_GATES}

    def command(self, request: Request, **kwargs: str) -> Response:
        """Take them; `taken` are those that are new."""
        row = rollout_named(self.actor.organization, kwargs["rollout"])
        scores = self.read(ScoresInput)["scores"]
        return Response({"taken": take_scores(actor=self.actor, rollout_id=row.pk, scores=scores)})


def may_read_answers(actor: Actor) -> bool:
    """Whether prompts and answers are shown to this actor."""
    return any(isinstance(actor.may(permission), Allowed) for permission in (READ_AUDIT, WRITE_GATES))


def pair_as_json(pair: ReplayPair) -> dict[str, Any]:
    """A pair without what people and models said."""
    return {
        "pair_id": pair.pk,
        "checkpoint": pair.checkpoint,
        "slice": pair.slice,
        "state": pair.state,
        "request_id": pair.request_id,
        "served": pair.served,
        "candidate_score": pair.candidate_score,
        "stable_score": pair.stable_score,
        "source": pair.source,
        "problem": pair.problem,
        "findings": pair.findings,
        "created_at": timestamp(pair.created_at),
        "scored_at": timestamp(pair.scored_at) if pair.scored_at else None,
    }
