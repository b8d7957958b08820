// Step 2: what the auditor gives: the trust file, and a head that is known already; and the keyring that its root signed.

const WITNESS_NAME = matching("[^\\s+\\x00-\\x1f\\x85]{1,300}", "the name of a witness's key, without spaces and plus signs");
const TRUST = record({
  organization: NAME,
  origin: ORIGIN,
  keys: arrayOf(KEY),
  witnesses: arrayOf(record({ name: WITNESS_NAME, public_key: textOf(64), vkey: textOf(500) })),
  tsa_roots: arrayOf(textOf(100000)),
  root: record({ keyid: SHA256, alg: oneOf("ed25519"), public_key: textOf(64) }),
}, ["root"]);
const KEYRING = record({
  schema: oneOf("relcontrol/keyring/v1"),
  sequence: integerFrom(1),
  issued_at: moment,
  origins: arrayOf(ORIGIN),
  keys: arrayOf(KEY),
});
const NO_TRUST = { origin: null, keys: new Map(), external: false, witnesses: [], tsaRoots: [], root: null };

// Does one step with the trust file; what has not the form makes it unusable.
function usableTrust(step) {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof FormError)) throw error;
    throw new TrustError(`the trust file is not usable: ${error.message}`);
  }
}

// A parsed trust.json. Throws TrustError.
function readTrust(value) {
  return usableTrust(() => {
    TRUST(value, "");
    return {
      origin: value.origin,
      keys: readKeys(value.keys),
      external: true,
      witnesses: value.witnesses.map((entry, index) => readWitness(entry, `witnesses[${index}]`)),
      tsaRoots: value.tsa_roots,
      root: "root" in value ? readKey({ ...value.root, purpose: "root", from: "", to: null }, "root") : null,
    };
  });
}

// The bytes of a trust.json. Throws TrustError.
const parseTrust = (bytes) => usableTrust(() => readJson(bytes));

function readWitness(entry, path) {
  const raw = decodeBase64(entry.public_key, `${path}.public_key`);
  requireUsableKey(raw);
  const keyId = noteKeyId(entry.name, COSIGNATURE_KEY, raw);
  const vkey = `${entry.name}+${keyId}+${encodeBase64(concat(Uint8Array.of(COSIGNATURE_KEY), raw))}`;
  requireThat(entry.vkey === vkey, `${path}.vkey`, vkey, entry.vkey);
  return { name: entry.name, raw, keyId };
}

// The trust file's keys and those of the keyring that its root signed; of a key in both, the narrower period.
async function withKeyring(trust, envelope) {
  if (envelope === null || trust.root === null) return trust;
  const place = new Place("the keyring");
  const [payload] = await openEnvelope(envelope, "root", { ...trust, keys: new Map([[trust.root.keyid, trust.root]]) }, place);
  const [keyring, listed] = place.blaming(INTEGRITY, "its content", () => {
    const value = readCanonical(payload);
    KEYRING(value, "");
    return [value, readKeys(value.keys)];
  });
  if (!keyring.origins.includes(trust.origin)) {
    const got = keyring.origins.join(", ") || "none";
    throw place.failure(AUTHENTICITY, "it is of other customers", { expected: trust.origin, got: show(got) });
  }
  for (const [keyid, key] of trust.keys) listed.set(keyid, narrower(key, listed.get(keyid) ?? key));
  return { ...trust, keys: listed };
}

const earlier = (a, b) => (a === null || (b !== null && b < a) ? b : a);

function narrower(key, other) {
  return {
    ...key,
    start: key.start > other.start ? key.start : other.start,
    end: earlier(key.end, other.end),
    revokedAt: earlier(key.revokedAt, other.revokedAt),
  };
}

// `SEQ:HASH`. Throws TrustError.
function readHead(text) {
  const match = /^([1-9][0-9]{0,15}):([0-9a-f]{64})$/.exec(text.trim());
  if (!match) {
    const form = "a known head is written SEQ:HASH (or is a file that holds that)";
    throw new TrustError(`${form}, not ${show(text.slice(0, 80))}`);
  }
  return { seq: Number(match[1]), receiptHash: match[2] };
}

// `SEQ:HASH`, or a signed checkpoint of the log, by a log key of the trust file. Throws TrustError.
async function readKnownHead(given, trust) {
  const text = `${given.replace(/^[\ufeff \t\r\n]+|[\ufeff \t\r\n]+$/g, "")}\n`;  // as editors and terminals leave it
  if (!text.includes("\n\n")) return readHead(text);
  if (trust === null) throw new TrustError("a signed head needs the trust file (--trust): without it its signature shows nothing");
  let checkpoint = null;
  try {
    checkpoint = readCheckpoint(text);
    await logKey(checkpoint, trust, new Place("the known head"));
  } catch (error) {
    if (!(error instanceof FormError || error instanceof Failure)) throw error;
    throw new TrustError(`the known head is not usable: ${error.message}`);
  }
  if (checkpoint.origin !== trust.origin) throw new TrustError(`the known head is of another log, ${show(checkpoint.origin)}`);
  return checkpoint;
}
