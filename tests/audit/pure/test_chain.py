"""The arithmetic of the chains."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import verify
from audit.chain import (
    Head,
    ReleaseHead,
    commitment,
    genesis_prev,
    leaf_of,
    next_link,
    receipt_hash,
    timestamp,
)
from tests.audit.pure.chains import ORIGIN, SALT

HASH = "ab" * 32
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


def test_the_genesis_depends_on_the_origin_alone() -> None:
    assert genesis_prev("acme") == hashlib.sha256(b"relcontrol/genesis/v1\x00acme").hexdigest()
    assert genesis_prev("acme") == verify.genesis_prev("acme")


def test_a_receipt_is_named_by_the_sha256_of_its_payload() -> None:
    assert receipt_hash(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_leaf_is_hashed_apart_from_inner_nodes() -> None:
    assert leaf_of(HASH) == hashlib.sha256(b"\x00" + b"\xab" * 32).digest()


def test_a_commitment_binds_field_salt_and_value() -> None:
    expected = hashlib.sha256(b'relcontrol/commit/v1\x00["actor.name","' + SALT.encode() + b'","Ada"]').hexdigest()
    assert commitment("actor.name", SALT, "Ada") == expected
    assert len({commitment(f, s, v) for f, s, v in [("a", SALT, "x"), ("b", SALT, "x"), ("a", SALT[::-1], "x")]}) == 3


@pytest.mark.parametrize("salt", ["", SALT[2:], SALT.upper(), "00" * 65, SALT + " "])
def test_a_salt_that_is_short_long_or_spelled_otherwise_is_refused(salt: str) -> None:
    with pytest.raises(ValueError, match="salt"):
        commitment("field", salt, 1)


def test_a_float_cannot_be_committed_to() -> None:
    with pytest.raises(Exception, match="floating-point"):
        commitment("field", SALT, {"score": [0.5]})


def test_a_value_too_deep_for_an_export_cannot_be_committed_to() -> None:
    value: object = "x"
    for _ in range(17):
        value = [value]
    with pytest.raises(ValueError, match="16 levels"):
        commitment("field", SALT, value)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_characters="\x00", codec="utf-8")),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_characters="\x00", codec="utf-8")), children, max_size=3)
    ),
    max_leaves=8,
)


@given(
    field=st.text(st.characters(exclude_characters="\x00", codec="utf-8")),
    salt=st.binary(min_size=16, max_size=64),
    value=json_values,
)
def test_writer_and_verifier_make_the_same_commitment(field: str, salt: bytes, value: object) -> None:
    assert commitment(field, salt.hex(), value) == verify.commitment(field, salt.hex(), value)


def test_the_first_receipt_points_to_the_genesis_and_its_release_to_nothing() -> None:
    link = next_link(origin=ORIGIN, head=None, has_release=True)
    assert (link.seq, link.prev, link.release_seq, link.release_prev) == (1, genesis_prev(ORIGIN), 1, None)


def test_the_next_receipt_points_to_both_heads() -> None:
    link = next_link(
        origin=ORIGIN, head=Head(7, HASH, timestamp(NOON)), release_head=ReleaseHead(2, "cd" * 32), has_release=True
    )
    assert (link.seq, link.prev, link.release_seq, link.release_prev) == (8, HASH, 3, "cd" * 32)


def test_an_event_without_a_release_has_no_place_in_a_release_chain() -> None:
    link = next_link(
        origin=ORIGIN, head=Head(7, HASH, timestamp(NOON)), release_head=ReleaseHead(2, HASH), has_release=False
    )
    assert (link.release_seq, link.release_prev) == (None, None)


def test_a_moment_is_written_in_utc_with_27_characters() -> None:
    assert timestamp(datetime(2026, 3, 15, 1, 0, tzinfo=timezone(timedelta(hours=2)))) == "2026-03-14T23:00:00.000000Z"


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        timestamp(datetime(2026, 3, 15))  # noqa: DTZ001  the missing zone is the point


# Hypothesis wants its bounds without a zone.
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


@given(
    a=st.datetimes(timezones=st.just(UTC), min_value=EPOCH),
    b=st.datetimes(timezones=st.just(UTC), min_value=EPOCH),
)
def test_written_moments_sort_as_moments_do(a: datetime, b: datetime) -> None:
    assert (a < b) == (timestamp(a) < timestamp(b))
