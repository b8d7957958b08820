"""Names of artifacts and models, and written digests (domain.md "Register").

`templates/legal-qa@v14` names an artifact; `hf:org/repo@rev`, `openai:name` and `endpoint:name/model` name a model. A
bare `org/repo@rev` is read as `hf:`. References end in paths and pages, so their alphabet is closed.
"""

import re
from dataclasses import dataclass
from typing import Final

from relcontrol.bundle.errors import BundleError, one_problem

OPEN_WEIGHTS: Final = "open_weights"
CLOSED_API: Final = "closed_api"
MODEL_KINDS: Final = (OPEN_WEIGHTS, CLOSED_API)
MAX_NAME_LENGTH: Final = 200
MAX_VERSION_LENGTH: Final = 64

_SEGMENT = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HUGGING_FACE = re.compile(rf"(?P<name>{_SEGMENT}/{_SEGMENT})@(?P<revision>{_SEGMENT}(?:/{_SEGMENT})*)")
_OPENAI = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_ENDPOINT = re.compile(rf"(?P<name>[a-z0-9][a-z0-9-]*)/(?P<model>{_SEGMENT}(?:[/:@]+{_SEGMENT})*)")
_HEX64 = re.compile(r"[0-9a-f]{64}")
_PREFIX: Final = "sha256:"


@dataclass(frozen=True, slots=True)
class ArtifactRef:
    """A name and a version of an artifact; `str()` gives the reference back."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model: `scheme` is hf, openai or endpoint; `name` is what its server is asked for.

    `revision` belongs to hf, `endpoint` (a name, never an address) to endpoint.
    """

    scheme: str
    name: str
    revision: str | None = None
    endpoint: str | None = None

    def __str__(self) -> str:
        where = f"{self.endpoint}/" if self.endpoint else ""
        at = f"@{self.revision}" if self.revision else ""
        return f"{self.scheme}:{where}{self.name}{at}"


def parse_artifact_ref(text: object, field: str = "ref") -> ArtifactRef:
    """Read `name@version`."""
    if not isinstance(text, str):
        raise one_problem(field, "Must be a string such as templates/legal-qa@v14.", "wrong_type")
    name, at, version = text.partition("@")
    if not at or not _PATH.fullmatch(name) or not _VERSION.fullmatch(version) or ".." in text:
        message = (
            "Write name@version, such as templates/legal-qa@v14: letters, digits, '.', '_', '-', with '/' between the "
            "parts of the name; no part empty or starting with a dot, no '..'."
        )
        raise one_problem(field, message, "bad_ref")
    if len(name) > MAX_NAME_LENGTH or len(version) > MAX_VERSION_LENGTH:
        message = f"The name may have {MAX_NAME_LENGTH} characters and the version {MAX_VERSION_LENGTH}; shorten it."
        raise one_problem(field, message, "bad_ref")
    return ArtifactRef(name, version)


def parse_model_ref(text: object, field: str = "model_ref") -> ModelRef:
    """Read a model reference; a Hugging Face model must be pinned to a revision."""
    if not isinstance(text, str) or not text:
        raise one_problem(field, "Must be a string such as hf:org/repo@rev.", "wrong_type")
    if len(text) > MAX_NAME_LENGTH or ".." in text:
        raise one_problem(field, f"At most {MAX_NAME_LENGTH} characters, and no '..'.", "bad_model_ref")
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "openai":
        return _openai(rest, field)
    if colon and scheme == "endpoint":
        return _endpoint(rest, field)
    return _hugging_face(rest if colon and scheme == "hf" else text, field)


def _openai(rest: str, field: str) -> ModelRef:
    if not _OPENAI.fullmatch(rest):
        raise _bad_model_ref(field)
    return ModelRef("openai", rest)


def _endpoint(rest: str, field: str) -> ModelRef:
    match = _ENDPOINT.fullmatch(rest)
    if not match:
        raise _bad_model_ref(field)
    return ModelRef("endpoint", match["model"], endpoint=match["name"])


def _hugging_face(rest: str, field: str) -> ModelRef:
    match = _HUGGING_FACE.fullmatch(rest)
    if not match:
        raise _bad_model_ref(field)
    return ModelRef("hf", match["name"], revision=match["revision"])


def _bad_model_ref(field: str) -> BundleError:
    message = "Write hf:org/repo@rev (with the revision), openai:name, or endpoint:name/model."
    return one_problem(field, message, "bad_model_ref")


def default_model_kind(model: ModelRef) -> str:
    """What a model is when nobody says: weights that can be attested, or an API that shows none."""
    return OPEN_WEIGHTS if model.scheme == "hf" else CLOSED_API


def parse_hex64(text: object, field: str) -> str:
    """A bare SHA-256, as manifests are addressed; capitals are read as small letters."""
    if isinstance(text, str) and _HEX64.fullmatch(text.lower()):
        return text.lower()
    raise one_problem(field, "Must be a SHA-256: 64 hexadecimal digits.", "bad_digest")


def parse_digest(text: object, field: str) -> str:
    """A digest written `sha256:<hex>`, as artifacts and suites are named."""
    if isinstance(text, str) and text.startswith(_PREFIX) and _HEX64.fullmatch(text.removeprefix(_PREFIX)):
        return text
    raise one_problem(field, "Must be written sha256: and 64 small hexadecimal digits.", "bad_digest")


def parse_weights_sha256(text: object, field: str = "weights_sha256") -> str:
    """The digest of the weights, with or without `sha256:` in front; kept with it."""
    bare = text.removeprefix(_PREFIX) if isinstance(text, str) else text
    return _PREFIX + parse_hex64(bare, field)
