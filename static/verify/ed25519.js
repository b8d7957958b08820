// Ed25519 strictly (RFC 8032): S < L, keys that are canonical points of large order. The browser decides whether the
// equation holds; what it may leave open is checked here. And ECDSA P-256, for statements about model weights.

const FIELD = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const usable = new Map();

const modulo = (value) => ((value % FIELD) + FIELD) % FIELD;

function power(base, exponent) {
  let result = 1n, square = modulo(base);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % FIELD;
    square = (square * square) % FIELD;
  }
  return result;
}

const CURVE_D = modulo(-121665n * power(121666n, FIELD - 2n));
const SQRT_MINUS_ONE = power(2n, (FIELD - 1n) / 4n);

function littleEndian(bytes) {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(bytes[i]);
  return value;
}

// Complete addition on the twisted Edwards curve, RFC 8032 section 5.1.4.
function addPoints([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const left = modulo((y1 - x1) * (y2 - x2)), right = modulo((y1 + x1) * (y2 + x2));
  const cross = modulo(2n * t1 * t2 * CURVE_D), double = modulo(2n * z1 * z2);
  const [e, f, g, h] = [right - left, double - cross, double + cross, right + left];
  return [modulo(e * f), modulo(g * h), modulo(f * g), modulo(e * h)];
}

function recoverX(y) {
  const square = modulo((y * y - 1n) * power(CURVE_D * y * y + 1n, FIELD - 2n));
  let x = power(square, (FIELD + 3n) / 8n);
  if (modulo(x * x - square)) x = modulo(x * SQRT_MINUS_ONE);
  return modulo(x * x - square) ? null : x;
}

// RFC 8032 section 5.1.3; a y of p or more, and −0 as x, are refused.
function decodePoint(encoded) {
  if (encoded.length !== 32) throw new FormError("public_key", "32 bytes", `${encoded.length} bytes`);
  const number = littleEndian(encoded);
  const y = number & (2n ** 255n - 1n), sign = number >> 255n;
  let x = y < FIELD ? recoverX(y) : null;
  if (x === null || (x === 0n && sign)) {
    throw new FormError("public_key", "a point of edwards25519 in its one encoding", hex(encoded));
  }
  if ((x & 1n) !== sign) x = FIELD - x;
  return [x, y, 1n, modulo(x * y)];
}

// Refuses what is no point, another spelling of one, or of small order (a signature for every message).
function requireUsableKey(bytes) {
  const name = hex(bytes);
  if (usable.has(name)) return;
  let point = decodePoint(bytes);
  for (let i = 0; i < 3; i += 1) point = addPoints(point, point);
  const [x, y, z] = point;
  if (x === 0n && y === z) throw new FormError("public_key", "a key of large order", "a point of small order");
  usable.set(name, importEd25519(bytes));
}

async function importEd25519(bytes) {
  try {
    return await crypto.subtle.importKey("raw", bytes, "Ed25519", false, ["verify"]);
  } catch {
    throw new TrustError("this browser cannot check Ed25519 signatures; take a newer one, or verify.py");
  }
}

// Returns, or throws SignatureError.
async function verifySignature(publicKey, signature, message) {
  requireUsableKey(publicKey);
  if (signature.length !== 64 || littleEndian(signature.subarray(32)) >= ORDER) {
    throw new SignatureError("a signature of 64 bytes whose S is below the group order is needed");
  }
  const key = await usable.get(hex(publicKey));
  if (!(await crypto.subtle.verify("Ed25519", key, signature, message))) {
    throw new SignatureError("the signature was not made by this key over these bytes");
  }
}
