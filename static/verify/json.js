// Step 1: strict JSON, and the RFC 8785 bytes of a value. Written here because JSON.parse takes duplicate keys, loses
// the digits of large integers, and knows no limit of depth.

const MAX_DEPTH = 32, MAX_INTEGER = Number.MAX_SAFE_INTEGER;
const DEEPEST_READ = 64;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const SPACE = new Set([9, 10, 13, 32]);
const LITERALS = { t: ["true", true], f: ["false", false], n: ["null", null] };
const CONSTANTS = ["NaN", "Infinity", "-Infinity"];
const ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const NEEDS_CARE = /[\\\u0000-\u001f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  whole() {
    const value = this.value(0);
    this.space();
    if (this.at < this.text.length) this.refuse("one value");
    return value;
  }

  refuse(expected) {
    const got = `${show(this.text.slice(this.at, this.at + 20))} at character ${this.at}`;
    throw new FormError("", `JSON in UTF-8: ${expected}`, got);
  }

  space() {
    while (SPACE.has(this.text.charCodeAt(this.at))) this.at += 1;
  }

  value(depth) {
    this.space();
    const char = this.text[this.at];
    if (char === '"') return this.string();
    if (char === "{" || char === "[") {
      if (depth === DEEPEST_READ) throw new FormError("", `nesting of at most ${MAX_DEPTH}`, "deeper nesting");
      this.at += 1;
      return char === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    const [word, value] = LITERALS[char] ?? [];
    if (word && this.text.startsWith(word, this.at)) {
      this.at += word.length;
      return value;
    }
    return this.number();
  }

  number() {
    const constant = CONSTANTS.find((word) => this.text.startsWith(word, this.at));
    NUMBER.lastIndex = this.at;
    const match = constant ? null : NUMBER.exec(this.text);
    if (constant || match?.[1] || match?.[2]) {
      throw new FormError("", "integers and decimal strings only", show(constant ?? match[0]));
    }
    if (!match) this.refuse("a value");
    const [digits] = match;
    if (digits.length > 17 || Math.abs(Number(digits)) > MAX_INTEGER) {
      throw new FormError("", "an integer of at most 2^53-1", show(digits));
    }
    this.at += digits.length;
    return Number(digits);
  }

  string() {
    const start = this.at + 1;
    const end = this.text.indexOf('"', start);
    const plain = end < 0 ? null : this.text.slice(start, end);
    if (plain !== null && !NEEDS_CARE.test(plain)) {
      this.at = end + 1;
      return plain;
    }
    this.at = start;
    const pieces = [];
    for (let char = this.text[this.at]; char !== '"'; char = this.text[this.at]) {
      if (char === undefined || char < " ") this.refuse("a string that ends, without control characters");
      pieces.push(char === "\\" ? this.escape() : char);
      this.at += 1;
    }
    this.at += 1;
    return pieces.join("");
  }

  // Leaves `at` on the last character of the escape.
  escape() {
    this.at += 1;
    const char = this.text[this.at];
    if (char !== "u") return ESCAPES[char] ?? this.refuse("a known escape");
    const digits = this.text.slice(this.at + 1, this.at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.refuse("four hexadecimal digits");
    this.at += 4;
    return String.fromCharCode(parseInt(digits, 16));
  }

  object(depth) {
    const value = Object.create(null);
    const keys = new Set();
    this.space();
    if (this.text[this.at] === "}") return this.closed(value);
    for (;;) {
      this.space();
      if (this.text[this.at] !== '"') this.refuse("a key");
      const key = this.string();
      if (keys.has(key)) throw new FormError("", "every key once", `${show(key)} twice`);
      keys.add(key);
      this.space();
      if (this.text[this.at] !== ":") this.refuse("a colon");
      this.at += 1;
      value[key] = this.value(depth);
      if (this.ends("}")) return this.closed(value);
    }
  }

  array(depth) {
    const value = [];
    this.space();
    if (this.text[this.at] === "]") return this.closed(value);
    for (;;) {
      value.push(this.value(depth));
      if (this.ends("]")) return this.closed(value);
    }
  }

  // Whether the closing bracket follows; else it must be a comma, which is passed.
  ends(bracket) {
    this.space();
    const char = this.text[this.at];
    if (char === bracket) return true;
    if (char !== ",") this.refuse(`a comma or ${bracket}`);
    this.at += 1;
    return false;
  }

  closed(value) {
    this.at += 1;
    return value;
  }
}

function decodeText(bytes) {
  try {
    return DECODER.decode(bytes);
  } catch (error) {
    const got = error instanceof RangeError ? "more than this browser can hold as text" : "other bytes";
    throw new FormError("", "JSON in UTF-8", got);
  }
}

const readJson = (bytes) => new JsonReader(decodeText(bytes)).whole();

// RFC 8785 text of a value made of objects, arrays, strings, integers, booleans and null, `depth` levels inside another.
function canonicalText(value, depth = 0) {
  const pieces = [];
  write(value, pieces, depth);
  return pieces.join("");
}

const canonicalBytes = (value) => utf8(canonicalText(value));

function written(text) {
  if (LONE_SURROGATE.test(text)) throw new FormError("", "text without lone surrogates", "a lone surrogate");
  return JSON.stringify(text);
}

function write(value, pieces, depth) {
  if (typeof value === "string") pieces.push(written(value));
  else if (value === null || typeof value === "boolean") pieces.push(String(value));
  else if (typeof value === "number") pieces.push(String(value));
  else if (depth === MAX_DEPTH) throw new FormError("", `nesting of at most ${MAX_DEPTH}`, "deeper nesting");
  else if (Array.isArray(value)) {
    value.forEach((item, i) => { pieces.push(i ? "," : "["); write(item, pieces, depth + 1); });
    pieces.push(value.length ? "]" : "[]");
  } else {
    const keys = Object.keys(value).sort();
    keys.forEach((key, i) => { pieces.push(i ? "," : "{", written(key), ":"); write(value[key], pieces, depth + 1); });
    pieces.push(keys.length ? "}" : "{}");
  }
}

// Strict JSON that is also its own RFC 8785 form, byte for byte.
function readCanonical(bytes) {
  const text = decodeText(bytes);
  const value = new JsonReader(text).whole();
  requireSameText(text, canonicalText(value));
  return value;
}

// Refuses another spelling of the same JSON; names the first byte that differs.
function requireSameText(text, canonical) {
  if (text === canonical) return;
  const shorter = Math.min(text.length, canonical.length);
  let at = 0;
  while (at < shorter && text[at] === canonical[at]) at += 1;
  const found = utf8(text.slice(at, at + 20)).subarray(0, 20), wanted = utf8(canonical.slice(at, at + 20)).subarray(0, 20);
  throw new FormError(`byte ${utf8(text.slice(0, at)).length}`, `canonical JSON ${show(wanted)}`, show(found));
}
