// Step 8: signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof).

const NOTE_KEY = 1, COSIGNATURE_KEY = 4, MAX_NOTE_SIGNATURES = 64;
const NOTE_CONTROL = /[\x00-\x09\x0b-\x1f]|\p{Surrogate}/u;
const NOTE_LINE = /^\u2014 ([^\s+\x00-\x1f\x85]+) ([A-Za-z0-9+/]+=*)$/u;
const CHECKPOINT_TEXT = /^([!-~]{1,300})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/;

// The 4 bytes, in hex, by which a note names a key.
function noteKeyId(name, kind, raw) {
  return hex(sha256(concat(utf8(`${name}\n`), Uint8Array.of(kind), raw)).subarray(0, 4));
}

function exactInteger(digits) {
  const value = Number(digits);
  if (digits.length > 17 || value > MAX_INTEGER) throw new FormError("", "an integer of at most 2^53-1", show(digits));
  return value;
}

// A signed note, taken apart; no signature is checked yet.
function readNote(text) {
  requireThat(!NOTE_CONTROL.test(text), "note", "text without control characters", text);
  const gap = text.lastIndexOf("\n\n"), tail = text.slice(gap + 2);
  requireThat(gap >= 0 && tail.endsWith("\n"), "note", "a text, an empty line and lines of signatures", text.slice(-80));
  return { text: text.slice(0, gap + 1), signatures: readNoteLines(tail) };
}

// Lines of signatures, each with its newline.
function readNoteLines(text) {
  const lines = text.split("\n");
  requireThat(lines.pop() === "", "signatures", "a newline at the end", text.slice(-20));
  const some = lines.length > 0 && lines.length <= MAX_NOTE_SIGNATURES;
  requireThat(some, "signatures", `1 to ${MAX_NOTE_SIGNATURES} lines`, lines.length);
  const signatures = lines.map((line, index) => readNoteLine(line, `signatures[${index}]`));
  const keys = new Set(signatures.map(({ name, keyId }) => `${name} ${keyId}`));
  requireThat(keys.size === signatures.length, "signatures", "one line for each key", text.slice(0, 80));
  return signatures;
}

function readNoteLine(line, path) {
  const match = NOTE_LINE.exec(line);
  if (!match) throw new FormError(path, "a dash (U+2014), the name of a key and a signature", show(line));
  const raw = decodeBase64(match[2], path);
  requireThat(raw.length > 4, path, "a key id and a signature", `${raw.length} bytes`);
  return { name: match[1], keyId: hex(raw.subarray(0, 4)), signed: raw.subarray(4), line };
}

// A signed note whose text is origin, size and root, and nothing else.
function readCheckpoint(text) {
  const note = readNote(text);
  const match = CHECKPOINT_TEXT.exec(note.text);
  if (!match) throw new FormError("note", "origin, size and root in three lines", show(note.text));
  const root = decodeBase64(match[3], "root");
  return { note, origin: match[1], size: exactInteger(match[2]), root, sha256: sha256Hex(utf8(text)) };
}

const checkpointPlace = (checkpoint) => new Place(`the checkpoint of ${checkpoint.size}`);

// The log key that signed a checkpoint. Throws if none did that is trusted, or its signature does not hold.
async function logKey(checkpoint, trust, place) {
  const logKeys = [...trust.keys.values()].filter((key) => key.purpose === "log");
  const keys = new Map(logKeys.map((key) => [noteKeyId(checkpoint.origin, NOTE_KEY, key.raw), key]));
  for (const { name, keyId, signed } of checkpoint.note.signatures) {
    const key = keys.get(keyId);
    if (key && name === checkpoint.origin) {
      await requireSignature(key, signed, utf8(checkpoint.note.text), place);
      return key;
    }
  }
  const got = checkpoint.note.signatures.map(({ name, keyId }) => `${name}+${keyId}`).join(", ");
  const expected = `a signature by a trusted log key under the name ${checkpoint.origin}`;
  throw place.failure(AUTHENTICITY, "signed by no log key that is trusted", { expected, got: show(got) });
}

// When the witness saw the checkpoint, in seconds since 1970. Throws SignatureError.
async function cosignedAt(checkpoint, signed, witness) {
  let at = 0n;
  for (const byte of signed.subarray(0, 8)) at = (at << 8n) | BigInt(byte);
  if (at <= 0n || at >= 2n ** 63n) throw new SignatureError("a cosignature has a time");
  await verifySignature(witness.raw, signed.subarray(8), utf8(`cosignature/v1\ntime ${at}\n${checkpoint.note.text}`));
  return at;
}

// The index, hashes and checkpoint of a C2SP tlog-proof.
function readProof(text) {
  const gap = text.indexOf("\n\n");
  const lines = (gap < 0 ? text : text.slice(0, gap)).split("\n");
  requireThat(lines[0] === "c2sp.org/tlog-proof@v1", "line 1", "c2sp.org/tlog-proof@v1", lines[0]);
  const match = /^index (0|[1-9][0-9]{0,15})$/.exec(lines[1] ?? "");
  if (!match) throw new FormError("line 2", "index and a number", show(lines.slice(1, 2)));
  const hashes = lines.slice(2).map((line, number) => decodeBase64(line, `line ${number + 3}`));
  return { index: exactInteger(match[1]), hashes, checkpoint: readCheckpoint(gap < 0 ? "" : text.slice(gap + 2)) };
}
