"""Columns that could hold what a live request said and do not, each with the reason why (releases.privacy.copies).

Columns of text, bytes and JSON, and names of a hundred characters and more, of every model. Whoever adds one either
registers it as a copy or says here why it never holds one.
"""

from collections.abc import Iterator, Mapping
from typing import Final

DIGEST: Final = "The keyed digest of a subject: it tells nobody without the organization's secret whose it was."
NAMED: Final = "An id or a name that a client chose for machines; nothing that was said."
PEOPLE: Final = "A member of the organization, in the form that receipts keep: no subject of a request."
WRITTEN: Final = "Written by a member to justify a decision; the form says that it stays."
GROUND: Final = "Configuration by a member: names, addresses, rules."
SUITES: Final = "Content of suites, which the organization uploads; live requests never go into one."
ABOUT_SUITES: Final = "What models and judges made of suites' content; people's answers are scored without a cache."
NUMBERS: Final = "Numbers and sentences made of numbers."
JOBS: Final = "How a job ended: a sentence of the product about its work, or who holds its lease."
CONTENT: Final = "Content-addressed parts of releases, written by the organization."
CHAIN: Final = "Receipts, their openings and exports of both: they say how many, never what was said (receipts.md)."
FRAMEWORK: Final = "Names of the framework's own."
SESSIONS: Final = "Sessions of members; a form that names a subject never waits in one (releases.pages.privacy)."

_REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "contenttypes.ContentType": {FRAMEWORK: "app_label model"},
    "auth.Permission": {FRAMEWORK: "name codename"},
    "auth.Group": {FRAMEWORK: "name"},
    "sessions.Session": {SESSIONS: "session_data"},
    "accounts.Organization": {GROUND: "name origin redactions"},
    "accounts.Person": {PEOPLE: "password email name"},
    "accounts.Membership": {PEOPLE: "roles"},
    "accounts.Application": {GROUND: "name client_settings"},
    "accounts.Route": {GROUND: "routing name"},
    "accounts.Endpoint": {GROUND: "base_url credential serves"},
    "accounts.Token": {GROUND: "name scopes"},
    "accounts.ApplicationKey": {GROUND: "name", PEOPLE: "created_by_label"},
    "api.IdempotencyRecord": {NAMED: "key"},
    "audit.KeyringEntry": {GROUND: "public_key", WRITTEN: "revocation_reason"},
    "audit.Receipt": {CHAIN: "subject outcome payload signature"},
    "audit.Opening": {CHAIN: "field value"},
    "audit.ChainCheck": {CHAIN: "problem"},
    "audit.Export": {JOBS: "lease_owner problem report_problem", CHAIN: "scope", PEOPLE: "requested_by_label"},
    "audit.ExportPart": {CHAIN: "content"},
    "audit.LogNode": {CHAIN: "hash"},
    "audit.ChainHead": {CHAIN: "frontier"},
    "audit.Checkpoint": {CHAIN: "note reason"},
    "audit.AnchorSink": {GROUND: "name settings"},
    "audit.AnchorTrust": {GROUND: "settings"},
    "audit.Anchor": {JOBS: "lease_owner problem last_problem", CHAIN: "evidence"},
    "audit.SignedKeyring": {GROUND: "envelope root_public_key"},
    "audit.WeightsStatement": {GROUND: "bundle model"},
    "audit.WeightsObserver": {GROUND: "name public_key"},
    "audit.WeightsObservation": {GROUND: "envelope"},
    "audit.SavedScope": {GROUND: "name scope"},
    "gates.Slice": {GROUND: "name description judge match"},
    "gates.SliceRevision": {GROUND: "definition", PEOPLE: "changed_by_label"},
    "gates.Suite": {SUITES: "name slice_counts grade_scale", PEOPLE: "imported_by_label"},
    "gates.SuiteCase": {SUITES: "case_id input reference cluster_id"},
    "gates.GradedAnswer": {SUITES: "answer_id output system"},
    "gates.Rating": {SUITES: "rater"},
    "gates.SuiteImport": {
        JOBS: "lease_owner problem requested_with",
        SUITES: "name grade_scale body",
        PEOPLE: "requested_by_label",
    },
    "gates.Judge": {GROUND: "name definition prompt", PEOPLE: "created_by_label"},
    "gates.GatePolicy": {GROUND: "definition", PEOPLE: "changed_by_label"},
    "gates.CalibrationRun": {
        JOBS: "lease_owner problem requested_with",
        ABOUT_SUITES: "order body injections",
        NUMBERS: "spent",
        PEOPLE: "requested_by_label",
    },
    "gates.Calibration": {NUMBERS: "document ended_because"},
    "gates.CalibrationScore": {ABOUT_SUITES: "draws rescores reason problem"},
    "gates.AnchorCheck": {JOBS: "lease_owner problem", NUMBERS: "spent document"},
    "gates.KnownCall": {ABOUT_SUITES: "document"},
    "gates.Panel": {GROUND: "name rubric scale", PEOPLE: "created_by_label closed_by_label"},
    "gates.PanelItem": {NAMED: "answer_id trace_id", DIGEST: "subject", PEOPLE: "finding_by_label"},
    "gates.PanelTask": {PEOPLE: "rater"},
    "gates.GateRun": {
        JOBS: "lease_owner problem requested_with",
        ABOUT_SUITES: "candidate order policy slices judges evaluation body document",
        PEOPLE: "requested_by_label",
    },
    "gates.CaseResult": {ABOUT_SUITES: "answer_id output scores rescores previous_rescores reason error"},
    "gates.EvaluatedCase": {
        ABOUT_SUITES: "output draws rescores previous_rescores reason problem",
        NUMBERS: "spent judge_spent",
    },
    "gates.SliceResult": {NUMBERS: "document"},
    "gates.SignOff": {WRITTEN: "items reason", PEOPLE: "signed_by_label"},
    "gates.AllowlistEntry": {WRITTEN: "justification comment", PEOPLE: "proposed_by_label reviewed_by_label"},
    "gates.Override": {
        NUMBERS: "slices accepted_levels",
        WRITTEN: "reason comment",
        PEOPLE: "requested_by_label decided_by_label",
    },
    "releases.Artifact": {CONTENT: "value"},
    "releases.ArtifactVersion": {CONTENT: "name version", PEOPLE: "created_by_label"},
    "releases.Release": {CONTENT: "manifest model_ref refs changes findings", PEOPLE: "registered_by_label"},
    "releases.Observer": {NUMBERS: "settings policies"},
    "releases.ObservedSlice": {GROUND: "judge", NUMBERS: "why detector"},
    "releases.ObservedAnswer": {NAMED: "request_id", DIGEST: "subject"},
    "releases.ObserverJob": {JOBS: "lease_owner problem", NUMBERS: "spent"},
    "releases.DriftAlarm": {GROUND: "subject", NUMBERS: "facts reason", WRITTEN: "comment", PEOPLE: "decided_by_label"},
    "releases.WorstAnswers": {JOBS: "lease_owner problem"},
    "releases.WorstAnswer": {NAMED: "request_id", DIGEST: "subject"},
    "releases.Replica": {NAMED: "name", NUMBERS: "fingerprints in_flight"},
    "releases.Warmth": {JOBS: "detail"},
    "releases.Rollout": {
        NUMBERS: "plan shadow settings override reviewed look",
        WRITTEN: "reasons",
        PEOPLE: "started_by_label",
    },
    "releases.RolloutStep": {WRITTEN: "reasons", PEOPLE: "actor_label"},
    "releases.Measurement": {NUMBERS: "sums history"},
    "releases.MeasuredSubject": {DIGEST: "subject"},
    "releases.ReplayJob": {JOBS: "lease_owner problem"},
    "releases.ReplayPair": {NAMED: "request_id", DIGEST: "subject", GROUND: "source"},
    "releases.RoutePolicy": {GROUND: "name metric", PEOPLE: "changed_by_label"},
    "releases.Serving": {WRITTEN: "reason", PEOPLE: "decided_by_label"},
    "releases.Rollback": {NUMBERS: "facts progress", WRITTEN: "reason", PEOPLE: "decided_by_label"},
    "releases.SubjectKey": {DIGEST: "subject"},
    "releases.Trace": {NAMED: "request_id model replica", DIGEST: "subject"},
    "releases.Feedback": {NAMED: "request_id"},
    "releases.Erasure": {DIGEST: "subject", WRITTEN: "reason", NUMBERS: "gone", PEOPLE: "erased_by_label"},
}


def _entries() -> Iterator[tuple[str, str]]:
    for model, reasons in _REASONS.items():
        for reason, columns in reasons.items():
            yield from ((f"{model}.{column}", reason) for column in columns.split())


ELSEWHERE: Final[Mapping[str, str]] = dict(_entries())
