"""The demo's releases: three that were gated as the story tells, and five that are ready to be rolled out.

Every release changes one thing. What the five would do in life stands in the names of their models (demo_models): one
is well, and each of the others fails in a way that no gate on its results could see.
"""

from typing import Any, Final

from relcontrol.accounts.actors import Actor
from releases.artifacts import create_artifact
from releases.models import Release
from releases.registry.order import Order
from releases.registry.registration import register

APPLICATION: Final = "legal-assistant"
ROUTING: Final = {"domain": "legal"}
SUITE: Final = "scored-qa-legal-v1"
ENDPOINT: Final = "main-llm"
PREPROCESSING: Final = "preprocessing/tidy@v1"
PROMPT: Final = "templates/legal-qa"
LONGEST_ANSWER: Final = 4_000  # tokens: more than the 2,400 above which one of the models fails

SYSTEM: Final = """You help the lawyers of Northgate Legal with questions about the law.

Answer the question first, in one sentence. Then give the reasons, with the statute or the clause for each.
Where the law differs between jurisdictions, say which one you answer for.
{caution}
Never invent a citation. If you do not know, say so."""
CAUTION: Final = {
    "v13": "If the question leaves out a fact that decides it, ask for that fact.",
    "v14": "If the question leaves out a fact that decides it, name the fact and answer for both cases.",
    "v15": "Be brief: a lawyer reads this between two calls.",
    "v16": "If the question leaves out a fact that decides it, answer for both cases, the likelier one first.",
}
STORY: Final = ("v13", "v14", "v15")
HEALTHY: Final = "demo-healthy"
# Prompt and model of what is ready to be rolled out after the release that passed.
READY: Final = (
    ("v16", HEALTHY),
    ("v14", "demo-failing-long"),
    ("v14", "demo-broken-streams"),
    ("v14", "demo-hedging"),
    ("v14", "demo-slow"),
)


def make_artifacts(actor: Actor) -> None:
    """Preprocessing and prompts."""
    steps = [{"op": "unicode_nfc"}, {"op": "strip"}, {"op": "collapse_whitespace"}]
    create_artifact(actor=actor, ref=PREPROCESSING, value={"kind": "preprocessing", "steps": steps})
    for version, caution in CAUTION.items():
        value = {"kind": "prompt_template", "system": SYSTEM.format(caution=caution), "user": "{{ input }}"}
        create_artifact(actor=actor, ref=f"{PROMPT}@{version}", value=value)


def make_story(actor: Actor) -> list[Release]:
    """A cold start and two new prompts, one after the other."""
    made: list[Release] = []
    for version in STORY:
        made.append(_registered(actor, version, HEALTHY, made[-1] if made else None))
    return made


def make_ready(actor: Actor, passed: Release) -> list[Release]:
    """What can follow the release that passed: another prompt, or another model."""
    return [_registered(actor, version, model, passed) for version, model in READY]


def _registered(actor: Actor, version: str, model: str, previous: Release | None) -> Release:
    parts: dict[str, Any] = {
        "application": APPLICATION,
        "model_ref": f"endpoint:{ENDPOINT}/{model}",
        "routing": ROUTING,
        "dataset_version": SUITE,
        "preprocessing_ref": PREPROCESSING,
        "generation": {"temperature": "0.2", "max_tokens": LONGEST_ANSWER},
    }
    order = Order(
        **parts, prompt_template_ref=f"{PROMPT}@{version}", previous_release=previous.pk if previous else None
    )
    return register(actor=actor, order=order).release
