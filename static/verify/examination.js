// Step 9: one run over one document, and its six verdicts.

const BASE64_TEXT = matching("[A-Za-z0-9+/]*=*", "base64");
const PLAIN_PARTS = { keys: arrayOf(KEY), openings: arrayOf(anything), receipts: arrayOf(anything) };
const PARTS = [
  { checkpoints: arrayOf(anything, 0, 0), ...PLAIN_PARTS },
  {
    anchors: arrayOf(record({ receipt_hash: SHA256, kind: oneOf(...ANCHOR_KINDS), checkpoint: SHA256, evidence: BASE64_TEXT })),
    asides: arrayOf(anything),
    attestations: arrayOf(record({ weights_sha256: SHA256, bundle: anything })),
    checkpoints: arrayOf(record({ note: textOf(MAX_PAYLOAD_BYTES) })),
    heads: arrayOf(record({
      checkpoint: SHA256, manifest_sha256: SHA256, release_seq: integerFrom(1), receipt_hash: SHA256,
      index: integerFrom(0), count: integerFrom(1), proof: arrayOf(textOf(44)),
    })),
    keyring: anything,
    proofs: arrayOf(record({ receipt_hash: SHA256, proof: textOf(MAX_PAYLOAD_BYTES) })),
    ...PLAIN_PARTS,
  },
];
const DOCUMENTS = PARTS.map((parts) => record({ ...parts, manifest: anything }));
const SCOPES = {
  application: record({ application: NAME, ...RANGE }),
  organization: record({ organization: anything, ...RANGE }),
  person: record({ person: NAME, ...RANGE }),
  release: record({ release: SHA256, ...RANGE }),
};
const SIGNED_BY_EXPORT = {
  export_id: matching("exp_[0-9a-hjkmnp-tv-z]{26}", "an export id, exp_ and 26 characters"),
  created_at: moment,
  origin: ORIGIN,
  signer: record({ keyid: SHA256, role: oneOf("export") }),
};
const eachOf = (parts, form) => record(Object.fromEntries(Object.keys(parts).map((name) => [name, form])));
const MANIFESTS = PARTS.map((parts, version) => record({
  schema: oneOf(`relcontrol/export/v${version + 1}`),
  scope: anything,
  parts: eachOf(parts, SHA256),
  counts: eachOf(parts, integerFrom(0)),
  ...(version ? { opens: oneOf("all", "impersonal", "nothing") } : {}),
  ...SIGNED_BY_EXPORT,
}));
const ARCHIVE = record({
  schema: oneOf("relcontrol/bundle/v1"),
  files: tableOf(FILE_NAME, record({ sha256: SHA256, size: integerFrom(0) })),
  ...SIGNED_BY_EXPORT,
});
const BATCH = 64;

function readScope(scope) {
  requireThat(isObject(scope), "scope", "an object", scope);
  const kind = Object.keys(SCOPES).find((name) => name in scope);
  requireThat(kind !== undefined, "scope", "organization, application, release or person", scope);
  SCOPES[kind](scope, "scope");
  if (kind === "organization") requireThat(scope[kind] === true, "scope.organization", "true", scope[kind]);
  return new Scope(kind, kind === "organization" ? "" : printable(scope[kind]), scope.from, scope.to);
}

// Which of the two formats: only the second has anchors.
const versionOf = (document) => (isObject(document) && "anchors" in document ? 1 : 0);

class Examination {
  constructor(trust, head, progress) {
    Object.assign(this, { trust, head, progress, failures: [], manifest: null, scope: new Scope(), total: 0, opened: [] });
    Object.assign(this, { document: null, encoded: null, asides: [], gaps: 0, commitments: 0, openings: 0, claims: new Map() });
    Object.assign(this, { attestations: new Map(), log: null, reached: 0, inside: null });
  }

  get receipts() {
    return this.opened.filter((statement) => statement !== null);
  }

  // Does one step; a failure is kept, so that the others are still done.
  async attempt(step) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.failures.push(error);
      return null;
    }
  }

  // A ZIP: its container, its export, and then what lies beside it.
  async runArchive(bytes) {
    const detail = "the container is not the one made of its files";
    const files = await this.attempt(() => new Place("the file").blaming(INTEGRITY, detail, () => readArchive(bytes)));
    if (files === null) return;
    if (files.has("export.json")) await this.run(files.get("export.json"));
    const statements = [...this.receipts, ...this.asides.filter(Boolean)];
    this.seqs = new Map(statements.map((statement) => [statement.receiptHash, statement.seq]));
    for await (const failure of new Archive(files, await this.trusted(), this).failures()) this.failures.push(failure);
  }

  // An export as JSON: steps 1 to 10.
  async run(bytes) {
    const document = await this.attempt(() => this.read(bytes));
    if (document === null) return;
    this.document = document;
    this.total = document.receipts.length;
    this.encoded = await this.attempt(() => this.encode(document));
    this.text = "";
    if (this.trust) this.trust = (await this.attempt(() => withKeyring(this.trust, document.keyring ?? null))) ?? this.trust;
    const trust = await this.trusted();
    this.manifest = await this.attempt(() => this.readManifest(document, trust));
    if (this.manifest && this.encoded) await this.checkParts(document);
    await this.openAll(document.receipts, document.asides ?? [], trust);
    const walk = new Walk(this.scope, this.opened);
    addAll(this.failures, walk.failures());
    this.gaps = walk.gaps;
    await this.openCommitments(document.openings);
    for (const statement of this.receipts) {
      const claim = await this.attempt(() => weightsClaim(statement));
      if (claim !== null) this.claims.set(claim, (this.claims.get(claim) ?? 0) + 1);
    }
    await this.readAttestations(document.attestations ?? []);
    await this.followLog(document, trust);
    if (this.head) this.reached = (await this.attempt(() => this.compareHead(this.head, this.log))) ?? 0;
  }

  // The auditor's keys, or those inside the file, which show no more than that it agrees with itself.
  async trusted() {
    if (this.trust) return this.trust;
    this.inside ??= (this.document && (await this.attempt(() => this.insideTrust(this.document)))) || NO_TRUST;
    return this.inside;
  }

  read(bytes) {
    return new Place("the file").blaming(INTEGRITY, "it cannot be read", () => {
      this.text = decodeText(bytes);
      const document = new JsonReader(this.text).whole();
      DOCUMENTS[versionOf(document)](document, "");
      return document;
    });
  }

  // The canonical text of each part; together they must be the file.
  encode(document) {
    return new Place("the file").blaming(INTEGRITY, "it is not in canonical form", () => {
      const names = Object.keys(document).sort();
      const encoded = new Map(names.map((name) => [name, canonicalText(document[name], 1)]));
      requireSameText(this.text, `{${names.map((name) => `"${name}":${encoded.get(name)}`).join(",")}}`);
      return encoded;
    });
  }

  insideTrust(document) {
    const place = new Place("the export's own keys");
    return place.blaming(INTEGRITY, "unusable", () => ({ ...NO_TRUST, keys: readKeys(document.keys) }));
  }

  // Step 3.
  async readManifest(document, trust) {
    const place = new Place("the export's manifest");
    const [payload, key] = await openEnvelope(document.manifest, "export", trust, place);
    const [manifest, scope] = place.blaming(INTEGRITY, "its content", () => {
      const value = readCanonical(payload);
      MANIFESTS[versionOf(document)](value, "");
      return [value, readScope(value.scope)];
    });
    checkSigner(key, manifest.signer, manifest.created_at, place);
    if (trust.origin !== null && manifest.origin !== trust.origin) {
      throw place.failure(AUTHENTICITY, "an export of another customer", { expected: trust.origin, got: manifest.origin });
    }
    this.scope = scope;
    return manifest;
  }

  // Each part is the one that the manifest was signed over.
  async checkParts(document) {
    for (const name of Object.keys(this.manifest.parts)) {
      const place = new Place(`the part ${quoted(name)}`), part = document[name];
      const digest = await digestOf(utf8(this.encoded.get(name))), count = name === "keyring" ? Number(part !== null) : part.length;
      const stated = this.manifest.parts[name], counted = this.manifest.counts[name];
      const refuse = (detail, expected, got) => this.failures.push(place.failure(INTEGRITY, detail, { expected, got }));
      if (digest !== stated) refuse("not the part that was exported", stated, digest);
      if (count !== counted) refuse("another number of entries", counted, count);
    }
  }

  // Step 4. In a whole chain a receipt's place in the file is its seq, known before it may be read.
  async openAll(envelopes, asides, trust) {
    const whole = this.scope.kind === "organization" && this.scope.start === null;
    this.opened = await this.openEach(envelopes, trust, (index) => new Place(`receipts[${index}]`, whole ? index + 1 : null));
    this.asides = await this.openEach(asides, trust, (index) => new Place(`asides[${index}]`));
  }

  // Signatures are checked beside each other, some at a time; failures are kept in the order of the receipts.
  async openEach(envelopes, trust, placeOf) {
    const origin = this.manifest ? this.manifest.origin : null, opened = [];
    for (let start = 0; start < envelopes.length; start += BATCH) {
      const batch = envelopes.slice(start, start + BATCH).map((envelope, i) =>
        openReceipt(envelope, trust, origin, placeOf(start + i)).catch((error) => error));
      const outcomes = await Promise.all(batch);
      for (const outcome of outcomes) {
        if (outcome instanceof Error && !(outcome instanceof Failure)) throw outcome;
        if (outcome instanceof Failure) this.failures.push(outcome);
        opened.push(outcome instanceof Failure ? null : outcome);
      }
      await this.progress(opened.length, envelopes.length);
    }
    return opened;
  }

  // Step 6.
  async openCommitments(openings) {
    const made = new Map(), opened = new Set();
    for (const { predicate, receiptHash, seq } of this.receipts) {
      for (const entry of predicate.commitments) made.set(commitmentKey(receiptHash, entry.field), [seq, entry.commitment]);
    }
    for (const [index, opening] of openings.entries()) {
      const place = new Place(`openings[${index}]`);
      const key = await this.attempt(() => checkOpening(opening, made, place));
      if (key !== null && opened.has(key)) {
        const detail = `${show(opening.field)} is opened a second time`;
        this.failures.push(place.failure(COVERAGE, detail, { expected: "one opening", got: "another" }));
      } else if (key !== null) {
        opened.add(key);
        await this.attempt(() => this.checkOpens(opening.field, place));
      }
    }
    this.commitments = made.size;
    this.openings = opened.size;
  }

  // An export that opens nothing, or nothing personal, opens no more than that.
  checkOpens(name, place) {
    const opens = this.manifest?.opens ?? "all";
    if (opens === "nothing" || (opens === "impersonal" && name.startsWith("personal."))) {
      const said = { expected: `what opens: ${opens} allows`, got: show(name) };
      throw place.failure(COVERAGE, "the export opens more than it says", said);
    }
  }

  // Step 7, of what others signed.
  async readAttestations(entries) {
    let before = "";
    for (const [index, entry] of entries.entries()) {
      const place = new Place(`attestations[${index}]`), digest = entry.weights_sha256;
      if (digest <= before) {
        this.failures.push(place.failure(INTEGRITY, "out of order", { expected: `more than ${before}`, got: digest }));
      }
      before = digest;
      const attestation = await this.attempt(() => readAttestation(entry, place));
      if (attestation) this.attestations.set(attestation.weightsSha256, attestation);
    }
    addAll(this.failures, claimFailures(this.attestations, this.receipts));
  }

  // Steps 8 and 9; a document of the first format has no log, but its receipts name their last anchors.
  async followLog(document, trust) {
    const parts = Object.fromEntries(["anchors", "checkpoints", "heads", "proofs"].map((name) => [name, document[name] ?? []]));
    const asides = this.asides.filter((statement) => statement !== null), complete = !this.opened.includes(null);
    const origin = this.manifest ? this.manifest.origin : trust.origin;
    this.log = new Log({ document: parts, trust, scope: this.scope, origin, receipts: this.receipts, asides, complete });
    await this.log.run();
    addAll(this.failures, this.log.failures);
  }

  // Step 10.
  compareHead(head, log) {
    return "root" in head ? checkSignedHead(head, log) : checkHead(head, log.receipts, log.asides, this.scope);
  }

  report() {
    const { receipts, manifest, failures } = this;
    const verdicts = CHECKS.map((check) => this.verdict(check));
    const head = receipts.length ? `${receipts.at(-1).seq}:${receipts.at(-1).receiptHash}` : null;
    const holding = verdicts.every((verdict) => verdict.outcome === HOLDS);
    return {
      export_id: manifest ? manifest.export_id : null,
      origin: manifest ? manifest.origin : null,
      scope: this.scope.words,
      receipts: this.total,
      head,
      verdicts,
      failures: failures.map((failure) => failure.asObject()),
      exit_code: failures.length ? 1 : holding ? 0 : 3,
    };
  }

  // Without every receipt and the manifest, what did not fail was not wholly checked either.
  verdict(check) {
    const [outcome, proves, limits] = VERDICTS[check](this);
    const failed = this.failures.filter((failure) => failure.check === check).length;
    const said = (result, words) => ({ check, outcome: result, proves: words, does_not_prove: limits });
    if (failed) return said(FAILS, `${failed} failure${failed > 1 ? "s" : ""}, named below.`);
    if (this.manifest === null || this.receipts.length < this.total || this.asides.includes(null)) {
      return said(NOT_CHECKED, "Not everything could be read: see the failures below.");
    }
    return said(outcome, proves);
  }
}

// Verifies an export, as JSON or as the ZIP that holds it. `trust`: a parsed trust.json or null; `head`: the text of a
// known head, or "". Throws TrustError.
async function verifyExport(bytes, trust, head, progress) {
  const trusted = trust === null ? null : readTrust(trust);
  const known = head ? await readKnownHead(head, trusted) : null;
  const examination = new Examination(trusted, known, progress);
  await (isArchive(bytes) ? examination.runArchive(bytes) : examination.run(bytes));
  return examination.report();
}
