"""The authority of the tests makes time stamps that openssl accepts, and the product's own client."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from tests.audit.evidence.authority import OWN_TSA, TSA, Authority

AT = datetime(2026, 3, 15, 14, 3, tzinfo=UTC)


@pytest.mark.parametrize(("root", "accepted"), [(TSA, True), (OWN_TSA, False)], ids=["its root", "another root"])
def test_openssl_judges_a_token_by_its_root(tmp_path: Path, root: Authority, accepted: bool) -> None:
    (tmp_path / "body").write_bytes(b"a checkpoint\n")
    (tmp_path / "token").write_bytes(TSA.stamp(b"a checkpoint\n", AT))
    (tmp_path / "root.pem").write_text(root.root_pem)
    command = ["openssl", "ts", "-verify", "-in", "token", "-data", "body", "-CAfile", "root.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode == 0) is accepted, done.stderr


def test_the_client_accepts_it_and_no_other_body() -> None:
    response = decode_timestamp_response(TSA.stamp(b"a checkpoint\n", AT))
    verifier = VerifierBuilder(roots=[TSA.root]).build()
    assert verifier.verify_message(response, b"a checkpoint\n")
    assert response.tst_info.gen_time == AT
    with pytest.raises(VerificationError, match="Mismatch"):
        verifier.verify_message(response, b"another\n")


def test_the_same_is_made_of_the_same_bytes() -> None:
    assert TSA.stamp(b"a checkpoint\n", AT) == Authority(TSA.name).stamp(b"a checkpoint\n", AT)
