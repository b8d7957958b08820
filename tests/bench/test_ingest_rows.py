"""What the ingest bench sends is what gateways and exporters send: nothing of it is turned away."""

import gzip
import json
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from relcontrol.bench.chaos_traffic import TOPIC
from relcontrol.bench.ingest_rows import batch, gateway_body, otlp_body
from relcontrol.clock import now
from releases.otlp.protobuf import read
from releases.otlp.receiving import drafted
from releases.traces.rows import Row, read_row, window_at

STAGE: Any = SimpleNamespace(route=SimpleNamespace(pk="rte_1"))


def test_each_row_of_a_batch_is_right_and_has_an_identity_of_its_own() -> None:
    at = now()
    rows = batch(STAGE, "a" * 64, at, 20)
    read_rows = [read_row(number, row, window_at(at, timedelta(days=1))) for number, row in enumerate(rows)]

    assert all(isinstance(row, Row) and row.body and row.metadata["topic"] == TOPIC for row in read_rows)
    assert len({row["trace_id"] for row in rows}) == 20


def test_a_batch_goes_out_as_gateways_send_it() -> None:
    rows = batch(STAGE, "a" * 64, now(), 3)

    assert json.loads(gzip.decompress(gateway_body(rows))) == {"traces": rows}


def test_each_span_becomes_a_row_with_input_and_output() -> None:
    drafts, reasons = drafted(read(otlp_body(now(), 20)))

    assert reasons == []
    assert len({one.row["trace_id"] for one in drafts}) == 20
    assert all(one.row["input"]["messages"] and one.row["output"] and one.row["subject"] for one in drafts)
