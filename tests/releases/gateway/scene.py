"""A real gateway on loopback, between an edge and model servers of ours: one route for each way to behave."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from relcontrol.bundle.artifacts import IDENTITY_PREPROCESSING, normalise_artifact
from relcontrol.bundle.canonical import sha256_ref
from relcontrol.bundle.manifest import build_manifest, bundle_sha256, manifest_sha256
from releases.bucketing import FUNCTION, FUNCTION_VERSION
from releases.traces.rows import Rejection, read_row, window_at
from tests.releases.gateway.control.signed import ORIGIN, SLUG, envelope, trust_file
from tests.releases.gateway.upstreams import Edge, Servers, Upstream, servers
from tests.waiting import until

KEY = "rck_00112233445566ff.Zm9yLXRlc3RzLW9ubHktbm90LWEtc2VjcmV0LWF0LWFsbA"
TIED_KEY = "rck_ffeeddccbbaa9988.Zm9yLXRlc3RzLW9ubHktdGllZC10by1vbmUtcm91dGUtb2s"
CREDENTIAL = "sk-upstream-secret"
ROOT = Path(__file__).resolve().parents[3]
MODELS = (
    *("hang", "reset", "reset-once", "garbage", "wrong-shape", "status-500", "status-503", "status-429", "status-401"),
    *("status-400", "status-403", "status-404"),
    *("redirect", "half", "no-done", "mid-error", "endless", "cut", "tools", "slow"),
)
Document = dict[str, Any]


@dataclass(frozen=True)
class Scene:
    """The gateway's address, its processes' log, and who stands on either side."""

    url: str
    edge: Edge
    upstream: Upstream
    process: "subprocess.Popen[str]"
    log: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def ask(self, path: str, body: Any = None, *, key: str = KEY, **headers: str) -> "Answer":
        """One request by the standard library; `body` is JSON or bytes, None a GET."""
        sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {"authorization": f"Bearer {key}", "content-type": "application/json"} if key else {}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, sent, {**given, **named})  # noqa: S310 - loopback
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())

    def chat(self, route: str = "", said: str = "May we audit?", **members: Any) -> "Answer":
        headers = {"x_relcontrol_route": route} if route else {}
        return self.ask("/v1/chat/completions", {**chat_body(said), **members}, **headers)

    def row(self, answer: "Answer", arm: str | None = None) -> Document:
        """The trace of an answered request."""
        return self.edge.row(answer.headers["x-request-id"], arm)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Document:
        found: Document = self.json()["error"]
        assert set(found) == {"message", "type", "param", "code"}
        return found


def chat_body(said: str = "May we audit?") -> Document:
    return {"model": "any", "messages": [{"role": "user", "content": said}]}


@contextmanager
def gateway(folder: Path, **options: str) -> Iterator[Scene]:
    """A gateway with its own folder, ready to answer."""
    with servers() as both:
        both.edge.envelope = envelope(snapshot_payload(both.url))
        with started(folder, both, **options) as scene:
            until(lambda: _is_ready(scene), 20, "the gateway is ready")
            yield scene
        assert rejections(both.edge) == []


def rejections(edge: Edge) -> list[object]:
    """What the real edge would turn away of these traces."""
    window = window_at(datetime.now(UTC), timedelta(days=1))
    read = (read_row(number, row, window) for number, row in enumerate(edge.rows))
    return [one for one in read if isinstance(one, Rejection)]


@contextmanager
def started(folder: Path, both: Servers, **options: str) -> Iterator[Scene]:
    """The process, listening; on leaving it is drained, and must end by itself."""
    trust, token = folder / "trust.json", folder / "token"
    trust.write_text(json.dumps(trust_file()))
    token.write_text("a-token-of-tests")
    given = {"port": "0", "control": both.url, "trust": str(trust), "token-file": str(token), "replica": "test"}
    given |= {"data": str(folder / "data"), **{name.replace("_", "-"): value for name, value in options.items()}}
    process = subprocess.Popen(
        [sys.executable, "-m", "releases.gateway", *(f"--{name}={value}" for name, value in given.items())],
        cwd=ROOT,
        env={**environment(), "RELCONTROL_CREDENTIAL_MAIN_KEY": CREDENTIAL},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    log: list[str] = []
    reader = threading.Thread(target=_read, args=(process, log), daemon=True)
    reader.start()
    try:
        listening = until(lambda: _listening(log), 20, "the gateway listens") or {}
        scene = Scene(f"http://127.0.0.1:{listening['port']}", both.edge, both.upstream, process, log)
        yield scene
    finally:
        process.terminate()
        process.wait(60)
        reader.join(5)
        assert process.stdout is not None
        process.stdout.close()


def environment() -> dict[str, str]:
    """Ours without what tests set for Django."""
    return {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}


def _read(process: "subprocess.Popen[str]", log: list[str]) -> None:
    assert process.stdout is not None
    log.extend(line for line in iter(process.stdout.readline, ""))


def _listening(log: list[str]) -> Document | None:
    for line in log:
        if '"listening"' in line:
            found: Document = json.loads(line)
            return found
    return None


def _is_ready(scene: Scene) -> bool:
    try:
        return scene.ask("/readyz", key="").status == 200
    except OSError:
        return False


def snapshot_payload(upstream: str, generation: int = 42, *, url_of_dead: str = "http://127.0.0.1:9/v1") -> Document:
    """One application with a route for each behaviour, and some that are there for their arms."""
    made = _Made()
    healthy, other = made.release("healthy"), made.release("other")
    routes = [_route("default", healthy, routing={"tier": "free", "locale": "fr"})]
    routes += [_route(model, made.release(model)) for model in MODELS]
    routes += [
        _route("shadowed", healthy, _candidate(other, shadow=10_000)),
        _route("shadowed-slowly", healthy, _candidate(made.sha_of("slow"), shadow=10_000)),
        _route("halves", healthy, _candidate(other, share=5_000)),
        _route("cold", None),
        _route("cold-shadowed", None, _candidate(other, shadow=10_000)),
        _route("all-new", None, _candidate(other, share=10_000)),
        _route("dead", made.release("dead", endpoint="dead")),
        _route("no-credential", made.release("unpaid", endpoint="unpaid")),
        _route("strict", made.release("strict", client_system="refuse", user="Q: {{ input }} for {{ tenant }}")),
    ]
    keys = [_key("apk_1", KEY, None), _key("apk_2", TIED_KEY, "rte_tools")]
    application = {
        "id": "app_1",
        "slug": "advisor",
        "default_route": "rte_default",
        "client_settings": ["temperature"],
        "keys": keys,
    }
    return {
        "schema": "relcontrol/routing/v1",
        "organization": SLUG,
        "origin": ORIGIN,
        "epoch": 1,
        "generation": generation,
        "changed_at": "2026-11-21T16:00:00.000000Z",
        "assignment": {"function": FUNCTION, "version": FUNCTION_VERSION},
        "applications": [application],
        "routes": sorted(routes, key=lambda route: str(route["id"])),
        "releases": made.releases,
        "endpoints": {
            "main": {"base_url": f"{upstream}/v1", "protocol": "openai", "credential": "main-key"},
            "dead": {"base_url": url_of_dead, "protocol": "openai", "credential": ""},
            "unpaid": {"base_url": f"{upstream}/v1", "protocol": "openai", "credential": "nobody-has-this"},
        },
    }


class _Made:
    """Releases by SHA."""

    def __init__(self) -> None:
        self.releases: Document = {}

    def sha_of(self, model: str) -> str:
        return next(sha for sha, entry in self.releases.items() if entry["model"] == model)

    def release(
        self, model: str, *, endpoint: str = "main", client_system: str = "append", user: str | None = None
    ) -> str:
        prompt = normalise_artifact(
            {"kind": "prompt_template", "system": f"Answer as {model}.", "user": user, "client_system": client_system}
        )
        manifest = build_manifest(
            application="advisor",
            model_ref=f"endpoint:{endpoint}/{model}",
            prompt_template=sha256_ref(prompt),
            routing={"tier": "free"},
            dataset=f"sha256:{'0' * 64}",
            generation={"temperature": "0.2", "max_tokens": 64},
        )
        sha = manifest_sha256(manifest)
        self.releases[sha] = {
            "name": f"r{len(self.releases) + 1}",
            "bundle_sha256": bundle_sha256(manifest),
            "manifest": manifest,
            "artifacts": {sha256_ref(value): value for value in (prompt, IDENTITY_PREPROCESSING)},
            "endpoint": endpoint,
            "model": model,
        }
        return sha


def _route(
    name: str, stable: str | None, candidate: Document | None = None, *, routing: Mapping[str, str] | None = None
) -> Document:
    return {
        "id": f"rte_{name}",
        "application": "app_1",
        "name": name,
        "routing": dict(routing or {"for": name}),
        "stable": stable,
        "candidate": candidate,
    }


def _candidate(sha: str, *, share: int = 0, shadow: int = 0) -> Document:
    return {
        "release": sha,
        "rollout": "rol_1",
        "salt": "rol_1",
        "basis_points": share,
        "shadow_basis_points": shadow,
    }


def _key(name: str, text: str, route: str | None) -> Document:
    return {"id": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "route": route}
