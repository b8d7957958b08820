"""Chunks that mean the same on every machine, and Hypothesis strategies of them."""

from hypothesis import settings
from hypothesis import strategies as st

from releases.monitors.arms import ArmSums, Counts
from releases.monitors.error_sums import ErrorSums

unhurried = settings(deadline=None, max_examples=40)  # the machine is shared

SUBJECTS = st.sampled_from([f"user-{number}" for number in range(40)])
COUNTS = st.integers(0, 60).flatmap(lambda n: st.builds(Counts, st.just(n), st.integers(0, n)))
ARM_CHUNKS = st.dictionaries(SUBJECTS, COUNTS, max_size=12)
ERROR_CHUNKS = st.builds(ErrorSums.of_chunk, ARM_CHUNKS, ARM_CHUNKS)
LATENCIES = st.one_of(st.floats(0, 1e6), st.sampled_from([float("nan"), float("inf"), float("-inf"), -1.0]))
LATENCY_CHUNKS = st.dictionaries(SUBJECTS, st.lists(LATENCIES, max_size=8), max_size=8)
DIFFERENCES = st.lists(
    st.none() | st.sampled_from([float("nan"), float("inf"), float("-inf")]) | st.floats(-2, 2), max_size=30
)


def spread_over(subjects: int, requests: int, errors: int, *, first: int = 0) -> dict[str, Counts]:
    """Return requests dealt out to subjects in turn, and errors from subject ``first`` on."""
    return {
        f"subject-{number}": Counts(
            len(range(number, requests, subjects)), len(range((number - first) % subjects, errors, subjects))
        )
        for number in range(subjects)
    }


def both_arms(
    candidate: tuple[int, int], stable: tuple[int, int], *, subjects: int = 100, chunks: int = 1
) -> ErrorSums:
    """Return ``chunks`` equal chunks of (errors, requests) of both arms; other subjects fail in each."""
    sums = ErrorSums()
    for number in range(chunks):
        own = spread_over(subjects, candidate[1], candidate[0], first=number * candidate[0])
        sums += ErrorSums.of_chunk(own, spread_over(10 * subjects, stable[1], stable[0], first=number * stable[0]))
    return sums


def arm(errors: int, requests: int, *, subjects: int = 200) -> ArmSums:
    """Return one arm with its errors dealt out to subjects in turn."""
    return ArmSums.of_chunk(spread_over(subjects, requests, errors))
