"""Calls of a rehearsal: the API with a token, and pages in a browser that keeps its cookies. Standard library only."""

import http.cookiejar
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from relcontrol.rehearsal.world import Reply

ANSWER_S: Final = 60.0
CSRF: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SIGN_IN: Final = "/sign-in"
OK: Final = 200


def api_call(url: str, token: str, content: bytes | None = None, kind: str = "application/json") -> Reply:
    """GET, or POST where there is content."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    return _answered(urllib.request.build_opener(), urllib.request.Request(url, content, headers))  # noqa: S310 - ours


class Browser:
    """Somebody who has signed in at `web`."""

    def __init__(self, web: str, email: str, password: str) -> None:
        self._web = web
        self._open = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )
        self.submit(SIGN_IN, {"email": email, "password": password})

    def submit(self, path: str, form: Mapping[str, str]) -> Reply:
        """Open the page, and send its form filled in like this; what is shown then."""
        page = _answered(self._open, urllib.request.Request(self._web + path))  # noqa: S310 - ours
        token = CSRF.search(page.body)
        if page.status != OK or token is None:
            return page
        content = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token[1]}).encode()
        headers = {"Referer": self._web + path}
        return _answered(self._open, urllib.request.Request(self._web + path, content, headers))  # noqa: S310 - ours


def _answered(opener: urllib.request.OpenerDirector, request: urllib.request.Request) -> Reply:
    try:
        with opener.open(request, timeout=ANSWER_S) as answer:
            return _reply(answer.status, answer.headers.get("Content-Type", ""), answer.read())
    except urllib.error.HTTPError as error:
        return _reply(error.code, error.headers.get("Content-Type", ""), error.read())


def _reply(status: int, kind: str, content: bytes) -> Reply:
    body: Any = json.loads(content) if "json" in kind else content.decode(errors="replace")
    return Reply(status, body)
