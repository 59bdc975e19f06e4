"use strict";
// What callers give, looked at before it goes anywhere: the addon sees no value of another type than it expects.

const { invalid, camelCase } = require("./errors.cjs");
const native = require("./native.cjs");

const optionNames = new Set(native.optionNames());

/** A text. It is not repeated in an error: it may be a secret in the wrong place. */
function text(value, key) {
  if (typeof value !== "string") throw invalid(key, kindOf(value), "must be a string");
  if (value.includes("\0")) throw invalid(key, "…", "holds a NUL character");
  if (!value.isWellFormed()) throw invalid(key, "…", "holds half of a surrogate pair");
  return value;
}

/** An object of options, by the names of the table, for the addon. What is undefined was not given. */
function options(given, scope) {
  checkOptions(given, scope);
  const named = Object.create(null);
  for (const [name, value] of Object.entries(given)) {
    const key = `${scope}: ${name}`;
    if (name.includes("_") && optionNames.has(name)) {
      throw invalid(scope, JSON.stringify(name), `unknown option; here it is ${camelCase(name)}`);
    }
    if (value !== undefined) named[tableName(text(name, `${scope}: an option's name`))] = optionValue(value, key);
  }
  return named;
}

/** A name that the table does not have stays as it was written, and so it is in the error. */
function tableName(name) {
  const snakeCased = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return optionNames.has(snakeCased) ? snakeCased : name;
}

/** The options of a call that are not in the table: each of `names`, and no other. */
function callOptions(given, call, names) {
  checkOptions(given, call);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalid(call, JSON.stringify(unknown), `unknown option; the options are ${names.join(", ")}`);
  }
  return given;
}

/** For those who take something out of an object of options before the rest is looked at. */
function checkOptions(given, scope) {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw invalid(`${scope}: options`, kindOf(given), "must be an object");
  }
}

function optionValue(value, key) {
  switch (typeof value) {
    case "boolean":
    case "number":
      return value;
    case "bigint":
      return Number(value);
    case "string":
      return text(value, key);
  }
  if (!Array.isArray(value)) throw invalid(key, kindOf(value), "must be a string, a number, a boolean or an array of strings");
  // Not `map`, which leaves holes as they are.
  return Array.from(value, (item) => text(item, key));
}

/** What a value is, without a word of what it holds. */
function kindOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value !== "object") return value === undefined ? "undefined" : `a ${typeof value}`;
  return "an object";
}

module.exports = { callOptions, checkOptions, kindOf, options, text };
