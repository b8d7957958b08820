"""A tiny model as files, the one that the vectors are about; and what the vectors hold."""

import json
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).with_name("vectors")
CONTENT = {
    "config.json": '{"layers": 2}\n',
    "model-00001-of-00002.safetensors": "first shard",
    "model-00002-of-00002.safetensors": "second shard",
    "a/b": "below",
    "a-b": "dash",
    "empty": "",
    "notes.txt": "skip me\n",
}


def tiny_model(at: Path) -> Path:
    """The folder `tiny-model`, as `model-signing` signed it."""
    folder = at / "tiny-model"
    for name, text in CONTENT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def foreign_bundle() -> dict[str, Any]:
    """What `model_signing sign key tiny-model --ignore-paths notes.txt` (1.1.1) wrote."""
    content: dict[str, Any] = json.loads((VECTORS / "model-signing-1.1.1.json").read_text())
    return content


def foreign_key() -> bytes:
    """The public key that it was signed with, PEM."""
    return (VECTORS / "signer.pub").read_bytes()
