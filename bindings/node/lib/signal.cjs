"use strict";
// Signals that end calls. Any make will do: test runners have several classes of them, and packages made some before Node did.

const { invalid } = require("./errors.cjs");
const { kindOf } = require("./values.cjs");

/**
 * What is to be done when a signal aborts, for the calls that it may still end. One listener for all of them: a signal may be for
 * any number, and Node warns of more than ten. Its limit is not raised instead, for it is the signal's owner's.
 */
const followed = new WeakMap();

function checkSignal(signal) {
  const isEventTarget = ["addEventListener", "removeEventListener"].every((name) => typeof signal?.[name] === "function");
  if (!isEventTarget || typeof signal.aborted !== "boolean") throw invalid("signal", kindOf(signal), "must be an AbortSignal");
}

/** Signals of packages have no method for it, and older ones no reason. */
function throwIfAborted(signal) {
  if (!signal.aborted) return;
  throw signal.reason === undefined ? new DOMException("This operation was aborted", "AbortError") : signal.reason;
}

/** Does `act` when the signal aborts; what is returned ends that. */
function follow(signal, act) {
  const { acts, end } = followed.get(signal) ?? begin(signal);
  acts.add(act);
  return () => {
    acts.delete(act);
    if (acts.size === 0) end();
  };
}

function begin(signal) {
  const acts = new Set();
  const tell = () => {
    for (const act of acts) act();
  };
  const end = () => {
    signal.removeEventListener("abort", tell);
    followed.delete(signal);
  };
  signal.addEventListener("abort", tell, { once: true });
  followed.set(signal, { acts, end });
  return { acts, end };
}

module.exports = { checkSignal, follow, throwIfAborted };
