"""Lists cost the same number of queries at 3 rows and at 30; single calls stay below a ceiling."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.releases.scene import PROMPT_VALUE, Scene

LIST_CEILING = 4
RELEASES_CEILING = 8  # their standings: runs, running ones, overrides, sign-offs, and overrides not yet used
ONE_CEILING = 6
REGISTER_CEILING = 32


def _queries(northgate: Scene, path: str, **query: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert northgate.ci.get(path, **query).status_code == 200
    return len(captured)


@pytest.mark.parametrize("rows", [3, 30])
def test_the_list_of_releases_costs_the_same_at_any_length(northgate: Scene, rows: int) -> None:
    for number in range(rows):
        northgate.registered(generation={"seed": number})
    assert _queries(northgate, "releases") <= RELEASES_CEILING


@pytest.mark.parametrize("rows", [3, 30])
def test_the_list_of_artifacts_costs_the_same_at_any_length(northgate: Scene, rows: int) -> None:
    for number in range(rows):
        northgate.ci.post("artifacts", {"ref": f"p{number}@v1", "value": PROMPT_VALUE | {"system": str(number)}})
    assert _queries(northgate, "artifacts") <= LIST_CEILING


def test_reading_one_release_and_its_difference_is_bounded(northgate: Scene) -> None:
    first = northgate.registered()
    made = northgate.registered(generation={"seed": 1}, previous_release=first["release_id"])
    for path in ("", "/manifest", "/diff"):
        assert _queries(northgate, f"releases/{made['release_id']}{path}") <= ONE_CEILING


def test_registering_is_bounded_whatever_was_registered_before(northgate: Scene) -> None:
    counts = []
    for number in range(12):
        with CaptureQueriesContext(connection) as captured:
            northgate.registered(generation={"seed": number})
        counts.append(len(captured))
    assert max(counts) <= REGISTER_CEILING
    assert counts[-1] <= counts[1]
