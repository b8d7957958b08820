// Step 8: what the checkpoints and anchors of an export say, and whether they agree with its receipts.

const ANCHOR_MADE = "anchor.made";
const ANCHOR_KINDS = ["rfc3161", "witness", "webhook", "file"];
const ANCHOR_METRICS = ["log", "checkpoint", "release_heads", "anchor"];
const ANCHOR_INPUTS = arrayOf(anything, ANCHOR_METRICS.length, ANCHOR_METRICS.length);
const TOLERANCE = 60n * 1000000n; // between the issuer's clock and an outside one

// From the inputs of its decision, which are in clear.
function readAnchor(statement) {
  const [log, note, heads, made] = statement.place().blaming(INTEGRITY, "what the anchor says", () => {
    const { inputs } = statement.predicate.decision;
    ANCHOR_INPUTS(inputs, "inputs");
    const metrics = inputs.map((entry) => entry.metric);
    requireThat(metrics.every((metric, i) => metric === ANCHOR_METRICS[i]), "inputs", ANCHOR_METRICS.join(", "), metrics);
    oneOf(...ANCHOR_KINDS)(inputs[3].evidence, "inputs[3].evidence");
    inputs.forEach((entry, index) => SHA256(entry.evidence_sha256, `inputs[${index}].evidence_sha256`));
    integerFrom(1)(inputs[0].n, "inputs[0].n");
    integerFrom(0)(inputs[2].n, "inputs[2].n");
    requireThat(inputs[0].n < statement.seq, "inputs[0].n", `fewer receipts than seq ${statement.seq}`, inputs[0].n);
    return inputs;
  });
  return {
    statement,
    size: log.n,
    root: log.evidence_sha256,
    checkpoint: note.evidence_sha256,
    releases: heads.n,
    releaseHeads: heads.evidence_sha256,
    kind: made.evidence,
    evidence: made.evidence_sha256,
  };
}

// The newest receipt of each release, as the log grows.
class Releases {
  constructor() {
    this.newest = new Map();
  }

  add(statement) {
    if (statement.manifest !== null) this.newest.set(statement.manifest, statement);
  }

  *failures(anchors) {
    if (!anchors.length) return;
    const leaves = [...this.newest.keys()].sort().map((manifest) => {
      const statement = this.newest.get(manifest);
      return leafHash(canonicalBytes([manifest, statement.predicate.chain.release_seq, statement.receiptHash]));
    });
    const root = hex(rootOf(leaves));
    for (const anchor of anchors) {
      if (anchor.releaseHeads !== root || anchor.releases !== leaves.length) {
        const said = { expected: `${leaves.length}, ${root}`, got: `${anchor.releases}, ${anchor.releaseHeads}` };
        yield anchor.statement.place().failure(INTEGRITY, "receipted with other release heads than the receipts make", said);
      }
    }
  }
}

// Steps 8 and 9 over one export. `whole`: every receipt from the genesis on is here and open, so roots are made anew.
class Log {
  constructor({ document, trust, scope, origin, receipts, asides, complete }) {
    Object.assign(this, { document, trust, scope, origin, receipts, asides, complete, failures: [], sizes: [] });
    Object.assign(this, { checkpoints: new Map(), anchors: new Map(), evidence: new Map(), confirmed: new Set() });
    Object.assign(this, { proofs: new Map(), heads: new Map(), releaseHeads: new Map(), witnessed: new Map(), stamped: new Set() });
    const statements = [...receipts, ...asides];
    this.byHash = new Map(statements.map((statement) => [statement.receiptHash, statement]));
    this.inOrder = statements.sort((a, b) => a.seq - b.seq);
    this.byText = new Map();
    this.byRelease = new Map();
    for (const statement of receipts) {
      if (!this.byRelease.has(statement.manifest)) this.byRelease.set(statement.manifest, new Map());
      this.byRelease.get(statement.manifest).set(statement.predicate.chain.release_seq ?? 0, statement);
    }
    const contiguous = receipts.every((statement, index) => statement.seq === index + 1);
    this.whole = complete && scope.kind === "organization" && !scope.start && contiguous;
  }

  // Everything, in order; what fails is kept.
  async run() {
    await this.each(this.document.checkpoints, (entry, index) => this.readCheckpoint(entry, index));
    this.ascending("checkpoints", this.sizes);
    this.tellAnchors();
    await this.each(this.document.anchors, (entry, index) => this.checkAnchor(entry, index));
    const told = this.document.anchors.map((entry) => entry.receipt_hash).filter((hash) => this.anchors.has(hash));
    this.ascending("anchors", told.map((hash) => [this.anchors.get(hash).size, hash]));
    this.checkAsides();
    this.checkRoots();
    await this.each(this.document.proofs, (entry, index) => checkProof(this, entry, index));
    await this.each(this.document.heads, (entry, index) => checkReleaseHead(this, entry, index));
    addAll(this.failures, missingHeads(this));
    addAll(this.failures, lastAnchorFailures(this));
    await this.each([...this.evidence.keys()], (receiptHash) => checkEvidence(this, receiptHash));
  }

  async each(entries, step) {
    for (const [index, entry] of entries.entries()) {
      try {
        await step(entry, index);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.failures.push(error);
      }
    }
  }

  // Each of these numbers, or pairs of a number and a text, is over the one before.
  ascending(name, values) {
    const words = (value) => (value.length > 1 ? `(${value[0]}, ${quoted(value[1])})` : String(value[0]));
    for (let index = 1; index < values.length; index += 1) {
      const [[number, text], [before, last]] = [values[index], values[index - 1]];
      if (number > before || (number === before && text > last)) continue;
      const said = { expected: `more than ${words(values[index - 1])}`, got: words(values[index]) };
      this.failures.push(new Place(`${name}[${index}]`).failure(INTEGRITY, "out of order", said));
    }
  }

  async readCheckpoint(entry, index) {
    const place = new Place(`checkpoints[${index}]`);
    const checkpoint = place.blaming(INTEGRITY, "the checkpoint", () => {
      const read = readCheckpoint(entry.note), lines = read.note.signatures.length;
      requireThat(read.size > 0, "size", "1 or more", read.size);
      requireThat(lines === 1, "signatures", "the log's alone", `${lines} lines`);
      return read;
    });
    if (!this.checkpoints.has(checkpoint.sha256)) this.checkpoints.set(checkpoint.sha256, checkpoint);
    if (!this.byText.has(checkpoint.note.text)) this.byText.set(checkpoint.note.text, checkpoint);
    this.sizes.push([checkpoint.size]);
    if (this.origin !== null && checkpoint.origin !== this.origin) {
      throw place.failure(AUTHENTICITY, "a checkpoint of another log", { expected: this.origin, got: checkpoint.origin });
    }
    const key = await logKey(checkpoint, this.trust, place);
    if (key.revokedAt !== null) this.checkRevoked(checkpoint, key.revokedAt, place);
  }

  // A note has no time of its own: only an anchor shows that it was signed before the revocation.
  checkRevoked(checkpoint, revokedAt, place) {
    const made = this.document.anchors.filter((entry) => entry.checkpoint === checkpoint.sha256);
    const told = made.map((entry) => this.byHash.get(entry.receipt_hash)).filter(Boolean);
    const [first] = told.map((statement) => statement.predicate.occurred_at).sort();
    if (first === undefined || first >= revokedAt) {
      const said = { expected: `an anchor before ${revokedAt}`, got: first ?? "none" };
      throw place.failure(AUTHENTICITY, "signed by a revoked log key", said);
    }
  }

  // What each `anchor.made` here says; the evidence of each must be here too.
  tellAnchors() {
    const entries = new Set(this.document.anchors.map((entry) => entry.receipt_hash));
    for (const statement of this.inOrder) {
      if (statement.predicate.event !== ANCHOR_MADE) continue;
      try {
        this.anchors.set(statement.receiptHash, readAnchor(statement));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        this.failures.push(error);
      }
      if (!entries.has(statement.receiptHash)) {
        const said = { expected: "an entry of it among the anchors", got: "none" };
        this.failures.push(statement.place().failure(INTEGRITY, "the evidence of this anchor is not here", said));
      }
    }
  }

  checkAnchor(entry, index) {
    const place = new Place(`anchors[${index}]`, null, entry.receipt_hash);
    const refuse = (detail, expected, got) => { throw place.failure(INTEGRITY, detail, { expected, got }); };
    const statement = this.byHash.get(entry.receipt_hash);
    if (statement?.predicate.event !== ANCHOR_MADE) {
      refuse("no receipt of an anchor", `an ${ANCHOR_MADE} here, in scope or aside`, entry.receipt_hash);
    }
    place.seq = statement.seq;
    const anchor = this.anchors.get(entry.receipt_hash);
    if (!anchor) return;
    if (entry.kind !== anchor.kind) refuse("of another kind than was receipted", anchor.kind, entry.kind);
    if (entry.checkpoint !== anchor.checkpoint) {
      refuse("of another checkpoint than was receipted", anchor.checkpoint, entry.checkpoint);
    }
    const checkpoint = this.checkpoints.get(entry.checkpoint);
    if (!checkpoint) refuse("of a checkpoint that is not here", "one of the checkpoints", entry.checkpoint);
    if (anchor.size !== checkpoint.size) refuse("receipted with another size than the checkpoint's", checkpoint.size, anchor.size);
    const root = hex(checkpoint.root);
    if (anchor.root !== root) refuse("receipted with another root than the checkpoint's", root, anchor.root);
    this.checkHeads(anchor, refuse);
    const evidence = place.blaming(INTEGRITY, "the evidence", () => decodeBase64(entry.evidence, "evidence"));
    const digest = sha256Hex(evidence);
    if (digest !== anchor.evidence) refuse("the evidence of the anchor is not the one that was receipted", anchor.evidence, digest);
    this.evidence.set(entry.receipt_hash, evidence);
  }

  // All anchors of a checkpoint tell the same heads of releases.
  checkHeads(anchor, refuse) {
    const known = this.releaseHeads.get(anchor.checkpoint) ?? anchor;
    this.releaseHeads.set(anchor.checkpoint, known);
    const [same, heads] = [known, anchor].map((one) => `${one.releases}, ${one.releaseHeads}`);
    if (heads !== same) refuse("receipted with other release heads than another anchor of the checkpoint", same, heads);
  }

  checkAsides() {
    const needed = new Set(this.document.anchors.map((entry) => entry.receipt_hash));
    const inside = new Set(this.receipts.map((statement) => statement.seq));
    this.ascending("asides", this.asides.map((statement) => [statement.seq]));
    for (const statement of this.asides) {
      if (!needed.has(statement.receiptHash) || inside.has(statement.seq)) {
        const said = { expected: `an ${ANCHOR_MADE} that is not among the receipts`, got: statement.predicate.event };
        this.failures.push(statement.place().failure(INTEGRITY, "no anchor here needs it", said));
      }
    }
    this.inOrder.forEach((current, index) => {
      const previous = this.inOrder[index - 1];
      const walked = previous && inside.has(previous.seq) && inside.has(current.seq);
      if (previous && !walked) addAll(this.failures, linkFailures(previous, current));
    });
  }

  // All receipts together must lead to each checkpoint's root, and to the release heads that anchors name.
  checkRoots() {
    if (!this.whole) return;
    const tree = new Tree(), releases = new Releases(), anchors = [...this.anchors.values()];
    for (const checkpoint of [...this.checkpoints.values()].sort((a, b) => a.size - b.size)) {
      for (const statement of this.receipts.slice(tree.size, checkpoint.size)) {
        tree.append(leafHash(unhex(statement.receiptHash)));
        releases.add(statement);
      }
      if (tree.size === checkpoint.size) {
        this.compareRoot(checkpoint, tree.root());
        addAll(this.failures, releases.failures(anchors.filter((anchor) => anchor.size === tree.size)));
      } else if (this.scope.end === null) {
        const said = { expected: `receipts up to seq ${checkpoint.size}`, got: `up to seq ${tree.size}` };
        this.failures.push(checkpointPlace(checkpoint).failure(COMPLETENESS, "the tail is cut off", said));
      }
    }
  }

  compareRoot(checkpoint, root) {
    if (sameBytes(root, checkpoint.root)) {
      this.confirmed.add(checkpoint.sha256);
      return;
    }
    const detail = "the receipts make another log than the checkpoint's";
    const said = { expected: hex(checkpoint.root), got: hex(root) };
    this.failures.push(checkpointPlace(checkpoint).failure(COMPLETENESS, detail, said));
  }
}
