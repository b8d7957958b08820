// Steps 2 to 4: keys that are trusted, and envelopes: the signature first, then the content.

const PAYLOAD_TYPES = {
  receipts: "application/vnd.in-toto+json",
  export: "application/vnd.relcontrol.export+json",
  root: "application/vnd.relcontrol.keyring+json",
};
const KEY = record({
  keyid: SHA256,
  alg: oneOf("ed25519"),
  public_key: textOf(64),
  purpose: oneOf("receipts", "export", "log", "routing"),
  from: moment,
  to: nullable(moment),
  revoked_at: nullable(moment),
  reason: nullable(textOf(1000)),
}, ["revoked_at", "reason"]);
const SIGNATURE = record({ keyid: SHA256, sig: textOf(200) });
const ENVELOPE = record({
  payload: textOf(MAX_FILE_BYTES), payloadType: textOf(200), signatures: arrayOf(SIGNATURE, 1, 1),
});

function readKey(entry, path) {
  const raw = decodeBase64(entry.public_key, `${path}.public_key`);
  requireUsableKey(raw);
  const keyid = sha256Hex(raw);
  requireThat(entry.keyid === keyid, `${path}.keyid`, `SHA-256 of the key, ${keyid}`, entry.keyid);
  return { keyid, raw, purpose: entry.purpose, start: entry.from, end: entry.to, revokedAt: entry.revoked_at ?? null };
}

function readKeys(entries) {
  const keys = new Map();
  entries.forEach((entry, index) => {
    const key = readKey(entry, `keys[${index}]`);
    requireThat(!keys.has(key.keyid), `keys[${index}].keyid`, "each key once", key.keyid);
    keys.set(key.keyid, key);
  });
  return keys;
}

// A receipt whose signature, form and signer were checked.
class Statement {
  constructor(value, receiptHash, key) {
    Object.assign(this, { value, receiptHash, key, predicate: value.predicate });
    this.seq = this.predicate.chain.seq;
    this.issuedAt = this.predicate.issued_at;
    this.application = this.predicate.application ?? null;
    this.manifest = this.predicate.release.manifest_sha256;
  }

  place() {
    return new Place("", this.seq, this.receiptHash);
  }
}

// DSSE v1.0.2 pre-authentication encoding: what is signed.
function pae(payloadType, payload) {
  return concat(utf8(`DSSEv1 ${utf8(payloadType).length} ${payloadType} ${payload.length} `), payload);
}

// The signed bytes and who signed them; nothing of the payload is read before the signature holds.
async function openEnvelope(envelope, purpose, trust, place) {
  const expected = PAYLOAD_TYPES[purpose];
  const [payload, signature] = place.blaming(INTEGRITY, "the envelope", () => {
    ENVELOPE(envelope, "");
    requireThat(envelope.payloadType === expected, "payloadType", expected, envelope.payloadType);
    const raw = decodeBase64(envelope.payload, "payload");
    const signed = decodeBase64(envelope.signatures[0].sig, "signatures[0].sig");
    place.receiptHash = sha256Hex(raw);
    const most = purpose === "receipts" ? MAX_PAYLOAD_BYTES : MAX_MANIFEST_BYTES;
    requireThat(raw.length <= most, "payload", `at most ${most} bytes`, raw.length);
    return [raw, signed];
  });
  const key = keyFor(envelope.signatures[0].keyid, purpose, trust, place);
  await requireSignature(key, signature, pae(expected, payload), place);
  return [payload, key];
}

async function requireSignature(key, signature, message, place) {
  try {
    await verifySignature(key.raw, signature, message);
  } catch (error) {
    if (!(error instanceof SignatureError)) throw error;
    const said = { expected: `a signature by key ${key.keyid}`, got: error.message };
    throw place.failure(AUTHENTICITY, "the signature does not hold", said);
  }
}

function keyFor(keyid, purpose, trust, place) {
  const key = trust.keys.get(keyid);
  if (!key) {
    const source = trust.external ? "the trust file" : "the export itself";
    throw place.failure(AUTHENTICITY, "signed by an unknown key", { expected: `a key of ${source}`, got: keyid });
  }
  if (key.purpose !== purpose) {
    const said = { expected: `purpose ${purpose}`, got: `${key.purpose}, key ${keyid}` };
    throw place.failure(AUTHENTICITY, "signed by a key of another purpose", said);
  }
  return key;
}

// The key id outside is unauthenticated: it must be repeated inside, and the key be valid at that moment.
function checkSigner(key, signer, at, place) {
  if (signer.keyid !== key.keyid) {
    throw place.failure(AUTHENTICITY, "the signer inside differs", { expected: key.keyid, got: signer.keyid });
  }
  if (at < key.start || (key.end !== null && at > key.end)) {
    const expected = `a moment from ${key.start} to ${key.end ?? "now"}, when key ${key.keyid} was in use`;
    throw place.failure(AUTHENTICITY, "signed outside the key's period", { expected, got: at });
  }
  if (key.revokedAt !== null && at >= key.revokedAt) {
    const expected = `before ${key.revokedAt}, key ${key.keyid}`;
    throw place.failure(AUTHENTICITY, "signed by a revoked key", { expected, got: at });
  }
}

async function openReceipt(envelope, trust, origin, place) {
  const [payload, key] = await openEnvelope(envelope, "receipts", trust, place);
  const value = place.blaming(INTEGRITY, "the statement", () => {
    const read = readCanonical(payload);
    checkStatement(read);
    return read;
  });
  const statement = new Statement(value, place.receiptHash, key);
  place.seq = statement.seq;
  checkSigner(key, statement.predicate.signer, statement.issuedAt, place);
  const { customer } = statement.predicate.chain, owner = trust.origin ?? origin;
  if (owner !== null && customer !== owner) {
    throw place.failure(AUTHENTICITY, "a receipt of another customer", { expected: owner, got: customer });
  }
  return statement;
}

// The claim about weights in words, if it is consistent.
function weightsClaim(statement) {
  statement.place().blaming(WEIGHTS, "the claim about weights", () => checkWeights(statement.value));
  const { weights } = statement.predicate;
  if (weights.provenance === "attested") return `open weights, ${weights.assurance}`;
  if (weights.provenance === "not-applicable") return "without a release";
  return weights.reason === "closed-api" ? "closed API, not claimed" : "not claimed, as no digest was given";
}
