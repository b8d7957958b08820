"""The processes of a gateway: what they import, how they start, survive a death, and drain."""

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from relcontrol.runtime.commands import needs_database
from releases.workers.supervising import in_memory, sweep
from tests.releases.gateway.control.signed import envelope, trust_file
from tests.releases.gateway.scene import KEY, ROOT, Scene, chat_body, environment, gateway, snapshot_payload, started
from tests.releases.gateway.upstreams import Servers, servers
from tests.waiting import until

SECRET_PROMPT = "the merger of Acme and Zenith"


def children(scene: Scene) -> list[int]:
    found = Path(f"/proc/{scene.process.pid}/task/{scene.process.pid}/children").read_text()
    return [int(pid) for pid in found.split()]


def test_a_gateway_that_has_served_never_imported_django_or_psycopg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    with gateway(tmp_path) as scene:
        assert scene.chat().status == 200
        assert scene.chat(stream=True).status == 200
        assert scene.ask("/metrics", key="").status == 200
    imported = {line.split("|")[-1].strip() for line in scene.log if line.startswith("import time:")}
    assert "aiohttp" in imported
    assert not [name for name in imported if name.split(".")[0] in ("django", "psycopg", "httpx", "celery")]


def test_no_prompt_key_answer_or_subject_is_in_the_log(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        scene.ask("/v1/chat/completions", chat_body(SECRET_PROMPT), x_relcontrol_subject="mr-jones")
        scene.ask("/v1/chat/completions", f'{{"messages": "{SECRET_PROMPT}"}}'.encode())
        scene.ask("/v1/chat/completions", f'{{"{SECRET_PROMPT}'.encode())
        scene.ask(f"/v1/{SECRET_PROMPT.replace(' ', '%20')}", key="rck_stranger.stranger")
        scene.chat(SECRET_PROMPT, said=SECRET_PROMPT, metadata={"conversation_id": "mr-jones"})
        scene.chat("half", said=SECRET_PROMPT)
    log = "".join(scene.log)
    assert log.count('"event": "request"') == 6
    for secret in ("merger", "mr-jones", KEY, "rck_stranger", "sk-upstream", "a-token-of-tests", "ten days"):
        assert secret not in log


def test_each_request_is_one_json_line_with_its_numbers(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        answer = scene.chat("tools")
    (line,) = [json.loads(line) for line in scene.log if '"event": "request"' in line]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["release"] == answer.headers["x-relcontrol-release"]
    assert (line["status"], line["application"], line["route"], line["key"]) == (200, "advisor", "rte_tools", "apk_1")


def test_a_gateway_without_a_snapshot_says_that_it_is_not_ready(tmp_path: Path) -> None:
    with servers() as both, started(tmp_path, both) as scene:
        until(lambda: _answers(scene), 20, "the worker answers")
        assert scene.ask("/readyz", key="").status == 503
        assert scene.chat().error["code"] == "no_snapshot"
        both.edge.envelope = envelope(snapshot_payload(both.url))
        until(lambda: scene.ask("/readyz", key="").status == 200, 20, "the snapshot is taken up")
        assert scene.chat().status == 200


def test_workers_are_replicas_of_their_own_and_their_numbers_are_added_up(tmp_path: Path) -> None:
    with gateway(tmp_path, workers="2") as scene:
        for _ in range(40):
            assert scene.chat().status == 200
        until(lambda: {beat["replica"] for beat in scene.edge.beats} >= {"test/1", "test/2"}, 10, "both beat")
        answers = until(lambda: len({row["replica"] for row in scene.edge.rows}) == 2, 10, "both served")
        assert answers
        text = scene.ask("/metrics", key="").body.decode()
        assert not list(tmp_path.rglob("*.db"))  # a mapped file on a full disk kills whoever writes into it
    counted = [line for line in text.splitlines() if line.startswith("relcontrol_gateway_requests_total{")]
    assert sum(float(line.rsplit(" ", 1)[1]) for line in counted) == 40


def test_metrics_lie_in_memory_in_a_folder_that_nobody_else_can_write(tmp_path: Path) -> None:
    folder, memory = tmp_path / "metrics", tmp_path / "memory"
    assert in_memory(folder, memory) == folder  # there is none
    memory.mkdir()
    ours = in_memory(folder, memory)
    assert (ours.parent, ours.stat().st_mode & 0o777) == (memory, 0o700)
    assert in_memory(folder, memory) == ours != in_memory(tmp_path / "other", memory)
    held = os.open(ours, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    sweep(memory)
    os.close(held)
    assert list(memory.iterdir()) == [ours]  # nobody held the other one
    ours.chmod(0o770)
    assert in_memory(folder, memory) == folder
    ours.rmdir()
    ours.symlink_to(tmp_path)
    assert in_memory(folder, memory) == folder


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        (first,) = children(scene)
        os.kill(first, signal.SIGKILL)
        until(lambda: children(scene) not in ([], [first]), 20, "another worker runs")
        assert scene.chat().status == 200  # waits in the listening socket until it is served


def test_sigterm_lets_a_stream_end_and_refuses_new_connections(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=20)
        headers = {"authorization": f"Bearer {KEY}", "x-relcontrol-route": "slow", "x-request-id": "drained-1"}
        connection.request("POST", "/v1/chat/completions", json.dumps({**chat_body(), "stream": True}), headers)
        answer = connection.getresponse()
        assert answer.readline()
        scene.process.terminate()
        until(lambda: not _answers(scene), 10, "the port is closed")
        assert scene.process.poll() is None
        scene.upstream.release()
        assert answer.read().endswith(b"data: [DONE]\n\n")
        connection.close()
        assert scene.process.wait(20) == 0
        assert [row["error"] for row in scene.edge.rows if row["request_id"] == "drained-1"] == [None]


def test_workers_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        (worker,) = children(scene)
        scene.process.kill()
        until(lambda: not Path(f"/proc/{worker}").exists() or _is_zombie(worker), 20, "the worker ends")


def test_more_requests_than_an_application_may_have_are_told_to_come_back(tmp_path: Path) -> None:
    with gateway(tmp_path, concurrency="2") as scene:
        waiting = [threading.Thread(target=scene.chat, args=("slow",)) for _ in range(2)]
        for thread in waiting:
            thread.start()
        until(lambda: scene.upstream.attempts["slow"] == 2, 10, "both are on their way")
        answer = scene.chat()
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        assert answer.error["type"] == "rate_limit_error"
        scene.upstream.release()
        for thread in waiting:
            thread.join(20)
        assert scene.chat().status == 200


def test_the_first_words_arrive_while_the_model_server_holds_back_the_rest(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        connection = http.client.HTTPConnection("127.0.0.1", scene.port, timeout=20)
        headers = {"authorization": f"Bearer {KEY}", "x-relcontrol-route": "slow"}
        connection.request("POST", "/v1/chat/completions", json.dumps({**chat_body(), "stream": True}), headers)
        answer = connection.getresponse()
        first = [answer.readline() for _ in range(3)]
        assert not scene.upstream.go.is_set()
        assert b"Audits" in first[2]
        scene.upstream.release()
        assert answer.read().endswith(b"data: [DONE]\n\n")
        connection.close()


def test_shadows_over_the_budget_are_dropped_and_counted(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        for _ in range(10):
            assert scene.chat("shadowed-slowly").status == 200
        text = scene.ask("/metrics", key="").body.decode()
        assert "relcontrol_gateway_shadows_dropped_total 2.0" in text
        scene.upstream.release()
        shadows = until(lambda: [row for row in scene.edge.rows if row["arm"] == "shadow"][7:], 10, "eight shadows")
        assert len(shadows) == 1


def test_a_taken_port_is_an_error_also_where_the_other_shares_it(tmp_path: Path) -> None:
    with gateway(tmp_path, workers="2") as scene:
        again = run("--port", str(scene.port), folder=tmp_path, workers="2")
    assert again.returncode == 2
    assert "cannot be listened on" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "x"), "--port must be a whole number"),
        (("--workers", "0"), "--workers must be a whole number"),
        (("--control", "edge:1"), "--control must be the address"),
        (("--replica", "a b"), "--replica must be letters"),
        (("--token-file", "/nowhere"), "No such file"),
        (("--trust", ""), "--trust must name"),
        (("--data", ""), "--data must name"),
    ],
)
def test_a_wrong_option_ends_the_start_with_a_sentence(tmp_path: Path, arguments: tuple[str, str], said: str) -> None:
    ended = run(*arguments, folder=tmp_path)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_a_trust_file_without_routing_keys_ends_the_start(tmp_path: Path) -> None:
    trust = tmp_path / "other.json"
    trust.write_text(json.dumps({**trust_file(), "keys": []}))
    ended = run("--trust", str(trust), "--port", "0", folder=tmp_path)
    assert ended.returncode == 2
    assert "routing" in ended.stderr


def test_manage_py_only_starts_it_and_needs_no_database(tmp_path: Path) -> None:
    assert not needs_database("gateway", [])
    command = [sys.executable, "manage.py", "gateway", "--workers", "0"]
    ended = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "--workers must be a whole number" in ended.stderr


def test_manage_py_becomes_the_gateway_wherever_it_is_called_from(tmp_path: Path) -> None:
    options = options_in(tmp_path, "http://127.0.0.1:9")
    command = [sys.executable, str(ROOT / "manage.py"), "gateway", "--port=0", *options]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        process.terminate()
        process.communicate(timeout=60)
    assert first["event"] == "listening"
    assert process.returncode == 0


def test_a_request_in_flight_keeps_its_generation_and_is_counted_on_its_release(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(scene.chat, "slow")
        until(lambda: scene.upstream.attempts["slow"], 10, "the model server is asked")
        scene.edge.envelope = envelope(snapshot_payload(f"http://127.0.0.1:{scene.edge.port}", 43))
        until(lambda: scene.ask("/readyz", key="").json()["generation"] == 43, 10, "generation 43 serves")
        until(
            lambda: scene.edge.beats[-1]["generation"] == 43 and scene.edge.beats[-1]["in_flight"], 10, "a beat of it"
        )
        (sha,) = scene.edge.beats[-1]["in_flight"]
        scene.upstream.release()
        answer = asked.result(20)
        assert answer.headers["x-relcontrol-generation"] == "42"
        assert sha.startswith(answer.headers["x-relcontrol-release"])
        assert scene.chat().headers["x-relcontrol-generation"] == "43"


def test_a_gateway_starts_again_without_its_control_plane(tmp_path: Path) -> None:
    with gateway(tmp_path) as scene:
        assert scene.chat().status == 200
        scene.process.terminate()
        scene.process.wait(60)
        scene.edge.envelope = b""
        both = Servers(scene.edge.port, scene.upstream, scene.edge)
        with started(tmp_path, both) as again:
            assert again.chat().status == 200


def options_in(folder: Path, control: str) -> list[str]:
    """A trust file and a token in a folder, and the options that name them."""
    trust, token = folder / "trust.json", folder / "token"
    trust.write_text(json.dumps(trust_file()))
    token.write_text("a-token-of-tests")
    given = {"control": control, "trust": str(trust), "token-file": str(token), "data": str(folder / "data")}
    return [f"--{name}={value}" for name, value in given.items()]


def run(*arguments: str, folder: Path, **options: str) -> "subprocess.CompletedProcess[str]":
    """A gateway that is expected to end by itself; later options win."""
    more = [f"--{name}={value}" for name, value in options.items()]
    command = [*options_in(folder, "http://127.0.0.1:9"), *more, *arguments]
    return subprocess.run(
        [sys.executable, "-m", "releases.gateway", *command],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _answers(scene: Scene) -> bool:
    try:
        return scene.ask("/healthz", key="").status == 200
    except OSError:
        return False


def _is_zombie(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
