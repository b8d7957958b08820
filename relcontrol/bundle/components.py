"""The components of a release by name: which of them serve, and which only measure (domain.md "Register")."""

from typing import Any, Final

SERVING: Final = (
    "model",
    "prompt_template",
    "preprocessing",
    "routing",
    "generation",
    "guardrail_policy",
    "tool_schemas",
    "features",
    "index",
    "few_shot",
    "serving_image",
)
MEASURING: Final = ("dataset", "judge", "git_commit")
MEASURING_COMPONENTS: Final = ("judge", "git_commit")

TITLES: Final = {
    "model": "model",
    "prompt_template": "prompt template",
    "preprocessing": "preprocessing",
    "routing": "routing",
    "generation": "generation settings",
    "guardrail_policy": "guardrail policy",
    "tool_schemas": "tool schemas",
    "features": "features",
    "index": "index",
    "few_shot": "few-shot set",
    "serving_image": "serving image",
    "dataset": "dataset",
    "judge": "judge",
    "git_commit": "git commit",
}

# The words that domain.md uses for the same things.
_SPOKEN: Final = {"prompt": "prompt_template", "guardrails": "guardrail_policy", "tools": "tool_schemas"}


def component_name(word: object) -> str | None:
    """The serving component that a person means, `None` where there is no such one."""
    if not isinstance(word, str):
        return None
    name = word.strip().lower().replace("-", "_").replace(" ", "_")
    name = _SPOKEN.get(name, name)
    return name if name in SERVING else None


def component_value(manifest: dict[str, Any], component: str) -> Any:
    """What a manifest says of a component; the two features are one."""
    optional = manifest["components"]
    if component == "features":
        return {key: optional[key] for key in ("feature_view", "feature_snapshot")}
    return manifest[component] if component in manifest else optional[component]
