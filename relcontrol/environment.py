"""Reading the environment: a value that cannot be understood stops the start and names its variable."""

import os
import secrets
from pathlib import Path


class MisconfiguredError(RuntimeError):
    """An environment variable or file that the system cannot start with."""


def text(name: str, default: str = "") -> str:
    """The variable, without blanks around it."""
    return os.environ.get(name, default).strip()


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty entries."""
    return [word for word in (part.strip() for part in text(name, default).split(",")) if word]


def flag(name: str) -> bool:
    """1, true, yes, on / 0, false, no, off, or empty."""
    value = text(name).lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"", "0", "false", "no", "off"}:
        return False
    raise MisconfiguredError(f"{name} must be 1 or 0, not {value!r}.")


def number(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """A whole number of at least `minimum`, and at most `maximum` where there is one."""
    value = text(name, str(default))
    if not value.isdecimal() or int(value) < minimum:
        raise MisconfiguredError(f"{name} must be a whole number of at least {minimum}, not {value!r}.")
    if maximum is not None and int(value) > maximum:
        raise MisconfiguredError(f"{name} must be a whole number of at most {maximum}, not {value!r}.")
    return int(value)


def secret(name: str, file: Path) -> str:
    """The variable, else the content of `file`, which is made with mode 0600 when it is missing."""
    if value := text(name):
        return value
    if not file.exists():
        write_once(file, secrets.token_urlsafe(48).encode())
    if value := file.read_text().strip():
        return value
    raise MisconfiguredError(f"{file} is empty. Delete it to have a new one made, or set {name}.")


def write_once(file: Path, content: bytes) -> None:
    """Write a private file unless there is one. It appears whole or not at all, and whoever comes second loses."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")  # threads may race, too
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(temporary, file)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
