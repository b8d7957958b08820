"""HTTP/1.1 as the edge takes it: what is refused before it is a request is refused as a problem document."""

import json

from relcontrol.api.problems import problem
from releases.workers.bounding import BoundedHttp


class EdgeHttp(BoundedHttp):
    """Bounded, and speaks RFC 9457."""

    def refusal(self, status: int, code: str, message: str) -> tuple[str, bytes]:
        """A problem; no request was read, so there is no id of one."""
        return "application/problem+json", json.dumps(problem(status, code, message)).encode()
