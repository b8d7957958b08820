"""A body that each command accepts, and what can be wrong with one.

A new command of the API needs its line in `ACCEPTED`; the tests say so.
"""

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from django.conf import settings

from relcontrol.api.openapi import FILE
from tests.api.addresses import Address, calls
from tests.audit.weights.observing import key as weights_key
from tests.audit.weights.observing import signed_observation, statement
from tests.releases.scene import PROMPT_VALUE, body

T = TypeVar("T")

# By the name of the address. Suites and grades are files and no JSON objects: tests/gates sends them.
ACCEPTED: Mapping[str, dict[str, Any]] = {
    "api-applications": {"slug": "second", "name": "The second"},
    "api-application": {"name": "Renamed", "client_settings": ["temperature"]},
    "api-routes": {
        "application": "legal-assistant",
        "routing": {"domain": "medical"},
        "name": "Medical",
        "is_default": False,
    },
    "api-endpoints": {
        "name": "spare",
        "base_url": "http://127.0.0.1:11435/v1",
        "credential": "SPARE_KEY",
        "input_price": "0.0000015",
        "output_price": "0.000002",
        "serves": ["hf:org/repo"],
    },
    "api-endpoint": {
        "base_url": "http://127.0.0.1:11436/v1",
        "credential": "OTHER_KEY",
        "input_price": "0.000001",
        "output_price": "0.000003",
        "serves": ["openai:gpt-4o-mini"],
    },
    "api-redactions": {"redactions": [{"pattern": "[a-z]+@[a-z.]+", "with": "[mail]"}]},
    "api-subject-erase": {"subject": "user-42", "reason": "She asked for it by letter."},
    "api-anchors": {"if_new": False},
    "api-anchor-schedule": {
        "every_receipts": 500,
        "every_minutes": 60,
        "overdue_minutes": 120,
        "on_promotion": True,
        "on_rollback": False,
        "expected_revision": 1,
    },
    "api-anchor-sinks": {
        "name": "our own copy",
        "kind": "webhook",
        "settings": {"url": "http://127.0.0.1:1/heads", "secret_name": "heads"},
    },
    "api-anchor-sink": {
        "name": "another copy",
        "settings": {"url": "http://127.0.0.1:1/other", "secret_name": "heads"},
        "enabled": True,
        "expected_revision": 1,
    },
    "api-exports": {
        "scope": {"organization": True},
        "from": "2026-01-01T00:00:00Z",
        "to": "2036-01-01T00:00:00Z",
        "opens": "impersonal",
    },
    "api-scopes": {
        "name": "Quarterly",
        "scope": {"organization": True},
        "opens": "impersonal",
        "from": "2026-01-01T00:00:00Z",
        "to": "2036-01-01T00:00:00Z",
    },
    "api-slices": {
        "slug": "new-slice",
        "name": "New",
        "description": "What is new.",
        "parent": "ip-licensing",
        "owner": "domain-owner@northgate.example",
        "threshold": 0.7,
        "quality_floor": 0.5,
        "policy": "point",
        "n_min": 20,
        "match": {"metadata": {"matter": "licence"}},
    },
    "api-slices-import": {
        "slices": [{"slug": "imported", "parent": "ip-licensing", "threshold": 0.6, "match": {"locale": "fr"}}],
        "dry_run": False,
    },
    "api-slice-matches": {
        "match": {"metadata": {"matter": "licence"}},
        "slug": "new-slice",
        "parent": "ip-licensing",
        "application": "legal-assistant",
    },
    "api-slice": {
        "name": "Renamed",
        "description": "Said in other words.",
        "parent": None,
        "threshold": 0.8,
        "policy": "guarded",
        "n_min": 30,
        "expected_version": 1,
    },
    "api-policies": {
        "kind": "gate",
        "application": "legal-assistant",
        "max_per_case_regression": "2.5",
        "small_drops_need_review": True,
        "parity_not_claimed": "review",
        "floors": {"ragas": "0.78"},
        "tokens_review_percent": "10",
        "tokens_fail_percent": "20",
        "latency_p95_ms": "900",
        "latency_p95_ratio": "1.5",
        "second_person": True,
        "override_hours": 12,
        "expected_version": 0,
    },
    "api-gate-run-sign-off": {
        "reason": "Both answers were checked by hand with the patent team.",
        "items": ["limit:tokens"],
    },
    "api-allowlist": {
        "suite": "suite-of-northgate",
        "case_id": "c1",
        "justification": "The panel graded the old answer too high.",
        "until": "2036-01-01T00:00:00Z",
    },
    "api-allowlist-approve": {"comment": "Read both answers."},
    "api-allowlist-reject": {"comment": "The new answer is wrong."},
    "api-allowlist-withdraw": {"comment": "The case is repaired."},
    "api-release-override": {
        "forceGateOverride": True,
        "overrideReason": "The clients need the corrected periods before December.",
        "slices": ["ip-licensing"],
        "accepted_levels": {"ip-licensing": "0.6"},
        "expires_in_seconds": 3600,
    },
    "api-override-approve": {"comment": "The deadline is real."},
    "api-override-reject": {"comment": "Not before the router blocks them."},
    "api-override-withdraw": {"comment": "A later release mends it."},
    "api-gate-run-cancel": {"reason": "The wrong file was sent."},
    "api-ratings": {
        "suite": "suite-of-northgate",
        "grade_scale": [1, 5],
        "ratings": [{"case_id": "c1", "answer_id": "a1", "rater": "expert-1", "grade": 4.5}],
    },
    "api-release-gate-runs": {
        "suite": None,
        "judge": "external:other@1",
        "scale": [0, 1],
        "grade_scale": [1, 5],
        "parity": None,
        "branch": "main",
        "commit": "3f9ac41",
        "feature_snapshot": "features@12",
        "dry_run": False,
        "results": [
            {
                "case_id": "c1",
                "answer_id": "a1",
                "output": "Yes.",
                "score": 0.91,
                "scores": {"ragas": 0.8},
                "rescores": [0.9],
                "previous_rescores": [0.8],
                "human_scores": [4],
                "raters": ["expert-1"],
                "reason": "States the rule.",
                "latency_ms": 812,
                "input_tokens": 310,
                "output_tokens": 120,
                "error": None,
            }
        ],
    },
    "api-calibrations": {
        "suite": "measured-on-of-northgate",
        "slices": ["ip-licensing"],
        "scores": [{"case_id": "c1", "answer_id": "a1", "score": 0.9}],
    },
    "api-calibration-cancel": {"reason": "The wrong suite."},
    "api-judges": {
        "name": "rules:strict@1",
        "rules": {
            "refusal": True,
            "impossible_dates": True,
            "must_match": ["licen[cs]e"],
            "must_not_match": ["guarantee"],
            "min_chars": 1,
            "max_chars": 2000,
        },
    },
    "api-panels": {
        "name": "Legal answers, November",
        "rubric": "5: right and complete. 1: wrong, or no answer.",
        "source": "suite",
        "suite": "graded-of-northgate",
        "slices": ["ip-licensing"],
        "count": 1,
        "raters": ["viewer@northgate.example"],
        "raters_per_answer": 1,
        "scale": [1, 5],
        "seed": 7,
    },
    "api-panel-rate": {"grade": 4},
    "api-panel-skip": {"reason": "I do not know this area of law."},
    "api-panel-undo": {"task_id": None},
    "api-panel-adjudicate": {"decision": "keep", "reason": "Both readings are possible."},
    "api-panel-close": {"anyway": True},
    "api-panel-cancel": {"reason": "The wrong suite was named."},
    "api-application-keys": {"name": "mobile", "route": None},
    "api-rollout-policies": {
        "application": "legal-assistant",
        "route": None,
        "name": "Groundedness",
        "metric": "score:groundedness",
        "minimum": 0.7,
        "window_seconds": 900,
        "n_min": 30,
        "action": "pause_for_review",
        "dry": False,
    },
    "api-rollout-policy": {
        "name": "Toxicity of answers",
        "maximum": 0.2,
        "window_seconds": 600,
        "n_min": 50,
        "action": "pause_for_review",
        "dry": True,
        "expected_version": 1,
    },
    "api-drift-alarm-decide": {"decision": "keep", "comment": "We read fifty of them: they are right."},
    "api-feedback": {"request_id": "req-1", "kind": "score", "name": "groundedness", "value": 0.9},
    "api-rollout-command": {"reason": "Experts want to read the answers.", "expected_version": 1},
    "api-rollout-scores": {"scores": [{"pair_id": "rpp_of_northgate", "candidate": 0.8, "stable": 0.9}]},
    "api-route-rollback": {"reason": "Answers on licences are wrong.", "to": None, "rehearse": False},
    "api-artifacts": {"ref": "templates/fresh@v1", "value": PROMPT_VALUE | {"system": "Answer briefly."}},
    "api-releases": body(
        application="legal-assistant",
        generation={"seed": 7, "temperature": 0.2},
        acknowledged_changes=[],
        rebase=False,
        artifacts=[{"ref": "templates/enclosed@v1", "value": PROMPT_VALUE | {"system": "Enclosed."}}],
    ),
    "api-release-archive": {"reason": "It invents periods of notice."},
    "api-weights-statements": {"bundle": statement().bundle, "public_key": weights_key().public.pem.decode()},
    "api-weights-observers": {"name": "gpu-9", "public_key": weights_key("gpu-9").public.pem.decode()},
    "api-weights-observations": {
        "envelope": signed_observation(f"{settings.ORIGIN_HOST}/northgate"),
        "statement": statement().bundle,
    },
    "api-release-roll": {
        "strategy": "canary",
        "checkpoints": [
            {"percent": 5, "dwell_seconds": 600, "requests": 100},
            {"percent": 25, "dwell_seconds": 600, "requests": 100},
            {"percent": 100, "dwell_seconds": 600, "requests": 100},
        ],
        "dry_monitors": ["latency"],
        "weights_drift": "review",
        "reason": "The evaluation is through.",
    },
}
FILES = {"api-suites", "api-panel-import"}
# There is nothing that they must be told.
BODILESS = {
    "api-anchors",
    "api-gate-run-cancel",
    "api-calibration-cancel",
    "api-panel-undo",
    "api-panel-close",
    "api-panel-cancel",
}
COMMANDS = [
    (address, method)
    for address in calls()
    for method in ("POST", "PATCH", "PUT")  # a DELETE has no body
    if address.call and method in address.call.permissions and address.name not in FILES
]

# Of each kind of JSON value what is most likely to get through a careless check.
VALUES: tuple[Any, ...] = (None, True, -1, 10**40, 1.5, "", "x", [], [None], {"x": {"y": [1]}}, {"": ""})

# Texts that have broken somebody's system.
HOSTILE: Mapping[str, str] = {
    "script": "<script>alert(1)</script>",
    "attribute and SQL": "\" onmouseover='alert(1)' x=\"'; DROP TABLE audit_receipt; --",
    "format": "%s%n%(x)s{0}{x.__class__}{{ 7 * 7 }}${7*7}{% now 'Y' %}",
    "path": "../../../../etc/passwd%00..%2f",
    "marks": "\u202eevil\u2066\u200f\x01\x1b[31m\x7f\x9f\ufeff\ufffe \U0001f9d1\u200d\U0001f680 e\u0301",
    "lines": "one\r\nSet-Cookie: two=2\n\n\u2028three",
    "long": "x" * 20_000,
}


def accepted(address: Address) -> dict[str, Any]:
    """A body that this command takes."""
    assert address.name in ACCEPTED, f"add a body that {address.name} accepts to ACCEPTED in tests/api/bodies.py"
    return copy.deepcopy(ACCEPTED[address.name])


def dealt(values: Sequence[T], turn: int, hands: int) -> Sequence[T]:
    """Every so many-th value; as many turns one after the other deal all of them."""
    return values[turn % hands :: hands]


@cache
def schema() -> dict[str, Any]:
    """The schema as it is committed."""
    document: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return document


def with_each_value_replaced(whole: Any, by: Any) -> Iterator[tuple[str, Any]]:
    """The whole, once for each place in it, with something else in that place; and the name of the place."""
    for place in _places(whole, ()):
        changed = copy.deepcopy(whole)
        inside = changed
        for step in place[:-1]:
            inside = inside[step]
        inside[place[-1]] = by
        yield ".".join(map(str, place)), changed


def fields_of(address: Address, method: str) -> dict[str, Any]:
    """The fields that the schema names for the body of a command."""
    document = schema()
    path = "/" + address.path.replace("<str:", "{").replace("<path:", "{").replace("<slug:", "{").replace(">", "}")
    wanted = document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
    if reference := wanted.get("$ref"):
        wanted = document["components"]["schemas"][reference.rpartition("/")[2]]
    fields: dict[str, Any] = wanted["properties"]
    return fields


def _places(value: Any, at: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    inner: Any = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    for step, item in inner:
        yield (*at, step)
        yield from _places(item, (*at, step))
