"""The alias table: under which names the conventions say the same thing (gateway.md "Traces"). Pure.

OpenTelemetry GenAI as it is and as it was, OpenInference, OpenLLMetry where it differs, and relcontrol's own. The
first name that has a value wins.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

Names = tuple[str, ...]

ALIASES: Final[Mapping[str, Names]] = {
    "release": ("relcontrol.release",),
    "service_version": ("service.version",),
    "variant": ("feature_flag.result.variant",),
    "route": ("relcontrol.route",),
    "rollout": ("relcontrol.rollout",),
    "arm": ("relcontrol.arm",),
    "generation": ("relcontrol.generation",),
    "fingerprint": ("relcontrol.fingerprint",),
    "subject": ("relcontrol.subject", "gen_ai.conversation.id", "session.id", "enduser.id", "user.id"),
    "request_id": ("relcontrol.request_id", "gen_ai.response.id"),
    "replica": ("service.instance.id",),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "request_model": ("gen_ai.request.model", "llm.request.model"),
    "model": ("gen_ai.response.model", "llm.response.model", "llm.model_name", "embedding.model_name"),
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
    ),
    "first_chunk_seconds": ("gen_ai.response.time_to_first_chunk", "gen_ai.server.time_to_first_token"),
    "error": ("error.type",),
    "status": ("http.response.status_code", "http.status_code"),
    "system": ("gen_ai.system_instructions",),
    "input": ("gen_ai.input.messages",),
    "input_text": ("gen_ai.prompt", "input.value"),
    "output": ("gen_ai.output.messages",),
    "output_text": ("gen_ai.completion", "output.value"),
    "finish_reasons": ("gen_ai.response.finish_reasons", "llm.finish_reason"),
    "invocation": ("llm.invocation_parameters",),
    "metadata": ("metadata",),
}
PLACES: Final[Mapping[str, tuple[str, int]]] = {
    alias: (field, rank) for field, names in ALIASES.items() for rank, alias in enumerate(names)
}
INPUT_INDEXED: Final[Names] = ("llm.input_messages.", "gen_ai.prompt.")
OUTPUT_INDEXED: Final[Names] = ("llm.output_messages.", "gen_ai.completion.")
METADATA_PREFIX: Final = "relcontrol.metadata."
FIRST_CHUNK_EVENTS: Final = frozenset(
    {
        "gen_ai.first_token",
        "First Token Stream Event",
        "gen_ai.content.completion.chunk",
        "llm.content.completion.chunk",
    }
)
SETTINGS: Final[Mapping[str, str]] = {
    "gen_ai.request.temperature": "temperature",
    "gen_ai.request.top_p": "top_p",
    "gen_ai.request.top_k": "top_k",
    "gen_ai.request.max_tokens": "max_tokens",
    "gen_ai.request.frequency_penalty": "frequency_penalty",
    "gen_ai.request.presence_penalty": "presence_penalty",
    "gen_ai.request.seed": "seed",
    "gen_ai.request.stop_sequences": "stop",
    "gen_ai.request.choice.count": "n",
}

OPERATION: Final = "gen_ai.operation.name"
CALLS: Final = frozenset({"chat", "text_completion", "generate_content", "embeddings"})
# Where no operation is named: the convention's own kind of span, and which of its kinds are calls of a model.
KINDS: Final[Mapping[str, frozenset[str]]] = {
    "openinference.span.kind": frozenset({"LLM", "EMBEDDING"}),
    "llm.request.type": frozenset({"chat", "completion", "embedding"}),
    "traceloop.span.kind": frozenset(),
}
NUMBERS: Final = (int, float)  # written out, the union would be made anew at every call
MODEL_NAMES: Final = frozenset({"gen_ai.request.model", "gen_ai.response.model"})


def told(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The values by field of the table, strongest name first; what is absent or an empty text is not there."""
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    for name, value in attributes.items():
        place = PLACES.get(name)
        if place is None or value is None or value == "":
            continue
        field, rank = place
        if rank <= ranks.get(field, rank):
            found[field], ranks[field] = value, rank
    return found


def text(value: Any) -> str | None:
    """A value as a text: some exporters send numbers where names are meant."""
    return value if value is None or isinstance(value, str) else str(value)


def number(value: Any) -> int | float | None:
    """A number, also one that was sent as a text; None for everything else."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdecimal():
        return int(value)
    return value if isinstance(value, NUMBERS) and not isinstance(value, bool) else None


def is_call(attributes: Mapping[str, Any]) -> bool:
    """Whether the span is one call of a model, not an agent, a tool or a chain around such calls."""
    operation = attributes.get(OPERATION)
    if operation is not None:
        return isinstance(operation, str) and operation in CALLS
    for name, calls in KINDS.items():
        kind = attributes.get(name)
        if kind is not None:
            return isinstance(kind, str) and kind in calls
    return not MODEL_NAMES.isdisjoint(attributes) or any(name.startswith("llm.") for name in attributes)


def indexed(attributes: Mapping[str, Any], prefixes: Iterable[str]) -> list[Any]:
    """What is spread over `PREFIX0.name`, `PREFIX1.name.0.other` as a list of objects, of the first prefix in use."""
    for prefix in prefixes:
        tree: dict[str, Any] = {}
        for name, value in attributes.items():
            if name.startswith(prefix):
                _plant(tree, name[len(prefix) :].split(".", 8), value)
        if tree:
            grown = _grown(tree)
            return grown if isinstance(grown, list) else [grown]
    return []


def _plant(tree: dict[str, Any], path: list[str], value: Any) -> None:
    for step in path[:-1]:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            return  # a value and a branch under one name: the value was first
        tree = below
    tree.setdefault(path[-1], value)


def _grown(tree: Any) -> Any:
    """Branches whose names are all numbers become lists, in the order of the numbers."""
    if not isinstance(tree, dict):
        return tree
    if all(name.isascii() and name.isdecimal() and len(name) <= 6 for name in tree):
        return [_grown(tree[name]) for name in sorted(tree, key=int)]
    return {name: _grown(value) for name, value in tree.items()}
