"""The closed schema of a receipt's statement as JSON Schema (2020-12), for readers that know nothing of relcontrol.

The verifier's own check is the one that counts (audit/verify.py), as it also holds the rules between fields; a test
keeps the two together. The words that it knows are taken from there. Pure.
"""

import json
from collections.abc import Mapping
from typing import Any

from audit import verify

Schema = dict[str, Any]
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
TIME: Schema = {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$",
}
NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 300, "not": {"pattern": "[\\u0000-\\u001f\\u007f]"}}
WORD: Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_.:+-]{0,119}$"}
SLUG: Schema = {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"}
ORIGIN: Schema = {"type": "string", "pattern": "^[!-~]{1,300}$"}
DECIMAL: Schema = {"type": "string", "pattern": "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$"}
DELIVERIES = ("registered", "rolling", "stable", "superseded", "halted", "rolled_back", "archived")


def receipt_schema() -> Schema:
    """The schema of the statement that is inside a receipt's envelope."""
    subject = _record({"name": NAME, "digest": _record({"sha256": SHA256})})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "relcontrol release receipt v1",
        "description": "The in-toto statement that is the payload of a receipt's DSSE envelope, as RFC 8785 bytes.",
        **_record(
            {
                "_type": {"const": verify.STATEMENT_TYPE},
                "subject": {"type": "array", "minItems": 1, "maxItems": 1, "items": subject},
                "predicateType": {"const": verify.PREDICATE_TYPE},
                "predicate": _record(_predicate(), optional=("application", "delivery")),
            }
        ),
    }


def schema_bytes() -> bytes:
    """The same as a file."""
    return (json.dumps(receipt_schema(), indent=2, sort_keys=True) + "\n").encode("ascii")


def _predicate() -> dict[str, Schema]:
    delivery: Schema = {"enum": list(DELIVERIES)}
    commitment = _record({"field": NAME, "commitment": SHA256})
    return {
        "spec": {"const": verify.RECEIPT_SPEC},
        "event": {"enum": sorted(verify.EVENTS)},
        "event_id": {"type": "string", "pattern": "^rcp_[0-9a-hjkmnp-tv-z]{26}$"},
        "issued_at": TIME,
        "occurred_at": TIME,
        "chain": _chain(),
        "signer": _record({"keyid": SHA256, "role": {"const": "receipts"}}),
        "actor": _record(
            {
                "kind": {"enum": ["person", "service", "system"]},
                "id": NAME,
                "auth": _nullable(WORD),
                "session": _nullable(NAME),
                "signature_meaning": _nullable(NAME),
            }
        ),
        "application": _nullable(SLUG),
        "release": _record({"manifest_sha256": _nullable(SHA256), "id": _nullable(NAME), "route": _nullable(NAME)}),
        "delivery": _record({"from": _nullable(delivery), "to": delivery}),
        "decision": _decision(),
        "weights": {"oneOf": _weights()},
        "commitments": {"type": "array", "items": commitment},
        "retention": _record({"class": WORD, "until": _nullable(TIME)}),
        "build": _record({"version": NAME, "commit": _nullable(NAME)}),
    }


def _chain() -> Schema:
    return _record(
        {
            "customer": ORIGIN,
            "seq": _integer(1),
            "prev": SHA256,
            "release_seq": _nullable(_integer(1)),
            "release_prev": _nullable(SHA256),
            "last_anchor": _nullable(SHA256),
        }
    )


def _decision() -> Schema:
    measured = _record(
        {
            "metric": NAME,
            "slice": _nullable(NAME),
            "value": _nullable(DECIMAL),
            "threshold": _nullable(DECIMAL),
            "op": {"enum": [">=", ">", "<=", "<", "==", "!=", None]},
            "verdict": WORD,
            "evidence": _nullable(_text(4000)),
            "n": _nullable(_integer(0)),
            "evidence_sha256": _nullable(SHA256),
        }
    )
    override = _record(
        {
            "gate_override_sha256": SHA256,
            "slices": {"type": "array", "items": NAME},
            "accepted_levels": {"type": "object", "propertyNames": NAME, "additionalProperties": _nullable(DECIMAL)},
            "reason": _text(8000),
            "requested_by": NAME,
            "approved_by": _nullable(NAME),
            "expires_at": _nullable(TIME),
        }
    )
    policy = _record({"id": NAME, "revision": _integer(0), "sha256": SHA256})
    return _record(
        {
            "policy": _nullable(policy),
            "inputs": {"type": "array", "items": measured},
            "outcome": WORD,
            "override": _nullable(override),
        }
    )


def _weights() -> list[Schema]:
    digests = ("manifest_sha256", "oms_root_sha256", "observed_manifest_sha256", "observer_keyid")
    return [
        _record(
            {
                "provenance": {"const": "not-claimed"},
                "reason": {"enum": ["closed-api", "no-weights-digest"]},
                "provider": NAME,
                "model": NAME,
                "assurance": {"const": "none"},
            }
        ),
        _record(
            {
                "provenance": {"const": "attested"},
                "assurance": {"enum": ["declared", "files-at-load", "files-sampled"]},
                "observed_at": _nullable(TIME),
                **{name: _nullable(SHA256) for name in digests},
            }
        ),
        _record(
            {
                "provenance": {"const": "not-applicable"},
                "reason": {"const": "no-release"},
                "assurance": {"const": "none"},
            }
        ),
    ]


def _record(fields: Mapping[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in fields if name not in optional]
    return {"type": "object", "properties": dict(fields), "required": required, "additionalProperties": False}


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _integer(least: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": verify.MAX_INTEGER}


def _text(most: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most}
