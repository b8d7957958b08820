// What goes wrong: a failure of one of the six checks, a value without its form, a trust file that cannot be used.
// The words and the shape are those of verify.py, which says the same of the same file.

const INTEGRITY = "INTEGRITY", AUTHENTICITY = "AUTHENTICITY", TIME = "TIME";
const COMPLETENESS = "COMPLETENESS", WEIGHTS = "WEIGHTS", COVERAGE = "COVERAGE";
const CHECKS = [INTEGRITY, AUTHENTICITY, TIME, COMPLETENESS, WEIGHTS, COVERAGE];
const HOLDS = "holds", FAILS = "fails", NOT_CHECKED = "not checked";

// One failed check: which, where (seq, hash), what was expected and what was there.
class Failure extends Error {
  constructor(check, detail, { expected, got, seq = null, receiptHash = null }) {
    super(detail);
    Object.assign(this, { check, detail, expected, got, seq, receiptHash });
  }

  asObject() {
    const { check, seq, receiptHash, detail, expected, got } = this;
    return { check, seq, receipt_hash: receiptHash, detail, expected, got };
  }
}

// The trust file or the known head cannot be used, or this browser cannot check signatures: nothing can be verified.
class TrustError extends Error {}

// Bytes or values that do not have the form they must have, and where (`predicate.chain.seq`).
class FormError extends Error {
  constructor(path, expected, got) {
    super(`${path || "the whole"}: expected ${expected}, got ${got}`);
    Object.assign(this, { path, expected, got });
  }
}

// The signature was not made by this key over these bytes.
class SignatureError extends Error {}

// Where in the file we are, for the failure's message; seq and hash as soon as they are known.
class Place {
  constructor(name, seq = null, receiptHash = null) {
    Object.assign(this, { name, seq, receiptHash });
  }

  failure(check, detail, { expected, got }) {
    const said = this.name ? `${this.name}: ${detail}` : detail;
    return new Failure(check, said, { expected: String(expected), got: String(got), seq: this.seq, receiptHash: this.receiptHash });
  }

  // Does one step and turns a FormError in it into a failure of `check` here.
  blaming(check, detail, step) {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof FormError)) throw error;
      throw this.failure(check, error.path ? `${detail}, ${error.path}` : detail, error);
    }
  }
}

// Adds all of them, however many: a call takes only so many arguments.
function addAll(list, more) {
  for (const one of more) list.push(one);
}

const NAMED_ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\" };

function quoted(text) {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = Array.from(text, (char) => {
    const code = char.codePointAt(0);
    if (char === quote) return `\\${char}`;
    if (NAMED_ESCAPES[char]) return NAMED_ESCAPES[char];
    if (code >= 0x20 && code < 0x7f) return char;
    if (code < 0x100) return `\\x${code.toString(16).padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `${quote}${escaped.join("")}${quote}`;
}

// A value as verify.py prints it; the depth is bounded by the parser.
function spelled(value) {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return quoted(value);
  if (value instanceof Uint8Array) return `b${quoted(String.fromCharCode(...value.subarray(0, 200)))}`;
  if (Array.isArray(value)) return `[${value.map(spelled).join(", ")}]`;
  if (typeof value === "object") return `{${Object.keys(value).map((key) => `${quoted(key)}: ${spelled(value[key])}`).join(", ")}}`;
  return String(value);
}

// A value for a message: printable ASCII, cut.
function show(value) {
  const shown = spelled(typeof value === "string" && value.length > 400 ? value.slice(0, 400) : value);
  return shown.length <= 120 ? shown : `${shown.slice(0, 117)}...`;
}

function requireThat(holds, path, expected, got) {
  if (!holds) throw new FormError(path, expected, show(got));
}
