"""Rows of suite files: JSON lines, CSV and YAML say the same, and every wrong row is named."""

import csv
import io
import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gates.suite_files.cases import Scale, answer_id_of, read_scale
from gates.suite_files.collecting import MAX_LISTED, SuiteCollector, SuiteContent
from gates.suite_files.digests import suite_digest
from gates.suite_files.rows import format_of, read_rows
from relcontrol.bundle.canonical import sha256_ref
from relcontrol.errors import Invalid
from tests.gates.scene import ANSWER, CASES, lines

SLICES = {"ip-licensing", "contract-drafting"}
LINE_SEPARATOR = "\u2028"


def content_of(body: bytes, file_format: str = "jsonl", scale: Scale | None = None) -> SuiteContent:
    collector = SuiteCollector(SLICES, scale)
    for row in read_rows(body, file_format):
        collector.take(row)
    return collector.finished()


def problems_of(body: bytes, file_format: str = "jsonl", scale: Scale | None = None) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as raised:
        content_of(body, file_format, scale)
    return [(error.field, error.message) for error in raised.value.errors]


def case(**changes: Any) -> dict[str, Any]:
    return {"case_id": "c1", "slice": "ip-licensing", "input": "Why?"} | changes


def only_problem(**changes: Any) -> str:
    [(row, message)] = problems_of(lines([case(**changes)]))
    assert row == "row 1"
    return message


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["case_id", "slice", "input", "reference", "cluster_id", "answers"])
    writer.writeheader()
    for row in rows:
        writer.writerow(row | {"answers": json.dumps(row["answers"]) if "answers" in row else ""})
    return text.getvalue().encode()


def as_yaml(rows: list[dict[str, Any]]) -> bytes:
    return yaml.safe_dump(rows, allow_unicode=True).encode()


def test_the_three_formats_give_the_same_cases_answers_and_grades() -> None:
    rows = [dict(CASES[0], answers=[dict(ANSWER)]), CASES[1]]
    from_json = content_of(lines(rows))
    assert from_json.answer_count() == 1
    assert content_of(as_csv(rows), "csv") == from_json
    assert content_of(as_yaml(rows), "yaml") == from_json


def test_csv_takes_one_answer_per_row_from_columns_of_its_own() -> None:
    body = b"case_id,slice,input,answer_id,human_scores,raters\nc1,ip-licensing,Why?,a1,4; 5,ines;mara\n"
    [read] = content_of(body, "csv").cases
    assert read.answers[0].ratings == (("ines", 4.0), ("mara", 5.0))


def test_lines_end_at_line_feeds_only() -> None:
    text = f"one{LINE_SEPARATOR}two\x85three"
    for body, file_format in [(lines([case(input=text)]), "jsonl"), (as_csv([case(input=text)]), "csv")]:
        assert content_of(body, file_format).cases[0].input == text


def test_blank_lines_windows_line_ends_and_a_byte_order_mark_are_no_rows() -> None:
    body = b"\xef\xbb\xbf\n" + lines([case()]).replace(b"\n", b"\r\n\r\n")
    assert len(content_of(body).cases) == 1


def test_an_answer_without_a_name_is_named_by_the_digest_of_its_text() -> None:
    answers = [{"output": "Cafe\u0301.", "human_scores": [3]}]
    assert content_of(lines([case(answers=answers)])).cases[0].answers[0].answer_id == answer_id_of("Café.")


def test_unnamed_raters_are_numbered() -> None:
    read = content_of(lines([case(answers=[dict(ANSWER)])])).cases[0]
    assert [rater for rater, _ in read.answers[0].ratings] == ["unnamed-1", "unnamed-2", "unnamed-3"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"case_id": 7}, "case_id: Must be a string"),
        ({"case_id": ""}, "case_id: Must not be empty"),
        ({"input": None}, "input: Must be a string"),
        ({"input": "x" * 200_001}, "input: Has 200,001 characters"),
        ({"input": "nul \x00"}, "NUL"),
        ({"reference": ["a"]}, "reference: Must be a string"),
        ({"refrence": "x"}, "Unknown field 'refrence'"),
        ({"answers": {}}, "answers: Must be a list"),
        ({"answers": [{"human_scores": [1]}]}, "answers[0]: Give the answer's text"),
        ({"answers": [{"answer_id": "a", "human_scores": []}]}, "answers[0].human_scores: Give at least one grade"),
        (
            {"answers": [{"answer_id": "a", "human_scores": [True]}]},
            "answers[0].human_scores[0]: Must be a finite number",
        ),
        (
            {"answers": [{"answer_id": "a", "human_scores": ["4"]}]},
            "answers[0].human_scores[0]: Must be a finite number",
        ),
        ({"answers": [{"answer_id": "a", "human_scores": [1, 2], "raters": ["x"]}]}, "Names 1 raters for 2 grades"),
        ({"answers": [{"answer_id": "a", "human_scores": [1, 2], "raters": ["x", "x"]}]}, "one name stands here twice"),
        ({"answers": [dict(ANSWER), dict(ANSWER)]}, "stands twice in this case"),
    ],
)
def test_a_wrong_field_is_named_with_its_row(changes: dict[str, Any], says: str) -> None:
    assert says in only_problem(**changes)


@pytest.mark.parametrize(
    "text", ['{"case_id": NaN}', '{"case_id": "a", "case_id": "b"}', "[1", '{"a": "\\ud800"}', "7", '"x"']
)
def test_json_that_is_not_strict_is_a_problem_of_its_row(text: str) -> None:
    problems = problems_of(lines([case()]) + text.encode())
    assert {row for row, _ in problems} == {"row 2"}


def test_grades_outside_the_scale_are_refused() -> None:
    body = lines([case(answers=[{"answer_id": "a", "human_scores": [5, 6]}])])
    [(_, message)] = problems_of(body, scale=(1, 5))
    assert message == "answers[0].human_scores[1]: 6 is outside the grade scale 1 to 5."


def test_a_case_that_stands_twice_is_refused_with_both_rows() -> None:
    [(row, message)] = problems_of(lines([case(), case(case_id="c2"), case(input="Other?")]))
    assert (row, "row 1 already" in message) == ("row 3", True)


def test_every_problem_is_told_and_the_first_thousand_are_listed() -> None:
    with pytest.raises(Invalid, match=r"1,200 problems. The first 1,000 are listed") as raised:
        content_of(lines([{"case_id": f"c{row}", "slice": "ip-licensing"} for row in range(1200)]))
    assert len(raised.value.errors) == MAX_LISTED


def test_unknown_slices_are_listed_once_each() -> None:
    rows = [case(case_id=f"c{row}", slice="nowhere" if row else "ip-licensing") for row in range(5)]
    with pytest.raises(Invalid, match="Unknown slices: nowhere") as raised:
        content_of(lines(rows))
    assert [(e.field, e.message) for e in raised.value.errors] == [
        ("row 2", "slice: There is no slice 'nowhere'. 4 rows name it.")
    ]


def test_an_unknown_slice_is_told_beside_the_other_problems_of_its_row() -> None:
    problems = problems_of(lines([case(slice="nowhere", input=1)]))
    assert [message.partition(":")[0] for _, message in problems] == ["input", "slice"]


def test_a_file_without_a_case_is_refused() -> None:
    with pytest.raises(Invalid, match="no case"):
        content_of(b"\n\n")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"case_id,slice\nc1,a\n", "missing: input"),
        (b"case_id,slice,input,extra\n", "Unknown columns: 'extra'"),
        (b"case_id,slice,input,input\n", "stands twice"),
        (b"case_id,slice,input\nc1,ip-licensing\n", "Has 2 cells for 3 columns"),
        (b'case_id,slice,input\nc1,ip-licensing,"open\n', "Not CSV"),
        (b"case_id,slice,input,answers\nc1,ip-licensing,x,[1\n", "answers: Not JSON"),
        (b"case_id,slice,input,answer_id,human_scores\nc1,ip-licensing,x,a,1_0\n", "Must be a finite number"),
        (b"case_id,slice,input\nc1,ip-licensing,caf\xe9\n", "Not valid UTF-8"),
    ],
)
def test_csv_that_cannot_be_read_says_why(body: bytes, says: str) -> None:
    assert says in problems_of(body, "csv")[0][1]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("case_id: c1", "must be a list of cases"),
        ("- &a {case_id: x}\n- *a", "anchor &a"),
        ("- [*a]", "alias *a"),
        ("- {case_id: c1, slice: ip-licensing, input: !!python/name:os.system x}", "The tag"),
        ("- {case_id: a, case_id: b}", "stands twice"),
        ("- {1: b}", "no text"),
        ("- {case_id: 1, slice: ip-licensing, input: x}", "case_id: Must be a string"),
        ("- x: [1", "Not YAML"),
        ("- {case_id: c1, slice: ip-licensing, input: x}\n---\n- {}", "second document"),
        (f"- {'[' * 5000}", "Nested deeper"),
    ],
)
def test_yaml_that_cannot_be_read_says_why(text: str, says: str) -> None:
    assert any(says in message for _, message in problems_of(text.encode(), "yaml"))


def test_yaml_words_that_other_readers_take_for_booleans_or_dates_are_text() -> None:
    body = b"- {case_id: no, slice: ip-licensing, input: 2026-11-20}"
    read = content_of(body, "yaml").cases[0]
    assert (read.case_id, read.input) == ("no", "2026-11-20")


def test_the_format_is_what_is_named_then_the_file_then_the_type() -> None:
    assert format_of(named="yaml", file_name="a.csv", content_type="text/csv") == "yaml"
    assert format_of(file_name="A.CSV", content_type="application/json") == "csv"
    assert format_of(content_type="text/csv; charset=utf-8") == "csv"
    assert format_of(content_type="application/x-www-form-urlencoded") == "jsonl"
    with pytest.raises(Invalid):
        format_of(named="xlsx")


@pytest.mark.parametrize("text", ["5,1", "1", "1,2,3", "a,b", "nan,1", "1,1", "1e9,2e9"])
def test_a_grade_scale_is_two_rising_numbers(text: str) -> None:
    with pytest.raises(Invalid):
        read_scale(text)
    assert read_scale("1, 5") == (1.0, 5.0)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=30)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"case_id": TEXTS, "slice": st.sampled_from(sorted(SLICES)), "input": TEXTS},
        optional={"reference": TEXTS, "cluster_id": TEXTS},
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: row["case_id"],
)


@settings(max_examples=60, deadline=None)
@given(ROWS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))))
def test_the_order_of_the_rows_changes_no_digest(both: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> None:
    collector = [SuiteCollector(SLICES, None) for _ in both]
    for one, rows in zip(collector, both, strict=True):
        for row in read_rows(lines(rows), "jsonl"):
            one.take(row)
    if any(one.problem_count for one in collector):  # two case_ids that are one in NFC
        return
    first, second = (one.finished() for one in collector)
    assert first.sha256 == second.sha256


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_the_digest_is_the_one_over_the_canonical_bytes_of_the_whole_suite(rows: list[dict[str, Any]]) -> None:
    collector = SuiteCollector(SLICES, None)
    for row in read_rows(lines(rows), "jsonl"):
        collector.take(row)
    if collector.problem_count:
        return
    cases = collector.finished().cases
    names = ("case_id", "slice", "input", "reference", "cluster_id")
    value = {"schema": "relcontrol/suite/v1", "cases": [{name: getattr(one, name) for name in names} for one in cases]}
    assert suite_digest(cases) == sha256_ref(value)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["jsonl", "csv", "yaml"]))
def test_no_bytes_are_taken_for_a_suite_or_break_the_reader(body: bytes, file_format: str) -> None:
    with pytest.raises(Invalid):
        content_of(body, file_format)
