"""A model server that is a judge: it scores by a rule that a test gives, and counts what it was asked."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from audit.administration.applications import create_endpoint
from gates.judge_making import create_judge
from gates.models import Judge
from relcontrol.accounts.selectors import endpoints_of
from tests.gates.calibrations.bench import Bench

TOKENS = {"prompt_tokens": 100, "completion_tokens": 10}
PROMPT = {"system": "Judge.", "user": "{{ input }} {{ answer }}"}
_NUMBER = re.compile(r"Answer (?P<place>\d+) on (?P<slug>[a-z-]+)\.")

Rule = Callable[["Asked"], float | None]


@dataclass(frozen=True)
class Asked:
    """One request: the answer that it is about, its whole text, and the number of its draw."""

    slug: str
    place: int
    text: str
    draw: int

    @property
    def is_injected(self) -> bool:
        """Whether there is more between the tags than the plain answer."""
        return not re.search(rf"<answer-[0-9a-f]+>\nAnswer {self.place} on {self.slug}\.\n</answer-", self.text)


@dataclass
class JudgeServer:
    """Its address, its rule (None: it answers with words), and everything that it was asked."""

    url: str
    rule: Rule
    asked: list[Asked] = field(default_factory=list)
    before: Callable[[int], None] = lambda _: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, body: dict[str, Any]) -> dict[str, Any]:
        """A chat completion."""
        text = body["messages"][1]["content"]
        found = _NUMBER.search(text)
        assert found, text
        asked = Asked(found["slug"], int(found["place"]), text, body.get("seed", 0))
        with self._lock:
            self.asked.append(asked)
            count = len(self.asked)
        self.before(count)
        score = self.rule(asked)
        said = "I would rather not." if score is None else json.dumps({"reason": "By the rule.", "score": score})
        choice = {"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
        return {"model": body["model"], "choices": [choice], "usage": TOKENS}


@contextmanager
def judge_server(rule: Rule) -> Iterator[JudgeServer]:
    """The server, until the test is over."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            content = json.dumps(server.reply(body)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Nothing is logged."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server = JudgeServer(f"http://127.0.0.1:{http.server_port}/v1", rule)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def by_parts(here: Bench, shift: float = 0.0, wobble: float = 0.0) -> Rule:
    """The scores that agree with the experts, on 1 to 5; draws differ by `wobble` up and down."""

    def rule(asked: Asked) -> float:
        plain = 1 + 4 * here.parts[asked.slug].scores[asked.place] + shift
        return min(5.0, max(1.0, plain + (wobble if asked.draw % 2 else -wobble)))

    return rule


def llm_judge(here: Bench, server: JudgeServer, name: str = "llm:legal@1", **fields: Any) -> Judge:
    """A judge that asks this server."""
    if not endpoints_of(here.stage.organization).filter(name="judges").exists():
        create_endpoint(actor=here.stage.actor, name="judges", base_url=server.url)
    wanted = {"endpoint": "judges", "model": "judge-1", "prompt": PROMPT, "draws": 1, "parameters": {"seed": 0}}
    return create_judge(actor=here.stage.actor, name=name, fields=wanted | fields)[0]
