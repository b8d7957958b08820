// Step 1 for a ZIP. Its one form is known to the byte: it is read by following that form, and made anew and compared,
// so that nothing in it is free and nothing is unpacked to more than it is.

const FILE_NAME = matching("README\\.txt|[a-z0-9][a-z0-9._\\-]*(\\/[a-z0-9][a-z0-9._\\-]*)?", "the name of a file of an export");
const LOCAL = 0x04034b50, CENTRAL = 0x02014b50, END_OF_DIRECTORY = 0x06054b50;
const LOCAL_BYTES = 30, MOST_FILES = 65534;
const MADE_BY = 0x0314, NEEDED = 20, UTF8_NAMES = 0x0800, DATE_1980 = 0x0021, FILE_MODE = 0o100644 * 0x10000;
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let i = 0; i < 8; i += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(bytes) {
  let crc = -1;
  for (let i = 0; i < bytes.length; i += 1) crc = CRC_TABLE[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

const viewOf = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const isArchive = (bytes) => bytes[0] === 0x50 && bytes[1] === 0x4b;

// Little-endian fields: [bytes, value], …
function packed(...fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

// The files by name of a ZIP that is, byte for byte, the one that is made of them.
function readArchive(bytes) {
  const files = new Map(), directory = [];
  let at = 0, last = "";
  while (at + 4 <= bytes.length && viewOf(bytes).getUint32(at, true) === LOCAL) {
    const { name, start, size } = readEntry(bytes, at);
    requireThat(name > last, `byte ${at}`, `a name after ${show(last)}`, name);
    const content = bytes.subarray(start, start + size), encoded = utf8(name), fields = entryFields(encoded, content);
    files.set(name, content);
    requireSame(bytes.subarray(at, start), concat(packed([4, LOCAL]), fields, encoded), at);
    const place = packed([2, 0], [2, 0], [2, 0], [4, FILE_MODE], [4, at]);
    directory.push(packed([4, CENTRAL], [2, MADE_BY]), fields, place, encoded);
    last = name;
    at = start + size;
  }
  requireThat(files.size <= MOST_FILES, "entries", "at most 65,534 files", files.size);
  const entries = joined(directory);
  const end = packed([4, END_OF_DIRECTORY], [2, 0], [2, 0], [2, files.size], [2, files.size], [4, entries.length], [4, at], [2, 0]);
  requireSame(bytes.subarray(at), concat(entries, end), at);
  return files;
}

// Name, start and size of the file whose entry begins here.
function readEntry(bytes, at) {
  requireThat(at + LOCAL_BYTES <= bytes.length, `byte ${at}`, "an entry of 30 bytes", "the end of the file");
  const view = viewOf(bytes.subarray(at, at + LOCAL_BYTES));
  const stored = view.getUint32(18, true), size = view.getUint32(22, true), length = view.getUint16(26, true);
  const name = new TextDecoder().decode(bytes.subarray(at + LOCAL_BYTES, at + LOCAL_BYTES + length));
  FILE_NAME(name, `byte ${at + LOCAL_BYTES}`);
  const start = at + LOCAL_BYTES + length + view.getUint16(28, true);
  requireThat(stored === size, `byte ${at + 18}`, `one size, stored as it is: ${size}`, stored);
  requireThat(start + size <= bytes.length, `byte ${at + 22}`, `at most ${Math.max(bytes.length - start, 0)} bytes`, size);
  return { name, start, size };
}

// What the entry and the directory both say of a file.
function entryFields(name, content) {
  const size = content.length;
  const written = packed([2, NEEDED], [2, UTF8_NAMES], [2, 0], [2, 0], [2, DATE_1980]);
  return concat(written, packed([4, crc32(content)], [4, size], [4, size], [2, name.length], [2, 0]));
}

const spaced = (bytes) => Array.from(bytes, (byte) => HEX[byte]).join(" ");

function requireSame(found, made, at) {
  if (sameBytes(found, made)) return;
  let first = 0;
  while (first < found.length && first < made.length && found[first] === made[first]) first += 1;
  const [expected, got] = [made, found].map((part) => spaced(part.subarray(first, first + 8)) || "the end of the file");
  throw new FormError(`byte ${at + first}`, expected, got);
}

// ---- The report: whether exactly these bytes are embedded in the PDF

const STREAM = utf8("stream"), END_STREAM = utf8("endstream");
const MOST_STREAMS = 20000, MOST_TRIES = 16;

function indexOfBytes(bytes, wanted, from) {
  for (let at = bytes.indexOf(wanted[0], from); at >= 0; at = bytes.indexOf(wanted[0], at + 1)) {
    if (sameBytes(bytes.subarray(at, at + wanted.length), wanted)) return at;
  }
  return -1;
}

// Each compressed stream of the PDF, from its keyword's line to the next `endstream`.
function* streamsOf(pdf) {
  let end = 0, count = 0;
  for (let at = indexOfBytes(pdf, STREAM, 0); at >= 0; at = indexOfBytes(pdf, STREAM, at + 1)) {
    const line = at + STREAM.length + (pdf[at + STREAM.length] === 13 ? 1 : 0), start = line + 1;
    if (pdf[line] !== 10 || (pdf[start] & 15) !== 8) continue;
    if (end < start) end = indexOfBytes(pdf, END_STREAM, start);
    if (end < 0 || count === MOST_STREAMS) return;
    yield pdf.subarray(start, end);
    count += 1;
  }
}

// A report begins like its export once, and not for ever again.
async function embeds(pdf, wanted) {
  let tries = 0;
  for (const stream of streamsOf(pdf)) {
    if (tries === MOST_TRIES) return false;
    let begun = false;
    for (const one of withoutLineEnd(stream)) {
      if (await inflatesTo(one, wanted, () => { begun = true; })) return true;
    }
    if (begun) tries += 1;
  }
  return false;
}

// The line's end before `endstream` may be of three kinds, and belongs to nobody.
function withoutLineEnd(stream) {
  const kinds = [[], [10], [13], [13, 10]].filter((end) => sameBytes(stream.subarray(stream.length - end.length), end));
  return kinds.map((end) => stream.subarray(0, stream.length - end.length));
}

// Whether this zlib stream gives these bytes and no others; it is left as soon as it gives another.
async function inflatesTo(stream, wanted, begin) {
  const reader = new Blob([stream]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  let at = 0;
  try {
    for (let { done, value } = await reader.read(); !done; { done, value } = await reader.read()) {
      if (at === 0 && value[0] === wanted[0]) begin();
      if (!sameBytes(value, wanted.subarray(at, at + value.length))) {
        await reader.cancel();
        return false;
      }
      at += value.length;
    }
  } catch {
    return false;
  }
  return at === wanted.length;
}
