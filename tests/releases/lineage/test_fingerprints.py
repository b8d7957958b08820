"""What was judged beside what answered."""

import pytest

from releases.lineage.fingerprints import compared

A, B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("bundle", "parity", "online", "verdict", "offline"),
    [
        (A, "match", A, "same", A),
        (A, "match", B, "other", A),
        (A, "not_claimed", B, "other", A),
        (A, "not_claimed", A, "not_judged", None),
        (A, None, A, "not_judged", None),
        (A, "match", None, "not_reported", A),
        (None, None, A, "not_judged", None),
    ],
)
def test_they_are_the_same_or_not_or_it_is_said_why_nobody_knows(
    bundle: str | None, parity: str | None, online: str | None, verdict: str, offline: str | None
) -> None:
    found = compared(bundle=bundle, parity=parity, online=online)
    assert (found.verdict, found.offline, found.online) == (verdict, offline, online)
    assert found.sentence.endswith(".")
