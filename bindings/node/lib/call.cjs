"use strict";
// Calls of the addon, whose failures become errors of ours.

const { failure, invalid } = require("./errors.cjs");
const native = require("./native.cjs");
const { kindOf } = require("./values.cjs");

function now(start) {
  try {
    return start();
  } catch (raw) {
    throw failure(raw);
  }
}

/** Waits for what `start` begins, until `signal` says that nobody wants it any more: then what it does is dropped at once. */
async function later(start, signal) {
  if (signal === undefined) {
    try {
      return await start(undefined);
    } catch (raw) {
      throw failure(raw);
    }
  }
  // Not by its class: test runners have several of each.
  if (typeof signal?.aborted !== "boolean" || typeof signal.addEventListener !== "function") {
    throw invalid("signal", kindOf(signal), "must be an AbortSignal");
  }
  signal.throwIfAborted();
  const abort = new native.Abort();
  const onAbort = () => abort.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await start(abort);
  } catch (raw) {
    signal.throwIfAborted();
    throw failure(raw);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

module.exports = { later, now };
