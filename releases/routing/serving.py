"""Which endpoint answers for a model reference, and what its server is asked for (gateway.md "The snapshot").

An endpoint that the reference names, else one that says that it serves the model, else `openai` for OpenAI's models,
else the only one there is. Pure: the endpoints are given in, so that one query answers for all releases.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from relcontrol.accounts.models import Endpoint
from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.refs import ModelRef, parse_model_ref

OPENAI: Final = "openai"
ENDPOINT: Final = "endpoint"


class Served(NamedTuple):
    """The endpoint, and the name of the model in requests to it."""

    endpoint: Endpoint
    model: str


@dataclass(frozen=True, slots=True)
class Unserved:
    """No endpoint answers for the model; the sentence says what an administrator can do."""

    sentence: str


def endpoint_of(endpoints: Iterable[Endpoint], model: str) -> Served | Unserved:
    """What answers for `model`, a reference as manifests write it, among the endpoints of one organization."""
    try:
        ref = parse_model_ref(model)
    except BundleError as error:
        return Unserved(f"{model[:200]} is no model reference: {error.problems[0].message}")
    by_name = {row.name: row for row in sorted(endpoints, key=lambda row: row.name)}
    if ref.scheme == ENDPOINT:
        return _named(by_name, ref)
    row = _that_says_so(by_name.values(), ref)
    if row is None and ref.scheme == OPENAI:
        row = by_name.get(OPENAI)
    if row is None and len(by_name) == 1:
        row = next(iter(by_name.values()))
    return Served(row, ref.name) if row is not None else _unserved(by_name, ref)


def endpoint_still(endpoints: Iterable[Endpoint], model: str) -> Served | Unserved:
    """The same for a release that serves already: a second endpoint must not take away what answered for it.

    While there was one endpoint only, it answered for every model. It is the oldest one, and does so for as long as it
    lists no models; a new rollout asks `endpoint_of`, which does not guess.
    """
    rows = sorted(endpoints, key=lambda row: row.pk)
    answer = endpoint_of(rows, model)
    if isinstance(answer, Served) or not rows or rows[0].serves or model.startswith(f"{ENDPOINT}:"):
        return answer
    return Served(rows[0], parse_model_ref(model).name)


def without_revision(ref: ModelRef) -> str:
    """The reference as an endpoint may list it that serves one revision after the other: `hf:org/repo`."""
    return str(ref).partition("@")[0] if ref.revision else str(ref)


def _named(by_name: dict[str, Endpoint], ref: ModelRef) -> Served | Unserved:
    row = by_name.get(ref.endpoint or "")
    if row is not None:
        return Served(row, ref.name)
    return Unserved(f"There is no endpoint {ref.endpoint}, which {ref} names. Make it on the page Endpoints.")


def _that_says_so(rows: Iterable[Endpoint], ref: ModelRef) -> Endpoint | None:
    """The first by name that lists exactly this revision, else the first that lists the model."""
    listed = list(rows)
    for wanted in (str(ref), without_revision(ref)):
        for row in listed:
            if wanted in row.serves:
                return row
    return None


def _unserved(by_name: dict[str, Endpoint], ref: ModelRef) -> Unserved:
    if not by_name:
        return Unserved(f"No endpoint serves {ref}: there is none yet. Make one on the page Endpoints.")
    return Unserved(
        f"No endpoint says that it serves {ref}. Add {without_revision(ref)} to the models of one of: "
        f"{', '.join(list(by_name)[:10])}."
    )
