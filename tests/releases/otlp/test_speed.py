"""How many spans a second one core reads and maps, without the database."""

import time

import pytest

from releases.otlp.protobuf import read
from releases.otlp.receiving import drafted
from tests.releases.otlp.made import CHAT, numbered, protobuf, span

BATCH = 512
ROUNDS = 8
LEAST = 2_000  # a second; 20,000 is the target, machines that run other tests meanwhile are not what is measured


def test_a_batch_of_512_spans_is_mapped_fast(capsys: pytest.CaptureFixture[str]) -> None:
    body = protobuf(
        *(span(CHAT, span_id=numbered(number)) for number in range(1, BATCH + 1)),
        resource={"service.name": "legal-assistant", "service.version": "r12"},
    )
    best = min(_seconds(body) for _ in range(ROUNDS))
    with capsys.disabled():
        print(f"\nOTLP: {BATCH / best:,.0f} spans/s of one core, parsed and mapped")  # noqa: T201 - the measurement
    assert BATCH / best > LEAST


def _seconds(body: bytes) -> float:
    before = time.process_time()
    drafts, reasons = drafted(read(body))
    after = time.process_time()
    assert (len(drafts), reasons) == (BATCH, [])
    return after - before
