"use strict";
// The one class of errors.

const native = require("./native.cjs");

/** `token_secret` is `tokenSecret` here, in messages as well. */
const spelling = new Map(native.optionNames().filter((name) => name.includes("_")).map((name) => [name, camelCase(name)]));
const snakeCased = new RegExp(`\\b(${[...spelling.keys()].join("|")})\\b`, "g");

function camelCase(name) {
  return name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
}

const inCamelCase = (text) => text.replace(snakeCased, (name) => spelling.get(name));

const codes = Object.freeze(
  Object.fromEntries(
    native.codes().map(({ name, hint, ...row }) => [name, Object.freeze({ ...row, hint: inCamelCase(hint) })]),
  ),
);

class ConsolepassError extends Error {
  constructor(code, message, { hint, retryable, httpStatus, fingerprint, reference, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint ?? codes[code]?.hint ?? "";
    this.retryable = retryable ?? codes[code]?.retryable ?? false;
    if (httpStatus !== undefined) this.httpStatus = httpStatus;
    if (fingerprint !== undefined) this.fingerprint = fingerprint;
    if (reference !== undefined) this.reference = reference;
  }

  get sentence() {
    return codes[this.code]?.sentence ?? "";
  }
}
// On the prototype, where Error has its own: not one of what an error says about itself.
Object.defineProperty(ConsolepassError.prototype, "name", { value: "ConsolepassError", configurable: true, writable: true });

/** The error of a value that cannot be used; `shown` is it in words that are safe to show. */
function invalid(key, shown, reason) {
  return new ConsolepassError("invalid_argument", `${key}: ${shown}: ${reason}`);
}

/** What the addon threw, as an error of ours; the caller's stack is on it, for it is made here. Others' errors stay theirs. */
function failure(raw) {
  const known = carried(raw);
  // The addon's own have a code as well, where they are no words of ours: a panic.
  if (!known && typeof raw?.code !== "string") return raw;
  if (!known) return new ConsolepassError("internal", `consolepass: ${raw?.message ?? raw}`, { cause: raw });
  const { code, message, hint, retryable, httpStatus, fingerprint, reference, causes } = known;
  return new ConsolepassError(code, code === "invalid_argument" ? inCamelCase(message) : message, {
    hint: inCamelCase(hint),
    retryable,
    httpStatus: httpStatus ?? undefined,
    fingerprint: fingerprint ?? undefined,
    reference: reference ?? undefined,
    // The nearest first.
    cause: causes.reduceRight((cause, words) => new Error(words, cause && { cause }), undefined),
  });
}

function carried(raw) {
  try {
    const members = JSON.parse(raw.message);
    return Object.hasOwn(codes, members.code) ? members : undefined;
  } catch {
    return undefined;
  }
}

module.exports = { ConsolepassError, camelCase, codes, failure, inCamelCase, invalid };
