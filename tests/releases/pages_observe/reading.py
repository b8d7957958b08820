"""The words of a page, without its tags."""

import html
import re
from typing import Any


def text_of(answer: Any, status: int = 200) -> str:
    """What a page says, in one line."""
    assert answer.status_code == status, answer.content
    words = re.sub(r"<[^>]+>", " ", html.unescape(answer.text).replace("\N{NO-BREAK SPACE}", " "))
    return re.sub(r"\s+", " ", words)
