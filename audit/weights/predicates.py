"""What an OpenSSF Model Signing v1.0 statement says of weight files: every name, its SHA-256, how they were listed.

Pure. Two digests come from it. `weights_sha256` is over the RFC 8785 bytes of the whole predicate, so it binds names,
contents and the way of listing; it is what a manifest's `model.weights` names. `root_sha256` is the standard's own:
over the files' digests one after the other, so that a renamed file leaves it unchanged as long as the order stays.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from relcontrol.bundle.canonical import problems_of, sha256_hex

SHA256: Final = "sha256"
METHOD: Final = "files"
GIT_PATHS: Final = (".git", ".gitattributes", ".github", ".gitignore")
MOST_FILES: Final = 100_000
LONGEST_PATH: Final = 4_000
DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class WeightsError(ValueError):
    """Weights, a statement about them or an observation that is not as it has to be; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Listing:
    """How files are listed: whether links to files are followed, and which paths are left out with what is below."""

    allow_symlinks: bool = False
    ignore_paths: tuple[str, ...] = GIT_PATHS

    def as_json(self) -> dict[str, Any]:
        """The statement's `serialization`; the standard leaves `ignore_paths` out where there are none."""
        ignored = {"ignore_paths": list(self.ignore_paths)} if self.ignore_paths else {}
        return {"method": METHOD, "hash_type": SHA256, "allow_symlinks": self.allow_symlinks, **ignored}

    def ignores(self, name: str) -> bool:
        """Whether a file or folder of this relative name is left out."""
        return any(name == path or name.startswith(f"{path}/") for path in self.ignore_paths)


@dataclass(frozen=True, slots=True)
class Predicate:
    """Files by name, in the standard's order, and how they were listed."""

    files: Mapping[str, str]
    listing: Listing = Listing()

    def as_json(self) -> dict[str, Any]:
        """The statement's `predicate`."""
        resources = [{"name": name, "algorithm": SHA256, "digest": digest} for name, digest in self.files.items()]
        return {"serialization": self.listing.as_json(), "resources": resources}

    @property
    def weights_sha256(self) -> str:
        """The digest to register: 64 hexadecimal digits."""
        return sha256_hex(self.as_json())

    @property
    def root_sha256(self) -> str:
        """The standard's root digest; it binds contents, not names."""
        return hashlib.sha256(b"".join(map(bytes.fromhex, self.files.values()))).hexdigest()


def order_of(name: str) -> list[str]:
    """What the standard sorts by: the parts of a path, so that `a/b` comes before `a-b`."""
    return name.split("/")


def predicate_of(digests: Mapping[str, str], listing: Listing) -> Predicate:
    """The predicate of files that were hashed, in whatever order."""
    return Predicate({name: digests[name] for name in sorted(digests, key=order_of)}, listing)


def read_predicate(value: Any) -> Predicate:
    """A predicate from JSON, with nothing unknown in it. Raises `WeightsError`."""
    _members(value, "predicate", {"resources", "serialization"})
    listing = _read_listing(value["serialization"])
    resources = value["resources"]
    if not isinstance(resources, list) or not 0 < len(resources) <= MOST_FILES:
        raise WeightsError(f"A statement is about 1 to {MOST_FILES:,} files: predicate.resources is a list of them.")
    files = dict(map(_read_resource, resources))
    names = [each["name"] for each in resources]
    if len(files) != len(names) or names != sorted(names, key=order_of):
        raise WeightsError("The files of a statement stand in order of their paths, each once; these do not.")
    return Predicate(files, listing)


def _read_resource(value: Any) -> tuple[str, str]:
    _members(value, "a resource", {"algorithm", "digest", "name"})
    name, digest = value["name"], value["digest"]
    _path(name)
    if value["algorithm"] != SHA256 or not (isinstance(digest, str) and DIGEST.fullmatch(digest)):
        raise WeightsError(f"{name!r} needs its SHA-256 in 64 small hexadecimal digits; nothing else is compared here.")
    return name, digest


def _read_listing(value: Any) -> Listing:
    if isinstance(value, dict) and (value.get("method"), value.get("hash_type")) != (METHOD, SHA256):
        raise WeightsError(
            "Sign weights file by file with SHA-256 (method files); shards and other hashes are not read."
        )
    _members(value, "serialization", {"allow_symlinks", "hash_type", "method"}, {"ignore_paths"})
    if not isinstance(value["allow_symlinks"], bool):
        raise WeightsError("serialization.allow_symlinks is true or false.")
    paths = value.get("ignore_paths", [])
    if not isinstance(paths, list) or ("ignore_paths" in value and not paths):
        raise WeightsError("serialization.ignore_paths is a list of paths, left out where it would be empty.")
    for path in paths:
        _path(path)
    if len(set(paths)) != len(paths):
        raise WeightsError("serialization.ignore_paths names a path twice.")
    return Listing(value["allow_symlinks"], tuple(paths))


def is_text(value: Any) -> bool:
    """Whether a value is a string that every reader understands alike: UTF-8 without NUL."""
    return isinstance(value, str) and not problems_of(value)


def _path(name: Any) -> None:
    if not is_text(name) or len(name) > LONGEST_PATH or any(part in {"", ".", ".."} for part in name.split("/")):
        raise WeightsError(
            f"{str(name)[:100]!r} is no path below the folder of the weights, such as model/config.json."
        )


def _members(value: Any, what: str, needed: Iterable[str], optional: Iterable[str] = ()) -> None:
    known = {*needed, *optional}
    if not isinstance(value, dict) or not set(needed) <= set(value) <= known:
        raise WeightsError(f"The statement's {what} is an object with {', '.join(sorted(known))}, and nothing else.")
