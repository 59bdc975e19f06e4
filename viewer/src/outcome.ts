// How a console comes to its end, in one shape, whoever noticed it.

import type { Closed } from "./channel.js";
import { isCode } from "./control.js";

export interface Outcome {
  code: string;
  sentence: string;
  reference?: string;
}

// The relay's own codes stand here without their sentences: those come from the relay, with its `end`, and a second
// table would one day disagree with the first. What follows is only what the relay cannot say itself.

export const NO_PASS: Outcome = {
  code: "no_pass",
  sentence: "the address of this page holds no pass, or the page was loaded a second time",
};

export const MALFORMED_PASS: Outcome = {
  code: "pass_invalid",
  sentence: "the link to this page is incomplete or was changed on its way",
};

export const RELAY_STUCK: Outcome = {
  code: "connection_stuck",
  sentence: "the connection stopped taking what was typed",
};

export const PASSWORD_WANTED: Outcome = {
  code: "protocol",
  sentence: "the console asked for a password, which this page never has",
};

export const PICTURE_UNREADABLE: Outcome = {
  code: "protocol",
  sentence: "the console sent something that is not a picture",
};

export const BROWSER_REFUSED: Outcome = {
  code: "internal",
  sentence: "this browser could not open the connection",
};

const NORMAL = 1000;
const GOING_AWAY = 1001;
const NO_STATUS = 1005;
const ABNORMAL = 1006;
const FIRST_OF_OURS = 4000;

/** What a close without an `end` before it means. */
export function outcomeOfClose(closed: Closed): Outcome {
  // The relay's close reason is the name of the code, for clients that know no control messages.
  if (closed.code >= FIRST_OF_OURS && isCode(closed.reason)) {
    return { code: closed.reason, sentence: `the console was closed (${closed.reason.replaceAll("_", " ")})` };
  }
  if (!closed.opened) {
    return { code: "relay_unreachable", sentence: "the console service did not answer or refused this page" };
  }
  switch (closed.code) {
    case NORMAL:
    case NO_STATUS:
      return { code: "closed", sentence: "the console was closed" };
    case GOING_AWAY:
      return { code: "shutting_down", sentence: "the console service is shutting down" };
    case ABNORMAL:
      return { code: "connection_lost", sentence: "the connection was lost" };
    default:
      return { code: "closed", sentence: `the console was closed (${closed.code})` };
  }
}
