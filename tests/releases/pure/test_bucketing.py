"""Assignment: golden values, sticky, only growing, spread evenly, and whose request it is."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.bucketing import BUCKETS, Arm, Source, Subject, arm_of, bucket, subject_of

SALT = "rollout-7f3a"
SUBJECTS = st.text(max_size=40)
SHARES = st.integers(0, BUCKETS)
KEY = "a" * 64
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["role", "content"]), inner),
    max_leaves=8,
)


def _subject(header: str | None = None, key: str = KEY, request_id: str = "req-1", **body: Any) -> Subject:
    return subject_of(header=header, body=body, key_digest=key, request_id=request_id)


def _says(*messages: tuple[str, object]) -> list[dict[str, object]]:
    return [{"role": role, "content": content} for role, content in messages]


@pytest.mark.parametrize(
    ("subject", "expected"), [("user-1", 9742), ("user-42", 771), ("tenant-12:user-48213", 1743), ("", 896)]
)
def test_the_buckets_are_those_of_the_design(subject: str, expected: int) -> None:
    assert bucket(SALT, subject) == expected


def test_a_subject_below_the_share_is_answered_by_the_candidate() -> None:
    assert arm_of(salt=SALT, subject="user-42", basis_points=772) is Arm.CANDIDATE
    assert arm_of(salt=SALT, subject="user-42", basis_points=771) is Arm.STABLE


@given(SUBJECTS, SUBJECTS, SHARES, SHARES)
def test_growing_the_share_never_moves_a_subject_back(salt: str, subject: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    if arm_of(salt=salt, subject=subject, basis_points=small) is Arm.CANDIDATE:
        assert arm_of(salt=salt, subject=subject, basis_points=large) is Arm.CANDIDATE


@given(SUBJECTS, SUBJECTS)
def test_nobody_is_a_candidates_subject_at_nothing_and_everybody_at_all_traffic(salt: str, subject: str) -> None:
    assert arm_of(salt=salt, subject=subject, basis_points=0) is Arm.STABLE
    assert arm_of(salt=salt, subject=subject, basis_points=BUCKETS) is Arm.CANDIDATE


@pytest.mark.parametrize("share", [-1, BUCKETS + 1])
def test_a_share_outside_of_all_traffic_is_a_programmers_error(share: int) -> None:
    with pytest.raises(ValueError, match="basis points"):
        arm_of(salt=SALT, subject="any", basis_points=share)


@pytest.mark.parametrize("percent", [5, 25, 50])
def test_the_share_of_subjects_is_the_share_asked_for(percent: int) -> None:
    total, share = 20_000, percent / 100
    taken = sum(bucket(SALT, f"user-{number}") < percent * 100 for number in range(total))
    assert abs(taken - total * share) < 4 * math.sqrt(total * share * (1 - share))


@given(st.text(min_size=1, max_size=40), st.sets(SUBJECTS, max_size=200))
def test_the_five_percent_lie_inside_the_twenty_five(salt: str, subjects: set[str]) -> None:
    five, quarter = (
        {subject for subject in subjects if arm_of(salt=salt, subject=subject, basis_points=share) is Arm.CANDIDATE}
        for share in (500, 2_500)
    )
    assert five <= quarter


def test_the_twenty_five_percent_add_subjects_to_the_five() -> None:
    drawn = [bucket(SALT, f"user-{number}") for number in range(5_000)]
    assert {n for n, at in enumerate(drawn) if at < 500} < {n for n, at in enumerate(drawn) if at < 2_500}


def test_two_rollouts_share_subjects_by_chance_only() -> None:
    total = 20_000
    both = sum(bucket("rol_1", f"u{n}") < 2_500 and bucket("rol_2", f"u{n}") < 2_500 for n in range(total))
    assert abs(both - total / 16) < 4 * math.sqrt(total / 16)


def test_neighbouring_subjects_fall_anywhere() -> None:
    tenths = [0] * 10
    for number in range(10_000):
        tenths[bucket(SALT, f"tenant-1:user-{number}") // 1_000] += 1
    assert max(abs(count - 1_000) for count in tenths) < 150


def test_the_subject_is_looked_for_in_the_order_of_the_design() -> None:
    body: dict[str, Any] = {
        "metadata": {"conversation_id": "talk", "tenant": "acme"},
        "user": "ann",
        "messages": _says(("system", "Be brief."), ("user", "Hello")),
    }
    assert _subject(header="mine", **body) == Subject("mine", Source.HEADER)
    assert _subject(**body) == Subject("talk", Source.CONVERSATION)
    assert _subject(**{**body, "metadata": {"tenant": "acme"}}) == Subject("ann", Source.USER)
    assert _subject(metadata={"tenant": "acme"}, messages=body["messages"]) == Subject("acme", Source.TENANT)
    assert _subject(messages=body["messages"]).source is Source.FIRST_MESSAGE


def test_anonymous_subjects_are_the_digest_of_key_and_first_user_message() -> None:
    golden = "f763cfd1ada8ddc59ac02e64c95ddd29f5428c44ec78790426a6bda269dac33d"
    assert _subject(messages=_says(("user", "Hello"))).value == golden


def test_a_conversation_that_grows_stays_where_it_began() -> None:
    begun = _says(("system", "Be brief."), ("user", "Hello"))
    assert _subject(messages=begun) == _subject(messages=begun + _says(("assistant", "Hi"), ("user", "Next")))


def test_the_system_prompt_is_no_part_of_the_subject() -> None:
    one, other = (_says(("system", prompt), ("user", "Hello")) for prompt in ("Be brief.", "Be exact."))
    assert _subject(messages=one) == _subject(messages=other)


def test_the_same_first_message_under_another_key_is_another_subject() -> None:
    messages = _says(("user", "Hello"))
    assert _subject(messages=messages) != _subject(messages=messages, key="b" * 64)


def test_a_thousand_anonymous_requests_spread() -> None:
    requests = [_says(("system", "Be brief."), ("user", f"Question {number}")) for number in range(1_000)]
    buckets = [bucket(SALT, _subject(messages=messages).value) for messages in requests]
    assert len(set(buckets)) > 900
    assert 10 <= sum(at < 500 for at in buckets) <= 90


def test_requests_with_nothing_but_a_system_prompt_spread_as_well() -> None:
    messages = _says(("system", "Be brief."))
    found = {_subject(messages=messages, request_id=f"req-{number}") for number in range(10)}
    assert len(found) == 10
    assert {subject.source for subject in found} == {Source.REQUEST}


def test_a_message_of_parts_counts_whole() -> None:
    one, other = ([{"type": "image_url", "image_url": {"url": url}}] for url in ("a.png", "b.png"))
    assert _subject(messages=_says(("user", one))) != _subject(messages=_says(("user", other)))


def test_an_embeddings_request_is_known_by_its_input() -> None:
    assert _subject(input="a text").source is Source.FIRST_MESSAGE
    assert _subject(input=["a text"]) != _subject(input=["another"])


@pytest.mark.parametrize("nothing", ["", "   ", None, True, [], {}, 1.5])
def test_what_is_blank_or_no_name_names_nobody(nothing: Any) -> None:
    found = _subject(metadata={"conversation_id": nothing, "tenant": nothing}, user=nothing)
    assert found == Subject("req-1", Source.REQUEST)


def test_a_whole_number_names_a_user() -> None:
    assert _subject(user=48213) == Subject("48213", Source.USER)


def test_half_a_character_is_a_subject_too() -> None:
    assert 0 <= bucket(SALT, _subject(user="\ud83d").value) < BUCKETS


@given(st.dictionaries(st.sampled_from(["metadata", "user", "messages", "input", "prompt"]), JSON))
def test_any_body_has_a_subject_that_is_not_empty(body: dict[str, Any]) -> None:
    assert _subject(**body).value.strip()
