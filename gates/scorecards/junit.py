"""The scorecard as JUnit XML: one test case per slice and question, floor and limit. Pure.

A fail is a failure; what cannot be judged or waits for a review is an error, so that a held gate turns CI red as well.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final
from xml.etree import ElementTree as ET

from gates.scorecards.card import Card
from gates.scorecards.words import OUTCOME_WORDS, QUESTIONS, Part, capital, metric_title

ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
BESIDE: Final = "floors and limits"
STOPPED: Final = {"gate_pass": "pass", "gate_hold": "insufficient", "gate_fail": "fail"}


def junit(card: Card) -> bytes:
    """The whole file, in UTF-8."""
    suite = ET.Element("testsuite", name=legal(f"gate {card.application} {card.release}"))
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(card):
        ET.SubElement(properties, "property", name=name, value=legal(value))
    cases = list(_cases(card.document))
    for name, group, outcome, reasons in cases:
        _add(suite, name, group, outcome, reasons)
    outcomes = [outcome for *_, outcome, _ in cases]
    suite.set("tests", str(len(outcomes)))
    suite.set("failures", str(outcomes.count("fail")))
    suite.set("errors", str(sum(outcome in ("insufficient", "review") for outcome in outcomes)))
    suite.set("skipped", str(outcomes.count("not_measured")))
    ET.indent(suite)
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def legal(text: str) -> str:
    """A text without the characters that no XML document may contain."""
    return ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text)


def _properties(card: Card) -> Iterator[tuple[str, str]]:
    yield "verdict", card.document["verdict"]
    yield "manifest_sha256", card.manifest_sha256
    yield "gate_run_sha256", card.gate_run_sha256
    yield "suite", card.suite
    yield "link", card.link
    yield "dry_run", str(card.dry_run).lower()


def _cases(document: Part) -> Iterator[tuple[str, str, str, Sequence[str]]]:
    """Name, group, outcome and reasons of every test case."""
    for part in document["slices"]:
        if part["agreement"] is None:
            yield "Results", part["name"], part["verdict"], part["reasons"]
            continue
        for question in QUESTIONS:
            yield capital(question), part["name"], part[question]["verdict"], part[question]["reasons"]
    for row in (*document["floors"], *document["limits"]):
        yield metric_title(row["metric"]), BESIDE, row["verdict"], row["reasons"]
    if not document["slices"]:
        yield "Slices", "gate", STOPPED[document["verdict"]], document["reasons"]


def _add(suite: ET.Element, name: str, group: str, outcome: str, reasons: Sequence[str]) -> None:
    case = ET.SubElement(suite, "testcase", name=legal(name), classname=legal(group), time="0")
    text = legal("\n".join(reasons))
    tag = {"fail": "failure", "insufficient": "error", "review": "error", "not_measured": "skipped"}.get(outcome)
    if tag:
        first = legal(reasons[0]) if reasons else OUTCOME_WORDS[outcome]
        told = ET.SubElement(case, tag, message=first)
        if tag != "skipped":
            told.set("type", outcome)
            told.text = text
    if text:
        ET.SubElement(case, "system-out").text = text
