// Steps 8 and 9, what is shown of single receipts: proofs, heads of releases, last anchors, and lines of witnesses.

async function checkProof(log, entry, index) {
  const place = new Place(`proofs[${index}]`, null, entry.receipt_hash);
  const refuse = (detail, expected, got) => { throw place.failure(INTEGRITY, detail, { expected, got }); };
  const { index: at, hashes, checkpoint: proved } = place.blaming(INTEGRITY, "the proof", () => readProof(entry.proof));
  const statement = log.byHash.get(entry.receipt_hash);
  if (!statement) refuse("the proof of a receipt that is not here", "a receipt of this export", entry.receipt_hash);
  place.seq = statement.seq;
  const listed = log.byText.get(proved.note.text);
  const lines = new Set(proved.note.signatures.map(({ line }) => line));
  if (!listed || !listed.note.signatures.every(({ line }) => lines.has(line))) {
    const expected = "one of the checkpoints, with its signature";
    refuse("the proof leads to a checkpoint that is not here", expected, `one of ${proved.size}`);
  }
  if (at !== statement.seq - 1) refuse("the proof of another receipt", `index ${statement.seq - 1}`, `index ${at}`);
  const leaf = leafHash(unhex(statement.receiptHash));
  const root = place.blaming(INTEGRITY, "the proof", () => rootByProof(leaf, at, listed.size, hashes));
  if (!sameBytes(root, listed.root)) refuse("the proof leads to another root", hex(listed.root), hex(root));
  if (!log.proofs.has(statement.receiptHash)) log.proofs.set(statement.receiptHash, []);
  log.proofs.get(statement.receiptHash).push(listed);
  await cosignatures(log, listed, proved.note.signatures, place);
}

// The head of one release at a checkpoint: that anchors commit to it, and that the receipts here reach it.
function checkReleaseHead(log, entry, index) {
  const place = new Place(`heads[${index}]`, null, entry.receipt_hash);
  const name = "the head of the release", manifest = entry.manifest_sha256;
  const known = log.releaseHeads.get(entry.checkpoint);
  if (!known) {
    const said = { expected: "a checkpoint that an anchor here names", got: entry.checkpoint };
    throw place.failure(INTEGRITY, `${name} at an unknown checkpoint`, said);
  }
  place.blaming(INTEGRITY, name, () => {
    const inside = log.scope.kind === "application" || (log.scope.kind === "release" && log.scope.name === manifest);
    requireThat(inside, "manifest_sha256", `a release of ${log.scope.words}`, manifest);
    requireThat(entry.count === known.releases, "count", `${known.releases}`, entry.count);
    const leaf = leafHash(canonicalBytes([manifest, entry.release_seq, entry.receipt_hash]));
    const proof = entry.proof.map((one, number) => decodeBase64(one, `proof[${number}]`));
    const root = hex(rootByProof(leaf, entry.index, entry.count, proof));
    requireThat(root === known.releaseHeads, "proof", known.releaseHeads, root);
  });
  log.heads.set(`${entry.checkpoint} ${manifest}`, entry);
  compareReleaseHead(log, entry, log.byRelease.get(manifest) ?? new Map(), place);
}

function compareReleaseHead(log, entry, seqs, place) {
  const found = seqs.get(entry.release_seq), last = [...seqs.keys()].reduce((most, seq) => Math.max(most, seq), 0);
  if (found && found.receiptHash !== entry.receipt_hash) {
    const said = { expected: entry.receipt_hash, got: found.receiptHash };
    throw place.failure(COMPLETENESS, "another receipt stands where the release's head stood", said);
  }
  if (!found && log.complete && log.scope.end === null && last < entry.release_seq) {
    const said = { expected: `receipts up to release_seq ${entry.release_seq}`, got: `up to ${last}` };
    throw place.failure(COMPLETENESS, "the release's tail is cut off", said);
  }
}

// The newest checkpoint that an anchor here is of.
function newestCheckpoint(log) {
  const found = [...log.evidence.keys()].map((hash) => log.checkpoints.get(log.anchors.get(hash).checkpoint));
  return found.reduce((newest, one) => (newest === null || one.size > newest.size ? one : newest), null);
}

// Of each release in an open scope the head at the newest checkpoint must be here.
function* missingHeads(log) {
  const newest = newestCheckpoint(log), { kind, start, end } = log.scope;
  if (newest === null || !["release", "application"].includes(kind) || start || end) return;
  const missed = new Set();
  for (const statement of log.receipts) {
    const { manifest } = statement;
    if (manifest === null || statement.seq > newest.size || missed.has(manifest)) continue;
    if (!log.heads.has(`${newest.sha256} ${manifest}`)) {
      missed.add(manifest);
      const said = { expected: `its head at the checkpoint of ${newest.size}`, got: "none" };
      yield statement.place().failure(COMPLETENESS, "the release's head is not here", said);
    }
  }
}

// `last_anchor` names the newest anchor before, and nothing is issued before what it comes after.
function* lastAnchorFailures(log) {
  let newest = null;
  for (const statement of log.inOrder) {
    const named = statement.predicate.chain.last_anchor, expected = newest ? newest.receiptHash : null;
    if (named !== expected && (log.whole || named === null || log.byHash.has(named))) {
      const said = { expected: expected ?? "None", got: named ?? "None" };
      yield statement.place().failure(TIME, "another last anchor than the newest before it", said);
    } else if (named === expected && newest) {
      yield* afterFailures(statement, newest);
    }
    if (statement.predicate.event === ANCHOR_MADE) newest = statement;
  }
}

function* afterFailures(statement, anchor) {
  const proved = anchor.predicate.occurred_at;
  if (microseconds(statement.issuedAt) < microseconds(proved) - TOLERANCE) {
    const said = { expected: `${proved} (less 60 s) or later`, got: statement.issuedAt };
    yield statement.place().failure(TIME, "issued before the anchor that it comes after", said);
  }
}

// ---- Step 9: witnesses; time stamps are left to verify.py and openssl

async function checkEvidence(log, receiptHash) {
  const anchor = log.anchors.get(receiptHash), place = anchor.statement.place();
  if (anchor.kind === "rfc3161") log.stamped.add(anchor.checkpoint);
  if (anchor.kind !== "witness") return;
  const evidence = log.evidence.get(receiptHash);
  const lines = place.blaming(INTEGRITY, "the lines of the witness", () => readNoteLines(decodeText(evidence)));
  const at = await cosignatures(log, log.checkpoints.get(anchor.checkpoint), lines, place);
  const said = anchor.statement.predicate.occurred_at, proved = microseconds(said);
  if (at !== null && (at * 1000000n > proved + TOLERANCE || at * 1000000n < proved - TOLERANCE)) {
    throw place.failure(TIME, "receipted with another time than the cosignature's", { expected: secondsText(at), got: said });
  }
}

// When a trusted witness that is among the lines saw it; its signature must then hold. null: there is none.
async function cosignatures(log, checkpoint, lines, place) {
  let found = null;
  for (const { name, keyId, signed } of lines) {
    for (const witness of log.trust.witnesses) {
      if (name !== witness.name || keyId !== witness.keyId) continue;
      try {
        found = await cosignedAt(checkpoint, signed, witness);
        if (!log.witnessed.has(checkpoint.sha256)) log.witnessed.set(checkpoint.sha256, { name, at: found });
      } catch (error) {
        if (!(error instanceof SignatureError)) throw error;
        const said = { expected: `a cosignature by ${name} of the checkpoint`, got: error.message };
        throw place.failure(COMPLETENESS, "the cosignature does not hold", said);
      }
    }
  }
  return found;
}

const isProven = (log, statement, known) => (log.proofs.get(statement.receiptHash) ?? []).some((one) => known.has(one.sha256));

// Up to which seq a checkpoint that is `known` holds every receipt here: all of them make its root, or lead to a proven one.
function* spans(log, known) {
  for (const sha256 of log.confirmed) if (known.has(sha256)) yield { seq: log.checkpoints.get(sha256).size, sha256 };
  if (log.scope.kind !== "organization" || !log.complete) return;
  for (const statement of log.receipts) {
    for (const { sha256 } of log.proofs.get(statement.receiptHash) ?? []) {
      if (known.has(sha256)) yield { seq: statement.seq, sha256 };
    }
  }
}

const farther = (a, b) => (a === null || b.seq > a.seq || (b.seq === a.seq && b.sha256 > a.sha256) ? b : a);
const farthest = (log, known) => [...spans(log, known)].reduce(farther, null);

// How many receipts none of these checkpoints covers; anchors told of at the end do not count.
function uncovered(log, checkpoints) {
  const last = log.receipts.findLastIndex((statement) => statement.predicate.event !== ANCHOR_MADE);
  const upTo = farthest(log, checkpoints)?.seq ?? 0;
  return log.receipts.slice(0, last + 1).filter((one) => one.seq > upTo && !isProven(log, one, checkpoints)).length;
}

// ---- Step 10: a signed head that the auditor holds

// Up to which seq the log is the one of the head; 0: this scope cannot tell. Throws where it contradicts the head.
function checkSignedHead(head, log) {
  const place = new Place("the known head");
  const listed = [...log.checkpoints.values()].find((one) => one.size === head.size);
  const last = log.receipts.at(-1)?.seq ?? 0;
  let reached = 0, root = null;
  if (log.whole && last >= head.size) {
    reached = head.size;
    root = rootOf(log.receipts.slice(0, head.size).map((statement) => leafHash(unhex(statement.receiptHash))));
  } else if (log.scope.kind === "organization" && log.complete && log.scope.end === null && last < head.size) {
    const said = { expected: `a chain up to seq ${head.size}`, got: `up to seq ${last}` };
    throw place.failure(COMPLETENESS, "the tail is cut off", said);
  } else if (listed) {
    reached = farthest(log, new Set([listed.sha256]))?.seq ?? 0;
    ({ root } = listed);
  }
  if (root !== null && !sameBytes(root, head.root)) {
    const said = { expected: hex(head.root), got: hex(root) };
    throw place.failure(COMPLETENESS, `another log than the known head's at ${head.size}`, said);
  }
  return reached;
}
