// Step 7, with attestations: statements of OpenSSF Model Signing v1.0 about weight files.

const BUNDLE = record({
  mediaType: oneOf("application/vnd.dev.sigstore.bundle.v0.3+json"),
  verificationMaterial: record({
    publicKey: record({
      hint: SHA256, rawBytes: matching("[A-Za-z0-9+/]*=*", "base64"), keyDetails: oneOf("PKIX_ECDSA_P256_SHA_256"),
    }, ["rawBytes", "keyDetails"]),
    tlogEntries: arrayOf(anything, 0, 0),
  }),
  dsseEnvelope: record({
    payload: textOf(MAX_FILE_BYTES),
    payloadType: oneOf(PAYLOAD_TYPES.receipts),
    signatures: arrayOf(record({ sig: textOf(400), keyid: oneOf("") }), 1, 1),
  }),
});
const OMS_STATEMENT = record({
  _type: oneOf("https://in-toto.io/Statement/v1"),
  subject: arrayOf(record({ name: NAME, digest: record({ sha256: SHA256 }) }), 1, 1),
  predicateType: oneOf("https://model_signing/signature/v1.0"),
  predicate: record({
    serialization: tableOf(NAME, anything),
    resources: arrayOf(record({ name: textOf(4000), algorithm: oneOf("sha256"), digest: SHA256 }), 1),
  }),
});
// The one text of a key on P-256, its point not compressed, so that it has one fingerprint.
const P256_HEAD = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
const PEM = new RegExp(`^-----BEGIN PUBLIC KEY-----\n(${P256_HEAD}[A-Za-z0-9+/]{28})\n`
  + "([A-Za-z0-9+/]{57}[AQgw]==)\n-----END PUBLIC KEY-----\n$");

// Signature first, then the statement: the digest that manifests name, the root of the standard, who signed.
async function readAttestation(entry, place) {
  const [named, payloadType, payload, signature, pem] = place.blaming(WEIGHTS, "the attestation", () => {
    BUNDLE(entry.bundle, "bundle");
    const { verificationMaterial: { publicKey }, dsseEnvelope: envelope } = entry.bundle;
    const raw = decodeBase64(envelope.payload, "payload"), signed = decodeBase64(envelope.signatures[0].sig, "sig");
    const text = "rawBytes" in publicKey ? decodeBase64(publicKey.rawBytes, "rawBytes") : null;
    const hint = text ? sha256Hex(text) : publicKey.hint;
    requireThat(hint === publicKey.hint, "hint", `SHA-256 of the key, ${hint}`, publicKey.hint);
    return [publicKey, envelope.payloadType, raw, signed, text];
  });
  if (pem) await requireP256(pem, signature, pae(payloadType, payload), place);
  const [statement, digest] = place.blaming(WEIGHTS, "the attestation", () => {
    const value = readJson(payload);
    OMS_STATEMENT(value, "");
    checkNames(value.predicate.resources.map((resource) => resource.name));
    return [value, sha256Hex(canonicalBytes(value.predicate))];
  });
  if (digest !== entry.weights_sha256) {
    const said = { expected: entry.weights_sha256, got: digest };
    throw place.failure(WEIGHTS, "files and names have another digest than the attestation's", said);
  }
  const root = sha256Hex(joined(statement.predicate.resources.map((resource) => unhex(resource.digest))));
  const stated = statement.subject[0].digest.sha256;
  if (root !== stated) {
    throw place.failure(WEIGHTS, "the files have another root digest than the attestation says", { expected: stated, got: root });
  }
  return { weightsSha256: digest, root, signer: named.hint, verified: pem !== null };
}

// −1, 0 or 1 by the code points of two texts.
function inCodePoints(a, b) {
  const [left, right] = [Array.from(a), Array.from(b)];
  const at = left.findIndex((char, i) => char !== right[i]);
  if (at < 0) return Math.sign(left.length - right.length);
  return right[at] === undefined ? 1 : Math.sign(left[at].codePointAt(0) - right[at].codePointAt(0));
}

function inParts(a, b) {
  const at = a.findIndex((part, i) => part !== b[i]);
  if (at < 0) return Math.sign(a.length - b.length);
  return b[at] === undefined ? 1 : inCodePoints(a[at], b[at]);
}

// Paths below the folder of the weights, each once, in the order of their parts.
function checkNames(names) {
  const paths = names.map((name) => name.split("/"));
  paths.forEach((path, index) => {
    const label = `resources[${index}].name`;
    const below = !path.some((part) => ["", ".", ".."].includes(part));
    requireThat(below, label, "a path below the folder of the weights", names[index]);
    const ordered = index === 0 || inParts(paths[index - 1], path) < 0;
    requireThat(ordered, label, "names in order, each once", names[index]);
  });
}

// Throws where this P-256 key did not sign.
async function requireP256(pem, signature, message, place) {
  let held = false;
  try {
    const [, first, second] = PEM.exec(String.fromCharCode(...pem.subarray(0, 200)));
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const key = await crypto.subtle.importKey("spki", decodeBase64(first + second, "key"), algorithm, false, ["verify"]);
    held = await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, rawSignature(signature), message);
  } catch {
    held = false;
  }
  if (!held) {
    const said = { expected: "a P-256 signature by the key in the bundle", got: show("another signature") };
    throw place.failure(WEIGHTS, "the attestation's signature does not hold", said);
  }
}

// The two numbers of a DER signature, 32 bytes each; another spelling of the same is refused.
function rawSignature(der) {
  const [r, rest] = derInteger(der.subarray(2)), [s, nothing] = derInteger(rest);
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || nothing.length) throw new SignatureError("no signature in DER");
  return concat(new Uint8Array(32 - r.length), r, new Uint8Array(32 - s.length), s);
}

function derInteger(bytes) {
  const length = bytes[1], value = bytes.subarray(2, 2 + length);
  const padded = value[0] === 0 && value.length > 1;
  const whole = bytes[0] === 0x02 && length > 0 && length <= 33 && value.length === length;
  const strict = whole && value[0] < 0x80 && (!padded || value[1] >= 0x80);
  if (!strict) throw new SignatureError("no signature in DER");
  return [padded ? value.subarray(1) : value, bytes.subarray(2 + length)];
}

// Each claim says what the attestation of its weights says, and each attestation is of weights claimed here.
function* claimFailures(attestations, receipts) {
  const named = new Set();
  for (const statement of receipts) {
    const { weights } = statement.predicate;
    const attestation = attestations.get(weights.manifest_sha256 ?? "");
    if (!attestation) continue;
    named.add(attestation.weightsSha256);
    const root = weights.oms_root_sha256 ?? null;
    if (root !== null && root !== attestation.root) {
      const said = { expected: attestation.root, got: show(root) };
      yield statement.place().failure(WEIGHTS, "the claim names another root digest than the attestation's", said);
    }
  }
  for (const digest of [...attestations.keys()].sort()) {
    if (!named.has(digest)) {
      const said = { expected: "a claim with this digest", got: digest };
      yield new Place("attestations").failure(WEIGHTS, "an attestation of weights that no receipt here names", said);
    }
  }
}
