// Forms of values: small functions that return, or throw a FormError with the path of what has not the form.

const codePoints = (text) => { let count = 0; for (const _ of text) count += 1; return count; };

function matching(pattern, meaning) {
  const whole = new RegExp(`^(?:${pattern})$`, "u");
  return (value, path) => requireThat(typeof value === "string" && whole.test(value), path, meaning, value);
}

function textOf(limit) {
  return (value, path) => {
    const fits = typeof value === "string" && value.length > 0 && (value.length <= limit || codePoints(value) <= limit);
    requireThat(fits, path, `text of 1 to ${limit} characters`, value);
  };
}

function oneOf(...values) {
  const known = new Set(values);
  const expected = values.length < 10 ? values.join(" or ") : `one of ${values.length} known words`;
  return (value, path) => requireThat(known.has(value), path, expected, value);
}

function integerFrom(least) {
  return (value, path) => {
    const fits = typeof value === "number" && value >= least && value <= MAX_INTEGER;
    requireThat(fits, path, `an integer from ${least} to 2^53-1`, value);
  };
}

const nullable = (form) => (value, path) => { if (value !== null) form(value, path); };

function arrayOf(form, least = 0, most = MAX_INTEGER) {
  return (value, path) => {
    const fits = Array.isArray(value) && value.length >= least && value.length <= most;
    requireThat(fits, path, least === most ? `an array of ${most}` : "an array", value);
    value.forEach((item, index) => form(item, `${path}[${index}]`));
  };
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

function tableOf(key, form) {
  return (value, path) => {
    requireThat(isObject(value), path, "an object", value);
    for (const name of Object.keys(value)) {
      key(name, path);
      form(value[name], `${path}[${show(name)}]`);
    }
  };
}

function record(forms, optional = []) {
  const table = new Map(Object.entries(forms));
  const required = [...table.keys()].filter((name) => !optional.includes(name));
  return (value, path) => {
    requireThat(isObject(value), path, "an object", value);
    const inside = path ? `${path}.` : "";
    for (const name of required) {
      if (!(name in value)) throw new FormError(`${inside}${name}`, "this field", "nothing");
    }
    for (const name of Object.keys(value)) {
      const form = table.get(name);
      if (!form) throw new FormError(path, "only known fields", `unknown field ${show(name)}`);
      form(value[name], `${inside}${name}`);
    }
  };
}

// A value whose form is not this verifier's business.
const anything = () => {};

const SHA256 = matching("[0-9a-f]{64}", "a SHA-256 in lower-case hex");
const TIME_FORM = matching(
  "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z", "UTC with microseconds, 27 characters");
const ORIGIN = matching("[!-~]{1,300}", "a chain origin: 1 to 300 printable ASCII characters");
const WORD = matching("[a-z0-9][a-z0-9_.:+\\-]{0,119}", "a word in lower case");
const SLUG = matching("[a-z0-9][a-z0-9\\-]{0,62}", "the slug of an application");
const NAME = matching("[^\\x00-\\x1f\\x7f]{1,300}", "text of 1 to 300 characters on one line");
const DECIMAL = matching("-?(0|[1-9][0-9]*)(\\.[0-9]+)?", "a decimal number as text");

function moment(value, path) {
  TIME_FORM(value, path);
  const [year, month, day, hour, minute, second] = value.match(/[0-9]+/g).map(Number);
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  const exists = year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60;
  requireThat(exists, path, "a moment that exists", value);
}

// Microseconds since 1970 of a moment in its 27 characters.
function microseconds(text) {
  return BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1000n + BigInt(text.slice(20, 26));
}
