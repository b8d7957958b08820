"""The catalogue: every mutation of receipts.md that is one of a file, with what every verifier must say of it.

`MUTATIONS` is what tests go through, for verify.py and for verify.html. `ELSEWHERE` names those that a file cannot
hold, and who catches them.
"""

from tests.audit.evidence import (
    mutated_anchors,
    mutated_archives,
    mutated_chains,
    mutated_checkpoints,
    mutated_claims,
    mutated_forms,
    mutated_signatures,
)
from tests.audit.evidence.spoiling import Mutation

MUTATIONS: list[Mutation] = [
    *mutated_forms.MUTATIONS,
    *mutated_signatures.MUTATIONS,
    *mutated_chains.MUTATIONS,
    *mutated_anchors.MUTATIONS,
    *mutated_checkpoints.MUTATIONS,
    *mutated_claims.MUTATIONS,
    *mutated_archives.MUTATIONS,
]
ELSEWHERE = {
    "UPDATE, DELETE, TRUNCATE, the replica role": "the database refuses them: tests/audit/log",
    "8 concurrent appends": "one chain and one log come of them: tests/audit/log",
    "a token of another nonce": "the request is not in the export; who asked refuses it: tests/audit/anchors",
    "a token of another policy": "the policy is a setting of who asks, who refuses it: tests/audit/anchors",
    "a flip of any byte": "tests/audit/pure/test_every_byte.py, tests/audit/evidence/test_every_byte.py",
}
