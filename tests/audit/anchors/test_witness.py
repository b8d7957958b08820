"""Our client against our witness, over HTTP: it cosigns what merely grew and nothing else, and forgets nothing."""

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.anchors import witness as client
from audit.anchors.orders import Settings
from audit.anchors.sending import Answer, SinkError, posted
from audit.keys.signing import LOG, load_signing_key, new_private_pem
from audit.log import merkle
from audit.log.notes import COSIGNATURE, NOTE, cosign, parse_note, verify_cosignature, verify_note, vkey
from relcontrol.errors import Invalid
from relcontrol.witness.app import Witness
from relcontrol.witness.judging import RefusedError, Seen
from relcontrol.witness.ledger import Ledger
from relcontrol.witness.requests import parse
from tests.audit.anchors.conftest import AT, ORIGIN, Log
from tests.audit.anchors.loopback import Asked, Reply, loopback
from tests.audit.anchors.serving import serving

SINK = client.Witness()
NAME = "witness.example/w1"


@dataclass(frozen=True)
class Running:
    """A witness that serves, with the settings of a sink for it."""

    witness: Witness
    folder: Path
    url: str

    @property
    def settings(self) -> Settings:
        return SINK.checked({"url": self.url, "public_key": self.witness.vkey})

    def add(self, body: bytes) -> Answer:
        return posted(f"{self.url}/add-checkpoint", body, "text/plain")


@pytest.fixture
def running(tmp_path: Path, log: Log) -> Iterator[Running]:
    """A witness that has seen nothing yet."""
    folder = tmp_path / "witness"
    witness = _witness(folder, log)
    with serving(witness.app()) as url:
        yield Running(witness, folder, url)


def _witness(folder: Path, log: Log) -> Witness:
    ledger = Ledger(folder)
    return Witness(NAME, ledger.key(), {ORIGIN: [log.key.public]}, ledger, clock=AT.timestamp)


def test_a_log_that_grows_is_cosigned_at_each_size(running: Running, log: Log) -> None:
    for size, seen in ((5, 0), (5, 5), (12, 5), (30, 12)):
        order = log.order(size, seen)
        evidence = SINK.submit(order, running.settings)
        assert SINK.verify(order.body, evidence, running.settings) == AT
        assert evidence.decode().startswith(f"— {NAME} ")
    assert running.witness.ledger.seen(ORIGIN) == Seen(30, merkle.root_of(log.leaves))


def test_a_client_that_knows_another_size_is_told_it_and_goes_on_from_there(running: Running, log: Log) -> None:
    SINK.submit(log.order(5), running.settings)
    for seen in (0, 7):  # a client that has forgotten, and one that was answered by a witness of another day
        order = log.order(8, seen)
        assert SINK.verify(order.body, SINK.submit(order, running.settings), running.settings) == AT


def test_a_log_that_was_rolled_back_or_made_again_gets_no_cosignature(running: Running, log: Log) -> None:
    SINK.submit(log.order(12), running.settings)
    with pytest.raises(SinkError, match=r"seen 12 receipts .* has 9: the log was rolled back"):
        SINK.submit(log.order(9, 5), running.settings)
    again = Log(b"again")
    again.key = log.key
    for size in (12, 20):
        with pytest.raises(SinkError, match="answered 422"):
            SINK.submit(again.order(size, 12), running.settings)
    assert running.witness.ledger.seen(ORIGIN).size == 12


def test_what_was_seen_outlives_the_witness_and_its_key_is_private(running: Running, log: Log) -> None:
    SINK.submit(log.order(12), running.settings)
    again = _witness(running.folder, log)
    assert again.vkey == running.witness.vkey
    with pytest.raises(RefusedError) as caught:
        again.cosigned(parse(client.request_body(0, [], log.note(9).encode())))
    assert caught.value.size == 12
    assert stat.S_IMODE((running.folder / "witness.pem").stat().st_mode) == 0o600


def test_of_many_at_once_that_go_on_from_the_same_size_one_is_cosigned(running: Running, log: Log) -> None:
    def ask(size: int) -> int:
        return running.add(client.request_body(0, [], log.note(size).encode())).status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(ask, range(5, 13)))
    assert statuses == [200, *[409] * 7]


def test_a_state_that_cannot_be_read_is_never_taken_for_a_new_log(running: Running, log: Log) -> None:
    SINK.submit(log.order(12), running.settings)
    file = next(running.folder.glob("*.json"))
    file.write_text("{")
    with pytest.raises(json.JSONDecodeError):
        running.witness.cosigned(parse(client.request_body(0, [], log.note(5).encode())))


def test_monitors_read_the_latest_checkpoint_with_both_signatures(running: Running, log: Log) -> None:
    SINK.submit(log.order(12), running.settings)
    name = next(running.folder.glob("*.json")).stem
    note = parse_note(running.witness.ledger.note_of(name) or "")
    verify_note(note, ORIGIN, log.key.public)
    assert verify_cosignature(note, NAME, running.witness.key.public) == AT.timestamp()
    assert running.witness.ledger.note_of("0" * 64) is None


def _refusals(log: Log) -> dict[str, tuple[bytes, int]]:
    stranger = Log()
    good, proof = log.note(8), log.proof(5, 8)
    unknown = good.replace(ORIGIN, "relcontrol.local/other")
    return {
        "an unknown log": (client.request_body(5, proof, unknown.encode()), 404),
        "a foreign key": (client.request_body(5, proof, stranger.note(8).encode()), 403),
        "a changed root": (client.request_body(5, proof, _changed(good).encode()), 403),
        "an old size beyond it": (client.request_body(9, [], good.encode()), 400),
        "another old size": (client.request_body(4, log.proof(4, 8), good.encode()), 409),
        "no proof": (client.request_body(5, [], good.encode()), 422),
        "a wrong proof": (client.request_body(5, proof[::-1], good.encode()), 422),
        "a proof too long": (client.request_body(5, [*proof, bytes(32)], good.encode()), 422),
        "64 hashes": (client.request_body(5, [bytes(32)] * 64, good.encode()), 400),
        "a short hash": (client.request_body(5, [bytes(31)], good.encode()), 400),
        "no old size": (b"\n\n" + good.encode(), 400),
        "a padded size": (client.request_body(5, proof, good.encode()).replace(b"old 5", b"old 05"), 400),
        "no checkpoint": (b"old 5\n\n", 400),
        "no text": (b"\xff\xfe", 400),
        "no newline at the end": (client.request_body(5, proof, good.encode())[:-1], 400),
        "too much": (b"old 5\n\n" + b"x" * 400_000, 400),
    }


def _changed(note: str) -> str:
    lines = note.split("\n")
    lines[2] = ("A" if lines[2][0] != "A" else "B") + lines[2][1:]
    return "\n".join(lines)


def test_everything_else_is_refused_with_the_status_of_the_protocol(running: Running, log: Log) -> None:
    SINK.submit(log.order(5), running.settings)
    wanted = {name: status for name, (_, status) in _refusals(log).items()}
    got = {name: running.add(body).status for name, (body, _) in _refusals(log).items()}
    assert got == wanted
    conflict = running.add(_refusals(log)["another old size"][0])
    assert conflict.content == b"5\n"
    assert running.witness.ledger.seen(ORIGIN).size == 5


def test_a_witness_that_lies_is_refused(log: Log) -> None:
    order, key = log.order(5), load_signing_key(new_private_pem(), purpose=LOG)
    other, text = load_signing_key(new_private_pem(), purpose=LOG), log.note(5).partition("\n\n")[0] + "\n"
    lines = {
        "of another key": cosign(text, NAME, other, 1),
        "of another checkpoint": cosign(text.replace("\n5\n", "\n6\n"), NAME, key, 1),
        "none": "",
        "a page": "<html></html>\n",
        "twice": cosign(text, NAME, key, 1) * 2,
        "no text": "\udcff",
        "409 of nothing": "409",
    }
    accepted = []

    def reply(asked: Asked) -> Reply:
        if name == "409 of nothing":
            return 409, b"many\n"
        return 200, lines[name].encode("utf-8", "surrogateescape")

    with loopback(reply) as server:
        settings = SINK.checked({"url": server.url, "public_key": vkey(NAME, key.public, COSIGNATURE)})
        for name in lines:
            try:
                SINK.verify(order.body, SINK.submit(order, settings), settings)
                accepted.append(name)
            except SinkError:
                continue
    assert accepted == []


def test_lines_of_unknown_keys_are_ignored_and_not_kept(log: Log) -> None:
    order, key = log.order(5), load_signing_key(new_private_pem(), purpose=LOG)
    text = log.note(5).partition("\n\n")[0] + "\n"
    own, foreign = cosign(text, NAME, key, 1_700_000_000), cosign(text, "witness.example/w2", log.key, 1)
    with loopback(lambda asked: (200, (foreign + own).encode())) as server:
        settings = SINK.checked({"url": server.url, "public_key": vkey(NAME, key.public, COSIGNATURE)})
        assert SINK.submit(order, settings) == own.encode()
    with pytest.raises(SinkError):
        SINK.verify(log.order(6).body, own.encode(), settings)


def test_a_verifier_key_must_be_that_of_a_witness(log: Log) -> None:
    public = log.key.public
    whole = {"url": "http://127.0.0.1:1/", "public_key": vkey(NAME, public, COSIGNATURE)}
    checked = SINK.checked(whole)
    assert SINK.checked(checked) == checked
    wrong = {
        "a log's": {"public_key": vkey(NAME, public, NOTE)},
        "another id": {"public_key": vkey(NAME, public, COSIGNATURE).replace("+", "+0", 1)},
        "no name": {"public_key": checked["public_key"]},
        "another name": {"name": "somebody"},
        "no key": {"public_key": "AAAA"},
    }
    for change in wrong.values():
        with pytest.raises(Invalid):
            SINK.checked(whole | change)
