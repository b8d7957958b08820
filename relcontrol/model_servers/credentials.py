"""Secrets of model servers by name: from the environment or a file, never from the database (domain.md "endpoint").

`RELCONTROL_CREDENTIAL_<NAME>` wins over the JSON object in the file that RELCONTROL_CREDENTIALS_FILE names. Standard
library only: the gateway reads them, too.
"""

import json
import os
import re
from pathlib import Path
from typing import Final

VARIABLE: Final = "RELCONTROL_CREDENTIAL_"
FILE_VARIABLE: Final = "RELCONTROL_CREDENTIALS_FILE"


class MissingCredentialError(LookupError):
    """An endpoint names a secret that this machine does not have."""


def credential(name: str) -> str:
    """The value of a secret; an empty name is no secret at all. Raises `MissingCredentialError` with what to set."""
    if not name:
        return ""
    variable = VARIABLE + re.sub(r"[^A-Z0-9]", "_", name.upper())
    if value := os.environ.get(variable, "").strip():
        return value
    known = _of_file()
    if name in known:
        return known[name]
    raise MissingCredentialError(f"The secret {name} is not known on this machine. Set {variable} or {FILE_VARIABLE}.")


def _of_file() -> dict[str, str]:
    path = os.environ.get(FILE_VARIABLE, "").strip()
    if not path:
        return {}
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise MissingCredentialError(f"{FILE_VARIABLE} must name a file with one JSON object of names and secrets.")
    return {str(key): value for key, value in content.items() if isinstance(value, str)}
