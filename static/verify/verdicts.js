// Step 12: the six verdicts in words, what each proves and what it does not. The words are those of verify.py, but for
// time stamps, which are not verified here.

const NONE_BEYOND = "None beyond what the links show:";

const counted = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;

function integrity({ total, log }) {
  let proves = `Every byte is as it was signed, and the links between the ${total} receipts here are unbroken.`;
  const checkpoints = log?.checkpoints.size;
  if (checkpoints) proves += ` The log and its anchors agree with them, at ${counted(checkpoints, "checkpoint")}.`;
  return [HOLDS, proves, "Not who signed, nor that nothing is missing at the end."];
}

function authenticity(run) {
  let limits = "Not that the holder of the key told the truth, nor that the key was never stolen.";
  if (run.trust === null) {
    const own = "Self-consistent only: the keys came with the file, and anybody can make such a file. Give --trust.";
    return [NOT_CHECKED, own, limits];
  }
  const late = run.receipts.filter((statement) => statement.key.revokedAt !== null).length;
  if (late) limits += ` ${late} rely on a key revoked later: only an outside clock could show that they are not back-dated.`;
  const ring = (run.document?.keyring ?? null) !== null && run.trust.root ? ", or its root signed" : "";
  return [HOLDS, `All signatures are by keys of ${run.trust.origin} that your trust file names${ring}.`, limits];
}

function time({ log, receipts }) {
  if (!log || !log.stamped.size) {
    const own = "No outside clock in this export; the issuer's own clock never ran backwards.";
    return [NOT_CHECKED, own, "Not when anything happened: the times are the issuer's own statement."];
  }
  const count = uncovered(log, log.stamped);
  const why = log.trust.tsaRoots.length
    ? "were not verified: this page cannot, but verify.py with the package rfc3161-client can, and openssl ts"
    : "were not verified: your trust file names no time-stamping authority";
  const part = `They cover ${receipts.length - count} of the ${counted(receipts.length, "receipt")} here`;
  const tail = count ? `${part}; ${count} ${count === 1 ? "is" : "are"} not yet anchored.` : "They cover every receipt here.";
  const limits = "Not when anything happened, only when it existed at the latest: issued_at is the issuer's statement.";
  return [NOT_CHECKED, `The time stamps of ${counted(log.stamped.size, "checkpoint")} ${why}. ${tail}`, limits];
}

function completeness(run) {
  const tail = "A cut tail cannot be seen from inside: only a later head or a witness shows it.";
  if (run.scope.kind !== "organization") return partlyComplete(run, tail);
  const [first] = run.receipts;
  const begin = run.scope.start && first ? `from seq ${first.seq}` : "from the genesis";
  const seen = run.log && farthest(run.log, run.log.witnessed);
  if (run.reached && run.reached >= (seen?.seq ?? 0)) {
    const proves = `Nothing is missing ${begin} to the head that you hold, seq ${run.reached}.`;
    return [HOLDS, proves, "Not what was issued after that head."];
  }
  if (seen) {
    const { name, at } = run.log.witnessed.get(seen.sha256);
    const after = run.receipts.filter((statement) => statement.seq > seen.seq).length;
    const proves = `Nothing is missing ${begin} to seq ${seen.seq}, in the log that ${name} saw at ${secondsText(at)}.`;
    return [HOLDS, proves, `Not what was issued after that: ${after} of the receipts here no witness has seen.`];
  }
  const proves = `None: no gap ${begin} to the last receipt here, but no later head (--head) and no witness that you `;
  return [NOT_CHECKED, `${proves}trust to compare with. A chain that was made again would look the same.`, tail];
}

// What the receipts of a part prove of themselves, and what only the whole chain does.
function partlyComplete(run, tail) {
  const gaps = `${run.gaps} gap${run.gaps === 1 ? "" : "s"} in the organization's chain, as expected of a part of it.`;
  const span = run.scope.start ? "between its first and its last here" : "before its last";
  if (run.scope.kind === "release") {
    const known = releaseKnown(run);
    const limits = "Not what came after, nor that the issuer told the true head there: the whole chain shows that.";
    if (known) return [HOLDS, `No receipt of this release is missing up to ${known}; ${gaps}`, limits];
    return [NOT_CHECKED, `${NONE_BEYOND} no receipt of this release is missing ${span}; ${gaps}${headsWords(run.log)}`, tail];
  }
  if (run.scope.kind === "application") {
    const known = `${NONE_BEYOND} every receipt here was signed as one of this application, and no release here misses`;
    const limits = "Not that every release and route of it is here: one that was left out whole is a gap like any other. "
      + `Only an export of the organization shows that. ${tail}`;
    return [NOT_CHECKED, `${known} one ${span}; ${gaps}${headsWords(run.log)}`, limits];
  }
  return [NOT_CHECKED, `${NONE_BEYOND} ${gaps}`, tail];
}

// Up to which anchor the release is whole: by its head there, in a receipt that somebody outside holds too. The witness
// saw the log, not the heads: these are told by the anchor's receipt, which comes later. So it counts where that receipt
// is proven to be in a log that was seen.
function releaseKnown({ log, head, scope }) {
  if (!log || scope.start) return "";
  for (const anchor of [...log.anchors.values()].sort((a, b) => b.size - a.size)) {
    const held = heldBy(anchor, log, head), told = log.heads.get(`${anchor.checkpoint} ${scope.name}`);
    if (held && told && log.byHash.has(told.receipt_hash)) {
      return `its head at the anchor of ${counted(anchor.size, "receipt")}, told by seq ${anchor.statement.seq}, ${held}`;
    }
  }
  return "";
}

// Who outside holds the receipt of this anchor, in words; empty for nobody.
function heldBy({ statement: { receiptHash } }, log, head) {
  if (head?.receiptHash === receiptHash) return "which is the head that you hold";
  for (const checkpoint of log.proofs.get(receiptHash) ?? []) {
    if (head?.root && head.size === checkpoint.size && sameBytes(head.root, checkpoint.root)) {
      return `which is in the log that you hold the head of, ${head.size} receipts`;
    }
    const seen = log.witnessed.get(checkpoint.sha256);
    if (seen) return `which is in the log that ${seen.name} saw at ${secondsText(seen.at)}`;
  }
  return "";
}

// What the heads of releases say where nobody outside vouches for the anchor.
function headsWords(log) {
  const newest = log && newestCheckpoint(log);
  if (!newest || !log.heads.size) return "";
  return ` Each reaches its head at the anchor of ${counted(newest.size, "receipt")}, as the issuer told it there.`;
}

// Of seconds since 1970, which a witness may set to anything.
function secondsText(seconds) {
  if (seconds > 253402300799n) return `${seconds} s after 1970`;
  return new Date(Number(seconds) * 1000).toISOString().replace(/\.[0-9]{3}Z$/, ".000000Z");
}

function weights(run) {
  const claims = [...run.claims].sort(([a], [b]) => (a < b ? -1 : 1)).map(([claim, count]) => `${count} ${claim}`);
  const proves = `The claims are consistent in themselves: ${claims.join("; ") || "no receipts"}.`;
  let limits = "Not which weights served: nothing is said of what is not claimed, and nobody saw declared weights.";
  const found = [...run.attestations.values()];
  if (!found.length) return [HOLDS, proves, limits];
  limits += " Nor whose keys signed the attestations: compare the fingerprints with ones that you know.";
  const signers = [...new Set(found.map(({ signer }) => signer.slice(0, 16)))].sort().join(", ");
  const unverified = found.filter(({ verified }) => !verified).length;
  if (unverified) {
    const missing = `The signature of ${counted(unverified, "attestation")} was not checked: that needs the key in it, and`;
    return [NOT_CHECKED, `${proves} ${missing} the package cryptography.`, limits];
  }
  const agree = `${counted(found.length, "attestation")} of weight files agree with them, signed by ${signers}.`;
  return [HOLDS, `${proves} ${agree}`, limits];
}

function coverage(run) {
  const closed = run.commitments - run.openings, opens = run.manifest?.opens ?? "all";
  let proves = `${run.openings} of ${run.commitments} commitments are opened here, and match; ${closed} stay closed.`;
  if (opens !== "all") proves += ` The export says that it opens ${opens === "nothing" ? "nothing" : "nothing personal"}.`;
  const limits = "Not the truth of a value, only that it is the one committed to; closed values stay unknown.";
  return [closed ? NOT_CHECKED : HOLDS, proves, limits];
}

const VERDICTS = {
  [INTEGRITY]: integrity,
  [AUTHENTICITY]: authenticity,
  [TIME]: time,
  [COMPLETENESS]: completeness,
  [WEIGHTS]: weights,
  [COVERAGE]: coverage,
};
