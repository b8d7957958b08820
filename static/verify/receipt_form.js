// The closed schema of a receipt, the rules between its fields, and what a claim about model weights may say.

const MAX_PAYLOAD_BYTES = 256 * 1024, MAX_MANIFEST_BYTES = 16 * 1024 * 1024, MAX_FILE_BYTES = 1024 ** 3;

const EVENT_FAMILIES = {
  release: "registered archived",
  gate: "passed failed held overridden carried signed_off",
  override: "requested rejected withdrawn expired",
  rollout: "started paused resumed halted aborted completed",
  checkpoint: "promoted held waiting_review",
  rollback: "auto manual rehearsed",
  observer: "armed refused",
  drift: "alarmed",
  desired_state: "reconciled",
  policy: "changed",
  judge: "calibrated",
  suite: "imported",
  ratings: "added",
  case: "allowlisted",
  artifact: "created",
  weights: "observed drifted",
  organization: "changed",
  application: "changed",
  route: "changed",
  endpoint: "changed",
  member: "changed",
  token: "changed",
  key: "rotated revoked",
  breakglass: "used",
  anchor: "made",
  export: "issued",
  disclosure: "erased",
  retention: "expired",
};
const EVENTS = Object.entries(EVENT_FAMILIES).flatMap(([family, words]) => words.split(" ").map((word) => `${family}.${word}`));
const DELIVERY_FAMILIES = ["release", "rollout", "checkpoint", "rollback"];
const GATE_FAMILIES = ["gate", "override"];
const APPLICATION_FAMILIES = ["application", "route"];
const DELIVERY = oneOf("registered", "rolling", "stable", "superseded", "halted", "rolled_back", "archived");

const CHAIN = record({
  customer: ORIGIN,
  seq: integerFrom(1),
  prev: SHA256,
  release_seq: nullable(integerFrom(1)),
  release_prev: nullable(SHA256),
  last_anchor: nullable(SHA256),
});
const ACTOR = record({
  kind: oneOf("person", "service", "system"),
  id: NAME,
  auth: nullable(WORD),
  session: nullable(NAME),
  signature_meaning: nullable(NAME),
});
const INPUT = record({
  metric: NAME,
  slice: nullable(NAME),
  value: nullable(DECIMAL),
  threshold: nullable(DECIMAL),
  op: nullable(oneOf(">=", ">", "<=", "<", "==", "!=")),
  verdict: WORD,
  evidence: nullable(textOf(4000)),
  n: nullable(integerFrom(0)),
  evidence_sha256: nullable(SHA256),
});
const OVERRIDE = record({
  gate_override_sha256: SHA256,
  slices: arrayOf(NAME),
  accepted_levels: tableOf(NAME, nullable(DECIMAL)),
  reason: textOf(8000),
  requested_by: NAME,
  approved_by: nullable(NAME),
  expires_at: nullable(moment),
});
const DECISION = record({
  policy: nullable(record({ id: NAME, revision: integerFrom(0), sha256: SHA256 })),
  inputs: arrayOf(INPUT),
  outcome: WORD,
  override: nullable(OVERRIDE),
});
const PREDICATE = record({
  spec: oneOf("relcontrol/receipt/v1"),
  event: oneOf(...EVENTS),
  event_id: matching("rcp_[0-9a-hjkmnp-tv-z]{26}", "a receipt id, rcp_ and 26 characters"),
  issued_at: moment,
  occurred_at: moment,
  chain: CHAIN,
  signer: record({ keyid: SHA256, role: oneOf("receipts") }),
  actor: ACTOR,
  application: nullable(SLUG),
  release: record({ manifest_sha256: nullable(SHA256), id: nullable(NAME), route: nullable(NAME) }),
  delivery: record({ from: nullable(DELIVERY), to: DELIVERY }),
  decision: DECISION,
  weights: tableOf(NAME, anything),
  commitments: arrayOf(record({ field: NAME, commitment: SHA256 })),
  retention: record({ class: WORD, until: nullable(moment) }),
  build: record({ version: NAME, commit: nullable(NAME) }),
}, ["application", "delivery"]);
const STATEMENT = record({
  _type: oneOf("https://in-toto.io/Statement/v1"),
  subject: arrayOf(record({ name: NAME, digest: record({ sha256: SHA256 }) }), 1, 1),
  predicateType: oneOf("https://relcontrol.dev/attestation/release-receipt/v1"),
  predicate: PREDICATE,
});

const familyOf = (predicate) => predicate.event.split(".")[0];

function checkStatement(statement) {
  STATEMENT(statement, "");
  const { predicate } = statement;
  checkRelease(predicate);
  if ("application" in predicate) {
    const must = predicate.release.manifest_sha256 !== null || APPLICATION_FAMILIES.includes(familyOf(predicate));
    requireThat(predicate.application !== null || !must, "predicate.application", "the slug of an application on this event", null);
  }
  checkSubject(statement.subject[0], predicate.release.manifest_sha256);
  requireThat(
    "delivery" in predicate === DELIVERY_FAMILIES.includes(familyOf(predicate)), "predicate.delivery",
    "on events of releases, rollouts, checkpoints and rollbacks, and on no other", predicate.event);
  const fields = predicate.commitments.map((entry) => entry.field);
  requireThat(new Set(fields).size === fields.length, "predicate.commitments", "one commitment for each field", fields);
}

function checkRelease(predicate) {
  const { release, chain } = predicate;
  const named = release.manifest_sha256 !== null, seq = chain.release_seq, prev = chain.release_prev;
  requireThat(named === (seq !== null), "predicate.chain.release_seq", "a number if there is a release, else null", seq);
  const first = seq === null || seq === 1;
  requireThat((prev === null) === first, "predicate.chain.release_prev", "null on the release's first receipt, else a hash", prev);
  requireThat(named || release.id === null, "predicate.release.id", "null without a manifest", release.id);
  requireThat(named || release.route === null, "predicate.release.route", "null without a manifest", release.route);
  const family = familyOf(predicate);
  if (GATE_FAMILIES.includes(family)) {
    const bare = release.id === null && release.route === null;
    requireThat(bare, "predicate.release", "the manifest alone in a receipt of a gate", release);
  }
  if (GATE_FAMILIES.includes(family) || DELIVERY_FAMILIES.includes(family)) {
    requireThat(named, "predicate.release.manifest_sha256", "a manifest on this event", predicate.event);
  }
}

function checkSubject(subject, manifest) {
  if (manifest === null) {
    requireThat(subject.name.includes(":"), "subject[0].name", "<kind>:<id> without a release", subject.name);
    return;
  }
  requireThat(subject.name === "manifest", "subject[0].name", "manifest", subject.name);
  requireThat(subject.digest.sha256 === manifest, "subject[0].digest.sha256", manifest, subject.digest.sha256);
}

// ---- Step 7: claims about model weights

const WEIGHT_FORMS = {
  "not-claimed": record({
    provenance: oneOf("not-claimed"),
    reason: oneOf("closed-api", "no-weights-digest"),
    provider: NAME,
    model: NAME,
    assurance: oneOf("none"),
  }),
  attested: record({
    provenance: oneOf("attested"),
    assurance: oneOf("declared", "files-at-load", "files-sampled"),
    manifest_sha256: nullable(SHA256),
    oms_root_sha256: nullable(SHA256),
    observed_manifest_sha256: nullable(SHA256),
    observed_at: nullable(moment),
    observer_keyid: nullable(SHA256),
  }),
  "not-applicable": record({
    provenance: oneOf("not-applicable"), reason: oneOf("no-release"), assurance: oneOf("none"),
  }),
};

// One of three shapes, never more assurance than observed.
function checkWeights(statement) {
  const { weights, release, event } = statement.predicate, path = "predicate.weights";
  const provenance = weights.provenance ?? null;
  oneOf(...Object.keys(WEIGHT_FORMS))(provenance, `${path}.provenance`);
  WEIGHT_FORMS[provenance](weights, path);
  const withoutRelease = release.manifest_sha256 === null;
  requireThat(
    (provenance === "not-applicable") === withoutRelease, `${path}.provenance`,
    "not-applicable without a release, a claim or its refusal with one", provenance);
  if (provenance === "attested") checkAttested(weights, path, event);
}

// Declared weights were seen by nobody; all others by somebody, and are the registered ones.
function checkAttested(weights, path, event) {
  const observation = [weights.observed_manifest_sha256, weights.observed_at, weights.observer_keyid];
  if (weights.assurance === "declared") {
    requireThat(observation.every((part) => part === null), path, "no observation with assurance declared", observation);
    return;
  }
  requireThat(!observation.includes(null), path, `who saw what and when, with assurance ${weights.assurance}`, observation);
  const registered = weights.manifest_sha256, observed = weights.observed_manifest_sha256;
  requireThat(registered !== null, `${path}.manifest_sha256`, "the registered weights", registered);
  const drifted = event === "weights.drifted";
  requireThat(
    (registered === observed) !== drifted, `${path}.observed_manifest_sha256`,
    drifted ? "another digest than the registered one" : show(registered), observed);
}
