"""Whom the pseudonyms of receipts stand for, as far as openings inside the export tell. Pure."""

from typing import Any

from audit.report.reading import Opened, object_of
from audit.report.texts import line

SYSTEM = {"internal": "relcontrol", "command": "the server's command line"}
SUFFIXES = ("_name", "_label", "")
SUBJECTS = ("person:", "token:")
MOST = 150


class People:
    """Id → name, learned receipt by receipt; the newest name counts."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def learn(self, receipt: Opened) -> None:
        """Take the names that this receipt's openings tell."""
        kind, _, key = receipt.subject.partition(":")
        if receipt.subject.startswith(SUBJECTS):
            name = receipt.told("name") or receipt.told("email")
            self._keep(key, f"the service token {name}" if kind == "token" and name else name)
        pseudonyms = {**receipt.state, **object_of(receipt.decision.get("override"))}
        for field, value in pseudonyms.items():
            if field.endswith("by"):
                self._learn_beside(receipt, field, value)

    def of(self, key: Any) -> str:
        """The name, or the pseudonym where none is told."""
        text = str(key or "")
        return self._known.get(text) or SYSTEM.get(text) or line(text, MOST) or "nobody"

    def pseudonym(self, key: Any) -> str:
        """The pseudonym that receipts carry, where a name stands for it."""
        text = line(key, MOST)
        return "" if self.of(key) == text else text

    def named(self, key: Any) -> str:
        """The name with its pseudonym."""
        name, text = self.of(key), self.pseudonym(key)
        return f"{name} ({text})" if text else name

    def _learn_beside(self, receipt: Opened, field: str, key: Any) -> None:
        """`requested_by` is a pseudonym; `requested_by_name` beside it, where it is opened, is whom it stands for."""
        for end in SUFFIXES:
            if (name := receipt.told(field + end)) != key:
                self._keep(key, name)

    def _keep(self, key: Any, name: Any) -> None:
        if isinstance(key, str) and isinstance(name, str) and name.strip():
            self._known[key] = line(name, MOST)
