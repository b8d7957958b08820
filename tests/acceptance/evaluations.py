"""The stories of #4 to #6 where relcontrol itself asks for the answers and for their scores.

The releases' model answers each case as well or badly as the story has it, and says how well; the judge, a model too,
gives that as the score; experts grade those very answers after a first run. The second run asks for nothing again.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from relcontrol.rehearsal.at_gate import Failure
from relcontrol.rehearsal.samples import Graded
from relcontrol.rehearsal.setting_up import results_of, slices_and_suite, state_of
from relcontrol.rehearsal.stories import Story
from releases.models import Release
from tests.acceptance.moved import world_of
from tests.gates.runs.stage import Row
from tests.releases.evaluating.servers import Body, ModelServer, model_server
from tests.releases.evaluating.stage import JUDGE, Evaluated, equipped, judge_fields, read, verdict

AT_ONCE = 16


@contextmanager
def model_of(story: Story) -> Iterator[ModelServer]:
    """A server that answers as the story's second release does, and judges."""

    def rule(body: Body) -> str:
        if body["model"] == "grader":
            return verdict(body)
        number, slug, _ = read(body)
        return said(slug, number, story.after[slug].scores[number])

    with model_server(rule) as server:
        yield server


def said(slug: str, number: int, quality: float) -> str:
    """An answer to a case."""
    return f"On {slug}-{number:04}: quality={quality!r}"


def evaluated_failure(story: Story) -> Failure:
    """The release before was sent with its results; the one that fails is evaluated, graded and judged by that."""
    with model_of(story) as server:
        world = world_of(story.organization)
        slices_and_suite(world, story.slices, story.cases())
        here = equipped(world.stage, server, judge_fields())
        first = _sent(here, here.register(), story)
        release = here.register()
        document = _judged(here, release, story.after)
        return Failure(world, state_of(world, {"release_id": release.pk}), first, document)


def _sent(here: Evaluated, release: Release, story: Story) -> Row:
    parts = story.before.items()
    texts = [said(slug, number, score) for slug, part in parts for number, score in enumerate(part.scores)]
    sent = [row | {"output": text} for row, text in zip(results_of(story.before, "r1"), texts, strict=True)]
    return here.stage.judged(release, sent, judge=JUDGE)


def _judged(here: Evaluated, release: Release, parts: Mapping[str, Graded]) -> Row:
    ungraded = here.evaluated(release, judge=JUDGE, concurrency=AT_ONCE)
    assert ungraded["state"] == "done", ungraded["problem"]
    here.grade(ungraded, {slug: part.grades for slug, part in parts.items()})
    asked = len(here.server.asked)
    document = here.evaluated(release, judge=JUDGE, concurrency=AT_ONCE)
    assert len(here.server.asked) == asked
    assert document["state"] == "done", document["problem"]
    return document
