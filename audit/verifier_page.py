"""`verify.html`: the verifier of exports in one file, put together from the parts in static/verify/.

The file has the markup, the style and the script inline and names both by their SHA-256 in its own policy, which allows
nothing else: no network, no other script. The same parts give the same bytes. The product's page takes script and style
as two files, since its policy allows nothing inline.
"""

import base64
import hashlib
from pathlib import Path
from typing import Final

PARTS_FOLDER: Final = Path(__file__).parent.parent / "static" / "verify"
SCRIPTS: Final = (
    "failures",
    "bytes",
    "json",
    "ed25519",
    "forms",
    "receipt_form",
    "chains",
    "envelopes",
    "attestations",
    "merkle",
    "notes",
    "trust",
    "log",
    "inclusion",
    "archive",
    "loose",
    "verdicts",
    "examination",
    "page",
    "running",
)
STYLES: Final = ("shell", "page")


def verifier_page() -> bytes:
    """The page, UTF-8."""
    script, style = f"\n{verifier_script()}", f"\n{verifier_style(*STYLES)}"
    policy = (
        f"default-src 'none'; script-src '{_source(script)}'; style-src '{_source(style)}'; worker-src blob:; "
        "base-uri 'none'; form-action 'none'"
    )
    page = (PARTS_FOLDER / "shell.html").read_text("utf-8")
    for name, value in (("policy", policy), ("style", style), ("script", script)):
        page = page.replace("{{ " + name + " }}", value)
    return page.encode("utf-8")


def verifier_script() -> str:
    """The script, for a page with an element `verifier`. Raises `ValueError` if it could not stand inline."""
    parts = "\n".join((PARTS_FOLDER / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    if "</script" in parts or "<!--" in parts:
        raise ValueError("the verifier's script holds what would end it inside a page")
    return f'"use strict";\n(() => {{\n{parts}}})();\n'


def verifier_style(*names: str) -> str:
    """The named parts of the style, or that of the verifier without a page around it."""
    return "\n".join((PARTS_FOLDER / f"{name}.css").read_text("utf-8") for name in names or STYLES[1:])


def _source(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
