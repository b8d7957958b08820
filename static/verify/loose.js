// Step 11: the files of a ZIP, whose export was examined before: its manifest, their digests, and what they say again.

const FOLDERS = ["anchors/", "attestations/", "checkpoints/", "keys/", "proofs/"];
const KNOWN_FILES = [
  "README.txt", "export.json", "manifest.json", "openings.json", "receipts.jsonl", "report.pdf", "schema.json",
  "verify.html", "verify.py",
];
const NEEDED_FILES = ["export.json", "keys/keys.json", "manifest.json", "openings.json", "receipts.jsonl"];
const ENDINGS = { rfc3161: "tsr", witness: "txt" };
const inFolder = (name) => FOLDERS.some((folder) => name.startsWith(folder));

class Archive {
  constructor(files, trust, run) {
    Object.assign(this, { files, trust, document: run.document, encoded: run.encoded, manifest: run.manifest, seqs: run.seqs });
  }

  async *failures() {
    const place = new Place("the files"), names = [...this.files.keys()];
    const missing = NEEDED_FILES.filter((name) => !this.files.has(name));
    const unknown = names.filter((name) => !KNOWN_FILES.includes(name) && !inFolder(name));
    if (missing.length) yield place.failure(INTEGRITY, "files are missing", { expected: missing.join(", "), got: "none of them" });
    if (unknown.length) {
      const said = { expected: "only files of an export", got: show(unknown.join(", ")) };
      yield place.failure(INTEGRITY, "the files hold unknown ones", said);
    }
    if (this.files.has("manifest.json")) yield* this.manifestFailures();
    if (this.document) yield* this.looseFailures(await this.loose());
    const report = this.files.get("report.pdf"), content = this.files.get("export.json");
    if (report && content && !(await embeds(report, content))) {
      const said = { expected: "the bytes of export.json, embedded", got: "no such file in it" };
      yield new Place("report.pdf").failure(INTEGRITY, "embeds another export than export.json", said);
    }
  }

  async *manifestFailures() {
    try {
      yield* this.listedFailures(await this.readManifest());
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      yield error;
    }
  }

  // Step 3 for the ZIP.
  async readManifest() {
    const place = new Place("the ZIP's manifest");
    const envelope = place.blaming(INTEGRITY, "it is not in canonical form", () => readCanonical(this.files.get("manifest.json")));
    const [payload, key] = await openEnvelope(envelope, "export", this.trust, place);
    const manifest = place.blaming(INTEGRITY, "its content", () => {
      const value = readCanonical(payload);
      ARCHIVE(value, "");
      return value;
    });
    checkSigner(key, manifest.signer, manifest.created_at, place);
    for (const name of ["export_id", "origin"]) {
      if (this.manifest && manifest[name] !== this.manifest[name]) {
        throw place.failure(INTEGRITY, `another export: ${name}`, { expected: this.manifest[name], got: manifest[name] });
      }
    }
    return manifest;
  }

  async *listedFailures(manifest) {
    const listed = Object.keys(manifest.files).sort(), known = new Set(listed);
    const here = new Set([...this.files.keys()].filter((name) => name !== "manifest.json").sort());
    const missing = listed.filter((name) => !here.has(name)), more = [...here].filter((name) => !known.has(name));
    if (missing.length || more.length) {
      const got = `without ${show(missing.join(", "))}, with ${show(more.join(", "))}`;
      const said = { expected: `${listed.length} files`, got };
      yield new Place("the files").failure(INTEGRITY, "the files are not those of the ZIP's manifest", said);
    }
    for (const name of listed.filter((one) => this.files.has(one) && one !== "manifest.json")) {
      const content = this.files.get(name), said = manifest.files[name], digest = await digestOf(content);
      if (digest !== said.sha256 || content.length !== said.size) {
        const words = { expected: `${said.size} bytes, ${said.sha256}`, got: `${content.length} bytes, ${digest}` };
        yield new Place(name).failure(INTEGRITY, "another file than the ZIP's manifest names", words);
      }
    }
  }

  // What the loose files must hold, by the export.
  async loose() {
    const { document, encoded } = this, files = new Map(), sizes = new Map();
    files.set("receipts.jsonl", utf8(document.receipts.map((envelope) => `${canonicalText(envelope)}\n`).join("")));
    for (const [name, part] of [["openings.json", "openings"], ["keys/keys.json", "keys"]]) {
      if (encoded?.has(part)) files.set(name, utf8(encoded.get(part)));
    }
    if ((document.keyring ?? null) !== null) files.set("keys/keyring.json", canonicalBytes(document.keyring));
    for (const { note } of document.checkpoints) {
      const size = note.split("\n")[1] ?? "", raw = utf8(note);
      sizes.set(sha256Hex(raw), size);
      files.set(`checkpoints/${size}.txt`, raw);
    }
    (document.anchors ?? []).forEach(({ kind, checkpoint, evidence }, index) => {
      const size = sizes.get(checkpoint) ?? "unknown", ending = ENDINGS[kind] ?? "json";
      files.set(`anchors/${size}-${kind}-${index + 1}.${ending}`, lenientBase64(evidence));
    });
    for (const { weights_sha256: weighed, bundle } of document.attestations ?? []) {
      files.set(`attestations/${weighed}.json`, canonicalBytes(bundle));
    }
    for (const { receipt_hash: hash, proof } of document.proofs ?? []) {
      files.set(`proofs/${this.seqs.get(hash) ?? 0}.tlog-proof`, utf8(proof));
    }
    return files;
  }

  async *looseFailures(expected) {
    const loose = [...this.files.keys()].filter((name) => inFolder(name) || name === "receipts.jsonl" || name === "openings.json");
    for (const name of [...new Set([...loose, ...expected.keys()])].sort()) {
      const found = this.files.get(name) ?? null, said = expected.get(name) ?? null;
      if (!(found && said && sameBytes(found, said))) {
        const words = { expected: await sizeOf(said), got: await sizeOf(found) };
        yield new Place(name).failure(INTEGRITY, "is not what export.json holds", words);
      }
    }
  }
}

function lenientBase64(text) {
  try {
    return decodeBase64(text, "");
  } catch {
    return new Uint8Array(0);
  }
}

async function sizeOf(content) {
  return content === null ? "no such file" : `${content.length} bytes, SHA-256 ${await digestOf(content)}`;
}
