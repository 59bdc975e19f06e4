// Text as the keys that a person at the machine would press.

/** One character: its X11 keysym, and whether a US keyboard needs Shift for it. */
export interface Keystroke {
  keysym: number;
  shift: boolean;
}

export type PressKey = (keysym: number, down: boolean) => void;

const RETURN = 0xff0d;
const TAB = 0xff09;
const SHIFT_LEFT = 0xffe1;
// X11 gives Latin-1 characters their own number, every other character its Unicode number above this one.
const UNICODE = 0x0100_0000;

// QEMU turns a keysym into a key of the keyboard and looks at the Shift key for the rest: a lone `A` arrives as `a`.
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;

// A PS/2 keyboard's queue holds 16 bytes, and a shifted character takes six. Typed at once, a long text loses letters.
const PAUSE_MILLISECONDS = 20;

export function* keystrokes(text: string): Generator<Keystroke> {
  for (const character of text.replaceAll("\r\n", "\n").replaceAll("\r", "\n")) {
    const keysym = keysymOf(character);
    if (keysym !== undefined) yield { keysym, shift: SHIFTED.test(character) };
  }
}

/** Types the text, one character after the other, until it is done or stopped. */
export async function typeText(
  text: string,
  press: PressKey,
  stopped: AbortSignal,
  pause: () => Promise<void> = pauseBetweenKeys,
): Promise<void> {
  for (const { keysym, shift } of keystrokes(text)) {
    if (stopped.aborted) return;
    if (shift) press(SHIFT_LEFT, true);
    press(keysym, true);
    press(keysym, false);
    if (shift) press(SHIFT_LEFT, false);
    await pause();
  }
}

function keysymOf(character: string): number | undefined {
  if (character === "\n") return RETURN;
  if (character === "\t") return TAB;
  const point = character.codePointAt(0) ?? 0;
  const isControl = point < 0x20 || (point >= 0x7f && point < 0xa0);
  if (isControl) return undefined;
  return point <= 0xff ? point : UNICODE | point;
}

function pauseBetweenKeys(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
}
