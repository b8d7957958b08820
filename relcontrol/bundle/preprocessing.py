"""The preprocessing language (domain.md): a list of steps from a closed vocabulary, run the same way everywhere.

`strip`, `collapse_whitespace`, `lowercase`, `unicode_nfc`, `truncate {max_chars}`, `redact {pattern, with}` and
`external {image_digest, fingerprint}`, each with an optional `field` (default `input`). An external step is done by
the customer's own stack before the text arrives here, so running it changes nothing. The fingerprint of a
preprocessing is the digest of its artifact, `{"kind": "preprocessing", "steps": [...]}`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from relcontrol.bundle.canonical import sha256_ref
from relcontrol.bundle.errors import item, under
from relcontrol.bundle.patterns.linear_pattern import compile_pattern
from relcontrol.bundle.reading import Reader
from relcontrol.bundle.refs import parse_digest

DEFAULT_FIELD: Final = "input"
MAX_STEPS: Final = 50
MAX_CHARS: Final = 10_000_000
MAX_TEXT: Final = 500

_WHITESPACE = re.compile(r"\s+")
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "strip": (),
    "collapse_whitespace": (),
    "lowercase": (),
    "unicode_nfc": (),
    "truncate": ("max_chars",),
    "redact": ("pattern", "with"),
    "external": ("image_digest", "fingerprint"),
}


def normalise_steps(value: object, field: str = "steps") -> list[dict[str, Any]]:
    """The steps as they are hashed: known fields only, and no `field` where it is the default."""
    reader = Reader()
    entries = reader.items(value, field, at_most=MAX_STEPS)
    steps = [_normal_step(entry, item(field, index), reader) for index, entry in enumerate(entries)]
    reader.close()
    return steps


def preprocessing_fingerprint(steps: Sequence[Mapping[str, Any]]) -> str:
    """What names a preprocessing in manifests, evaluations and gateways; `steps` are normalised."""
    return sha256_ref({"kind": "preprocessing", "steps": list(steps)})


def apply(steps: Sequence[Mapping[str, Any]], fields: Mapping[str, str]) -> dict[str, str]:
    """A copy of `fields` after all steps in order; a step whose field is not among them does nothing."""
    result = dict(fields)
    for step in steps:
        name = step.get("field", DEFAULT_FIELD)
        if name in result:
            result[name] = _ACTIONS[step["op"]](result[name], step)
    return result


def _normal_step(value: object, path: str, reader: Reader) -> dict[str, Any]:
    op = reader.choice(reader.mapping(value, path).get("op"), under(path, "op"), _OPTIONS)
    if not op:
        return {}
    entries = reader.closed(value, path, ("op", "field", *_OPTIONS[op]))
    step: dict[str, Any] = {"op": op}
    for key in _OPTIONS[op]:
        step[key] = _OPTION_READERS[key](entries.get(key), under(path, key), reader)
    target = entries.get("field", DEFAULT_FIELD)
    if not isinstance(target, str) or not _FIELD_NAME.fullmatch(target):
        reader.refuse(under(path, "field"), "Must be a slot's name: letters, digits and '_'.", "bad_name")
    elif target != DEFAULT_FIELD:
        step["field"] = target
    return step


def _pattern(value: object, field: str, reader: Reader) -> str:
    pattern = reader.text(value, field, at_most=MAX_TEXT)
    if pattern:
        reader.attempt(compile_pattern, pattern, field, None)
    return pattern


_OPTION_READERS: Final[dict[str, Callable[[object, str, Reader], Any]]] = {
    "max_chars": lambda value, field, reader: reader.integer(value, field, low=1, high=MAX_CHARS),
    "pattern": _pattern,
    "with": lambda value, field, reader: reader.text(value, field, at_most=MAX_TEXT, empty=True),
    "image_digest": lambda value, field, reader: reader.attempt(parse_digest, value, field, ""),
    "fingerprint": lambda value, field, reader: reader.text(value, field, at_most=MAX_TEXT),
}

_ACTIONS: Final[dict[str, Callable[[str, Mapping[str, Any]], str]]] = {
    "strip": lambda text, _: text.strip(),
    "collapse_whitespace": lambda text, _: _WHITESPACE.sub(" ", text),
    "lowercase": lambda text, _: text.lower(),
    "unicode_nfc": lambda text, _: unicodedata.normalize("NFC", text),
    "truncate": lambda text, step: text[: step["max_chars"]],
    "redact": lambda text, step: compile_pattern(step["pattern"]).replace(text, step["with"]),
    "external": lambda text, _: text,
}
