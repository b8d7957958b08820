"""What a run left for review and what no sign-off lifts, read from its document."""

from typing import Any

import pytest

from gates.reviews.items import blocks_in, is_lifted, reviews_in
from tests.gates.reviews.scene import limit, missing_entry, slice_entry

ITEM = "slice:ip:agreement"
REVIEWED = slice_entry("ip", "review")


def document(*slices: dict[str, Any], limits: Any = (), floors: Any = ()) -> dict[str, Any]:
    return {"slices": list(slices), "floors": list(floors), "limits": list(limits)}


def test_every_review_is_an_item_in_the_documents_order() -> None:
    found = reviews_in(
        document(
            slice_entry("ip", "review", change="review"), slice_entry("tax", "pass"), limits=[limit("tokens", "review")]
        )
    )
    assert [finding.item for finding in found] == ["slice:ip:agreement", "slice:ip:change", "limit:tokens"]
    assert found[0].reasons == ("This was a review.",)


def test_failed_and_insufficient_answers_are_no_items_but_stand_in_the_way() -> None:
    found = document(slice_entry("ip", "fail", "insufficient"), missing_entry("tax"), floors=[limit("ragas", "fail")])
    assert reviews_in(found) == []
    blocks = ["slice:ip:agreement", "slice:ip:quality", "slice:tax", "floor:ragas"]
    assert [finding.item for finding in blocks_in(found)] == blocks


@pytest.mark.parametrize(
    ("found", "signed", "lifted"),
    [
        (document(REVIEWED), [ITEM], True),
        (document(REVIEWED), [], False),
        (
            document(REVIEWED, limits=[limit("latency_p95", "not_measured")]),
            [ITEM],
            True,
        ),
        (document(slice_entry("ip", "review", "insufficient")), [ITEM], False),
        (document(REVIEWED, missing_entry("tax")), [ITEM], False),
        (
            document(REVIEWED, limits=[limit("parity", "insufficient")]),
            [ITEM],
            False,
        ),
        (document(REVIEWED, limits=[limit("tokens", "review")]), [ITEM], False),
        (document(slice_entry("ip", "pass")), [], False),
        (None, [], False),
    ],
)
def test_a_run_is_lifted_only_where_reviews_were_all_that_held_it(found: Any, signed: list[str], lifted: bool) -> None:
    assert is_lifted(found, signed) is lifted
