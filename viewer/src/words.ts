// The sentences of the page that do not come from the relay.

import type { Step } from "./control.js";

const STEP_WORDS: Record<Step, string> = {
  ticket: "Asking the hypervisor for a console…",
  connect: "Connecting to the machine…",
  log_in: "Logging in…",
  ready: "Waiting for the picture…",
};

export function wordsOfStep(step: Step): string {
  return STEP_WORDS[step];
}

export const ADVICE = "Close this window and open the console again from your portal.";

/** The relay's sentences are in the house style of errors, lower case without a full stop; people read sentences. */
export function asSentence(words: string): string {
  const [first = "", ...rest] = words.trim();
  const sentence = first.toUpperCase() + rest.join("");
  return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
}

/** What a warning says; `idle` is the one that a person can do something about. */
export function wordsOfWarning(code: string, seconds: number): string {
  const left = seconds === 1 ? "1 second" : `${seconds} seconds`;
  return code === "idle"
    ? `Nobody has used this console for a while. It will be closed in ${left}.`
    : `This console will be closed in ${left}.`;
}
