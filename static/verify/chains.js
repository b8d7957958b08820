// Steps 5, 6 and 8: the chains, the openings, and a head that the auditor holds.

class Scope {
  constructor(kind = "", name = "", start = null, end = null) {
    Object.assign(this, { kind, name, start, end });
  }

  get words() {
    const limits = (this.start ? ` from ${this.start}` : "") + (this.end ? ` until ${this.end}` : "");
    return `${this.kind || "unknown"}${this.name ? ` ${this.name}` : ""}${limits}`;
  }
}

const RANGE = { from: nullable(moment), to: nullable(moment) };
const printable = (name) => (/^[ -~]*$/.test(name) ? name : quoted(name));

const genesisPrev = (origin) => sha256Hex(utf8(`relcontrol/genesis/v1\0${origin}`));

function disorder(previous, current) {
  if (current.seq < previous.seq) return "out of order";
  return current.receiptHash === previous.receiptHash ? "the same receipt twice" : "a fork: two receipts with one seq";
}

function* linkFailures(previous, current) {
  const place = current.place(), { prev } = current.predicate.chain;
  if (current.seq <= previous.seq) {
    yield place.failure(INTEGRITY, disorder(previous, current), { expected: `a seq over ${previous.seq}`, got: current.seq });
  } else if (current.seq === previous.seq + 1 && prev !== previous.receiptHash) {
    const said = { expected: `prev ${previous.receiptHash}`, got: prev };
    yield place.failure(INTEGRITY, "the link to the receipt before is broken", said);
  }
  if (current.seq > previous.seq && current.issuedAt < previous.issuedAt) {
    const said = { expected: `${previous.issuedAt} or later`, got: current.issuedAt };
    yield place.failure(TIME, "issued before the receipt in front of it", said);
  }
}

// Step 5 over the receipts that could be opened; null stands for one that could not.
class Walk {
  constructor(scope, receipts) {
    Object.assign(this, { scope, receipts, gaps: 0, seen: new Map(), releases: new Map() });
  }

  // Every failure of order, links, gaps, clock and scope.
  *failures() {
    let previous = null, unread = 0;
    const complete = this.receipts.every((receipt) => receipt !== null);
    for (const current of this.receipts) {
      if (current === null) {
        unread += 1;
        continue;
      }
      yield* this.onceFailures(current);
      yield* this.scopeFailures(current);
      if (previous) yield* linkFailures(previous, current);
      if (!previous || current.seq > previous.seq + 1) yield* this.firstFailures(current);
      yield* this.gapFailures(previous ? previous.seq : 0, current, unread);
      yield* this.releaseFailures(current, complete);
      previous = current;
      unread = 0;
    }
  }

  // An event id, or a predecessor, belongs to one receipt.
  *onceFailures(current) {
    const { predicate } = current;
    for (const [name, value] of [["event_id", predicate.event_id], ["prev", predicate.chain.prev]]) {
      const key = `${name} ${value}`;
      if (!this.seen.has(key)) this.seen.set(key, current.seq);
      const earlier = this.seen.get(key);
      if (earlier !== current.seq) {
        const detail = name === "prev" ? "a fork: two receipts after one" : "an event twice";
        yield current.place().failure(INTEGRITY, detail, { expected: `another ${name} than seq ${earlier}`, got: value });
      }
    }
  }

  *scopeFailures(current) {
    const { scope } = this, place = current.place();
    if (scope.kind === "release" && current.manifest !== scope.name) {
      const got = current.manifest ?? "no release";
      yield place.failure(INTEGRITY, "a receipt of another release", { expected: scope.name, got });
    }
    if (scope.kind === "application" && current.application !== scope.name) {
      const got = current.application ?? "no application";
      yield place.failure(INTEGRITY, "a receipt of another application", { expected: scope.name, got });
    }
    if (scope.kind === "person" && current.predicate.actor.id !== scope.name) {
      const got = show(current.predicate.actor.id);
      yield place.failure(INTEGRITY, "a receipt of another person", { expected: scope.name, got });
    }
    const early = scope.start !== null && current.issuedAt < scope.start;
    if (early || (scope.end !== null && current.issuedAt >= scope.end)) {
      yield place.failure(INTEGRITY, "outside the export's time range", { expected: scope.words, got: current.issuedAt });
    }
  }

  *firstFailures(current) {
    const { chain } = current.predicate, genesis = genesisPrev(chain.customer);
    if ((current.seq === 1) !== (chain.prev === genesis)) {
      const expected = current.seq === 1 ? `prev ${genesis}` : "seq 1 after the genesis";
      const got = `seq ${current.seq}, prev ${chain.prev}`;
      yield current.place().failure(INTEGRITY, "the chain does not begin at its genesis", { expected, got });
    }
  }

  // Missing receipts: counted everywhere, a failure where the scope allows none.
  *gapFailures(before, current, unread) {
    const missing = current.seq - before - 1 - unread;
    if (missing <= 0 || (before === 0 && this.scope.start !== null)) return;
    this.gaps += 1;
    if (this.scope.kind === "organization") {
      const said = { expected: `seq ${current.seq - missing}`, got: `seq ${current.seq}` };
      yield current.place().failure(COMPLETENESS, `${missing} missing before this one`, said);
    }
  }

  // The same rules along the chain of one release.
  *releaseFailures(current, complete) {
    const { manifest } = current, { chain } = current.predicate, place = current.place();
    if (manifest === null) return;
    const last = this.releases.get(manifest) ?? null;
    this.releases.set(manifest, current);
    const before = last ? last.predicate.chain.release_seq : 0;
    const seq = chain.release_seq, prev = chain.release_prev;
    const gapless = complete && this.gaplessReleases && (last || !this.scope.start);
    const said = { expected: `release_seq ${before + 1}`, got: `release_seq ${seq}` };
    yield* this.applicationFailures(last, current);
    if (seq <= before) {
      yield place.failure(INTEGRITY, "out of order in its release", said);
    } else if (last && seq === before + 1 && prev !== last.receiptHash) {
      const link = { expected: `release_prev ${last.receiptHash}`, got: prev };
      yield place.failure(INTEGRITY, "the link to the release's receipt before is broken", link);
    } else if (seq > before + 1 && gapless) {
      yield place.failure(COMPLETENESS, "a receipt of this release is missing", said);
    }
  }

  get gaplessReleases() {
    return this.scope.kind !== "" && this.scope.kind !== "person";
  }

  // A release belongs to one application; a receipt from before applications were named says nothing of it.
  *applicationFailures(last, current) {
    const expected = last?.application, got = current.application;
    if (expected && got && expected !== got) {
      yield current.place().failure(INTEGRITY, "the receipts of one release name two applications", { expected, got });
    }
  }
}

// ---- Step 6: openings

const OPENING = record({
  receipt_hash: SHA256,
  field: NAME,
  salt: matching("([0-9a-f]{2}){16,64}", "a salt of at least 16 bytes in lower-case hex"),
  value: anything,
});

// The digest by which a receipt commits to a value that it does not show.
const commitmentTo = (name, salt, value) => sha256Hex(utf8(`relcontrol/commit/v1\0${canonicalText([name, salt, value])}`));
const commitmentKey = (receiptHash, field) => `${receiptHash} ${field}`;

function checkOpening(opening, made, place) {
  place.blaming(COVERAGE, "the opening", () => OPENING(opening, ""));
  const key = commitmentKey(opening.receipt_hash, opening.field);
  place.receiptHash = opening.receipt_hash;
  if (!made.has(key)) {
    const expected = "a commitment that a receipt in this export made to this field";
    throw place.failure(COVERAGE, "opens nothing", { expected, got: show(opening.field) });
  }
  const [seq, expected] = made.get(key);
  place.seq = seq;
  const got = place.blaming(COVERAGE, "the value", () => commitmentTo(opening.field, opening.salt, opening.value));
  if (got !== expected) {
    throw place.failure(COVERAGE, `the value of ${show(opening.field)} is not the one committed to`, { expected, got });
  }
  return key;
}

// ---- Step 8: a head that the auditor holds

// Up to which seq the chain reaches the head; 0: this scope cannot tell. Throws where it contradicts the head.
function checkHead(head, receipts, asides, scope) {
  const place = new Place("the known head", head.seq, head.receiptHash);
  const inside = receipts.find((receipt) => receipt.seq === head.seq);
  const found = inside ?? asides.find((receipt) => receipt.seq === head.seq);
  if (found && found.receiptHash !== head.receiptHash) {
    const said = { expected: head.receiptHash, got: found.receiptHash };
    throw place.failure(COMPLETENESS, "another receipt stands where the known one stood", said);
  }
  if (scope.kind !== "organization") return 0;
  const last = receipts.length ? receipts.at(-1).seq : 0;
  if (!found && scope.end === null && last < head.seq) {
    const said = { expected: `a chain up to seq ${head.seq}`, got: `up to seq ${last}` };
    throw place.failure(COMPLETENESS, "the tail is cut off", said);
  }
  return inside ? head.seq : 0;
}
