"""Expected digests: our own copy, and the shared one where the design folder is there."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

OWN = Path(__file__).with_name("golden_digests.json")
SHARED = Path(os.environ.get("RELCONTROL_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "vectors"


def own_vectors() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads(OWN.read_text(encoding="utf-8"))
    return vectors


def shared_vectors() -> dict[str, Any]:
    path = SHARED / "digests.json"
    if not path.exists():
        pytest.skip(f"{path} is not here; set RELCONTROL_SHARED to the folder that holds vectors/")
    vectors: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return vectors
