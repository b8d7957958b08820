"""The body that a release makes of a client's (gateway.md "A request", step 5).

The manifest's settings win, except those that the application lets its clients choose (`client_settings`); which of
them a client did choose is recorded. A stream is always asked for its usage, so that tokens are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.bundle.errors import BundleError
from relcontrol.bundle.generation import LIMITS
from relcontrol.bundle.rendering import render_request
from releases.gateway.control.snapshot import ApplicationEntry, ReleaseEntry
from releases.gateway.errors import of_bundle

# One setting under two names: allowing the first allows the second.
_SPELLINGS: Final = {"max_tokens": LIMITS, "tools": ("tools", "functions")}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes upstream, and the settings in which the client's own word stood."""

    body: dict[str, Any]
    client_settings: dict[str, Any]


def rendered(release: ReleaseEntry, application: ApplicationEntry, body: Mapping[str, Any]) -> Rendered:
    """The upstream body of a chat request; 400 with the place of what cannot be rendered."""
    chosen = _chosen(application, body)
    outvoted = {spelling for name in chosen for spelling in _SPELLINGS.get(name, (name,))}
    try:
        upstream = render_request(
            prompt_template=release.prompt_template,
            few_shot=release.few_shot,
            generation={name: value for name, value in release.generation.items() if name not in outvoted},
            tools=None if "tools" in chosen else release.tools,
            model_name=body["model"] if "model" in chosen else release.model,
            client_body=body,
            preprocessing_steps=release.preprocessing_steps,
        )
    except BundleError as error:
        raise of_bundle(error) from None
    if not upstream.get("store"):
        upstream.pop("metadata", None)  # it was for us; OpenAI refuses it without `store`
    if upstream.get("stream"):
        options = upstream.get("stream_options")
        upstream["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
    else:
        upstream.pop("stream_options", None)
    return Rendered(upstream, chosen)


def usage_asked(body: Mapping[str, Any]) -> bool:
    """Whether the client itself wants the usage at the end of its stream."""
    options = body.get("stream_options")
    return isinstance(options, Mapping) and options.get("include_usage") is True


def _chosen(application: ApplicationEntry, body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that this client chose and was allowed to choose, under the manifest's names."""
    found: dict[str, Any] = {}
    for name in application.client_settings:
        for spelling in _SPELLINGS.get(name, (name,)):
            if body.get(spelling) is not None:
                found[name] = body[spelling]
    return found
