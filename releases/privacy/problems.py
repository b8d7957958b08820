"""Why an answer has no score, as it may stand in clear: without what the judge said. Pure.

A judge's reply repeats what it judged, and a problem with the reply quotes it after a colon. Rows keep problems in
clear, and nobody's words.
"""

import re
from typing import Final

# Up to the first colon with a blank behind it that is not in braces, as the form of a reply is told in braces.
_SAID_BY_US: Final = re.compile(r"(?:\{[^{}]*\}|[^:{]|:(?! ))*")


def in_clear(problem: str) -> str:
    """The problem up to its quote, such as `The reply is no JSON object.` where it is followed by the reply."""
    found = _SAID_BY_US.match(problem)
    said = (found[0] if found else "").rstrip()
    return said if said == problem or said.endswith(".") else f"{said}."
