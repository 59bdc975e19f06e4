// The text frames of sub-protocol `consolepass.1`: small JSON objects, both ways.

export const SUBPROTOCOL = "consolepass.1";

/** Where the relay is on the way to the console. */
export type Step = "ticket" | "connect" | "log_in" | "ready";

/** What the relay tells the page. */
export type FromRelay = StepMessage | WarningMessage | EndMessage;
export type StepMessage = { type: "step"; step: Step; reference?: string };
export type WarningMessage = { type: "warning"; code: string; seconds: number };
export type EndMessage = { type: "end"; code: string; sentence: string; reference?: string };

/** What the page tells the relay: somebody wants to stay. */
export const STAY = JSON.stringify({ type: "stay" });

const STEPS: readonly string[] = ["ticket", "connect", "log_in", "ready"] satisfies Step[];
const CODE = /^[a-z][a-z_]{0,39}$/;
const REFERENCE = /^[A-Za-z0-9_-]{1,64}$/;
const LONGEST_MESSAGE = 4096;
const LONGEST_SENTENCE = 500;
const LONGEST_NOTICE_SECONDS = 24 * 60 * 60;

/**
 * Reads one text frame. `undefined` means: not for this page, carry on. A newer relay may send types that this page
 * does not know, and a console must not end over that.
 */
export function readControl(text: string): FromRelay | undefined {
  if (text.length > LONGEST_MESSAGE) return undefined;
  const message = parseObject(text);
  if (message === undefined) return undefined;
  switch (message["type"]) {
    case "step":
      return readStep(message);
    case "warning":
      return readWarning(message);
    case "end":
      return readEnd(message);
    default:
      return undefined;
  }
}

/** Whether this is the name of an error code, such as the reason of a close frame carries. */
export function isCode(value: unknown): value is string {
  return typeof value === "string" && CODE.test(value);
}

type Fields = Record<string, unknown>;

function parseObject(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

function readStep(message: Fields): FromRelay | undefined {
  const step = message["step"];
  if (typeof step !== "string" || !STEPS.includes(step)) return undefined;
  return { type: "step", step: step as Step, ...readReference(message) };
}

function readWarning(message: Fields): FromRelay | undefined {
  const { code, seconds } = message;
  if (!isCode(code) || typeof seconds !== "number") return undefined;
  if (!(seconds >= 0 && seconds <= LONGEST_NOTICE_SECONDS)) return undefined;
  return { type: "warning", code, seconds };
}

function readEnd(message: Fields): FromRelay | undefined {
  const { code, sentence } = message;
  if (!isCode(code) || typeof sentence !== "string") return undefined;
  return { type: "end", code, sentence: sentence.slice(0, LONGEST_SENTENCE), ...readReference(message) };
}

function readReference(message: Fields): { reference?: string } {
  const reference = message["reference"];
  return typeof reference === "string" && REFERENCE.test(reference) ? { reference } : {};
}
