"""The language of a request and whether it is within another: `fr-BE` is within `fr` (RFC 4647, basic filtering).

Pure. A trace says its language in metadata: `locale`, else the language that `accept-language` prefers (RFC 9110).
"""

import re
from collections.abc import Mapping
from typing import Final

_QUALITY: Final = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)
_ACCEPTED: Final = ("accept-language", "accept_language", "Accept-Language")


def locale_of(metadata: Mapping[str, object]) -> str:
    """The language tag in small letters with hyphens, as case does not matter; "" where a trace says none."""
    said = metadata.get("locale")
    if not isinstance(said, str) or not said.strip():
        said = _preferred(next((text for name in _ACCEPTED if isinstance(text := metadata.get(name), str)), ""))
    return said.strip().lower().replace("_", "-")


def is_within(tag: str, wanted: str) -> bool:
    """Whether a tag, as `locale_of` writes it, is the wanted one or a finer one."""
    return tag.startswith(wanted) and tag[len(wanted) : len(wanted) + 1] in {"", "-"}


def _preferred(header: str) -> str:
    best, tag = 0.0, ""
    for part in header.split(","):
        name, _, weight = part.partition(";")
        given = _QUALITY.fullmatch(weight.replace(" ", ""))
        quality = 1.0 if not weight.strip() else float(given[1]) if given else 0.0
        if quality > best and name.strip() not in {"", "*"}:
            best, tag = quality, name.strip()
    return tag
