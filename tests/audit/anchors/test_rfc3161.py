"""Time stamps: what an honest authority gives verifies here and with openssl; what a lying one gives is refused."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from audit.anchors import sending
from audit.anchors.orders import Order
from audit.anchors.rfc3161 import TimeStamps
from audit.anchors.sending import SinkError
from relcontrol.errors import Invalid
from tests.audit.anchors.authority import POLICY, Authority
from tests.audit.anchors.conftest import Log
from tests.audit.anchors.loopback import Asked, Reply, loopback

SINK = TimeStamps()
REJECTED = bytes.fromhex("30053003020102")


def _settings(url: str, of: Authority, policy: str | None = POLICY) -> dict[str, Any]:
    return SINK.checked({"url": url, "roots": [of.root], "policy": policy})


def _stamped(by: Authority, change: Callable[[bytes], bytes] = lambda query: query) -> Callable[[Asked], Reply]:
    return lambda asked: (200, by.stamp(change(asked.body)))


def test_an_honest_stamp_proves_the_time_and_openssl_agrees(tsa: Authority, log: Log) -> None:
    order = log.order(5)
    with loopback(_stamped(tsa)) as server:
        settings = _settings(f"{server.url}/tsr", tsa)
        evidence = SINK.submit(order, settings)
    at = SINK.verify(order.body, evidence, settings)
    assert abs(at - datetime.now(UTC)) < timedelta(seconds=30)
    assert "Verification: OK" in tsa.verifies(evidence, order.body)
    asked = server.asked[0]
    assert asked.headers["content-type"] == "application/timestamp-query"
    assert hashlib.sha256(order.body).digest() in asked.body


def test_a_chain_in_an_order_that_der_does_not_allow_is_put_right(other_tsa: Authority, log: Log) -> None:
    order = log.order(5)
    with loopback(_stamped(other_tsa)) as server:
        settings = _settings(server.url, other_tsa, policy=None)
        evidence = SINK.submit(order, settings)
    assert SINK.verify(order.body, evidence, settings) <= datetime.now(UTC)
    assert "Verification: OK" in other_tsa.verifies(evidence, order.body)


def _fresh_query(body: bytes) -> bytes:
    builder = TimestampRequestBuilder().data(body).hash_algorithm(HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes()


def _lies(log: Log, tsa: Authority, other_tsa: Authority) -> dict[str, tuple[Callable[[Asked], Reply], str]]:
    body = log.order(5).body
    ours, theirs = hashlib.sha256(body).digest(), hashlib.sha256(b"other").digest()
    return {
        "another imprint": (_stamped(tsa, lambda query: query.replace(ours, theirs)), "Mismatch between messages"),
        "another nonce": (_stamped(tsa, lambda query: _fresh_query(body)), "nonce is not ours"),
        "a root of its own": (_stamped(other_tsa), "does not verify"),
        "a rejection": (lambda asked: (200, REJECTED), "refused to stamp"),
        "garbage": (lambda asked: (200, b"\x30\x82garbage"), "no RFC 3161"),
        "a page": (lambda asked: (200, b"<html>Please sign in</html>"), "no RFC 3161"),
        "nothing": (lambda asked: (200, b""), "no RFC 3161"),
        "too much": (lambda asked: (200, bytes(sending.LARGEST_ANSWER + 1)), "larger than"),
        "an error": (lambda asked: (503, b"come back later"), "It answered 503: come back later."),
        "a redirect": (lambda asked: (302, b""), "redirects are not followed"),
        "a token and more": (lambda asked: (200, tsa.stamp(asked.body) + b"\0"), "no RFC 3161"),
    }


def test_every_lie_of_an_authority_is_refused_in_words(tsa: Authority, other_tsa: Authority, log: Log) -> None:
    order, wrong = log.order(5), {}
    lies = _lies(log, tsa, other_tsa)
    with loopback(_stamped(tsa)) as server:
        settings = _settings(server.url, tsa)
        for name, (lie, says) in lies.items():
            server.reply = lie
            try:
                SINK.verify(order.body, SINK.submit(order, settings), settings)
                wrong[name] = "was accepted"
            except SinkError as error:
                if says not in str(error):
                    wrong[name] = str(error)
    assert wrong == {}
    assert len(server.asked) == len(lies)


def test_a_stamp_under_another_policy_than_the_wanted_one_is_refused(other_tsa: Authority, log: Log) -> None:
    order = log.order(5)
    evidence = _evidence(other_tsa, order.body)
    with pytest.raises(SinkError, match="Policy ID mismatch"):
        SINK.verify(order.body, evidence, _settings("http://127.0.0.1/", other_tsa, POLICY))
    at = SINK.verify(order.body, evidence, _settings("http://127.0.0.1/", other_tsa, "1.2.3.4.99"))
    assert at <= datetime.now(UTC)


def _evidence(by: Authority, body: bytes) -> bytes:
    with loopback(_stamped(by)) as server:
        return SINK.submit(Order("anc_1", "origin", 1, body, datetime.now(UTC), 0, lambda old: []), {"url": server.url})


def test_a_flipped_bit_in_what_is_signed_is_refused(tsa: Authority, log: Log) -> None:
    body = log.order(5).body
    evidence, settings = _evidence(tsa, body), _settings("http://127.0.0.1/", tsa)
    at = evidence.index(hashlib.sha256(body).digest())
    for place in (at, at + 31, len(evidence) - 1):
        flipped = bytearray(evidence)
        flipped[place] ^= 1
        with pytest.raises(SinkError):
            SINK.verify(body, bytes(flipped), settings)


def test_an_authority_that_hangs_or_is_not_there_is_given_up(tsa: Authority, log: Log) -> None:
    with loopback(lambda asked: (200, b"")) as server:
        server.reply = server.hang
        with pytest.raises(SinkError, match=r"did not answer within 0\.2 s"):
            sending.posted(server.url, b"", "text/plain", seconds=0.2)
    with pytest.raises(SinkError, match="cannot be reached"):
        SINK.submit(log.order(5), {"url": server.url})


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"url": "ftp://tsa.example"}, "settings.url"),
        ({"url": "https://user:secret@tsa.example"}, "settings.url"),
        ({"url": "https://tsa.example:99999"}, "settings.url"),
        ({"url": 7}, "settings.url"),
        ({"roots": []}, "settings.roots"),
        ({"roots": ["-----BEGIN CERTIFICATE-----"]}, "settings.roots"),
        ({"roots": "PEM"}, "settings.roots"),
        ({"policy": "any"}, "settings.policy"),
        ({"colour": "red"}, "settings.colour"),
    ],
)
def test_settings_that_cannot_be_used_are_named(tsa: Authority, settings: dict[str, Any], field: str) -> None:
    whole = {"url": "https://tsa.example/tsr", "roots": [tsa.root], "policy": None}
    assert SINK.checked(whole) == whole
    with pytest.raises(Invalid) as caught:
        SINK.checked(whole | settings)
    assert [error.field for error in caught.value.errors] == [field]


def test_several_roots_in_one_text_are_kept_one_by_one(tsa: Authority, other_tsa: Authority) -> None:
    both = SINK.checked({"url": "https://tsa.example", "roots": [tsa.root + other_tsa.root]})
    assert both["roots"] == [tsa.root, other_tsa.root]
