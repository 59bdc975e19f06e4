import assert from "node:assert/strict";
import { test } from "node:test";
import { keystrokes, typeText } from "../src/typing.js";

const SHIFT = 0xffe1;

async function typed(text: string): Promise<string[]> {
  const events: string[] = [];
  const press = (keysym: number, down: boolean) => events.push(`${down ? "+" : "-"}${keysym.toString(16)}`);
  await typeText(text, press, new AbortController().signal, () => Promise.resolve());
  return events;
}

test("each key goes down and up before the next one", async () => {
  assert.deepEqual(await typed("ab"), ["+61", "-61", "+62", "-62"]);
});

test("a character that needs Shift on a US keyboard gets it, around that character alone", async () => {
  assert.deepEqual(await typed("A1"), ["+ffe1", "+41", "-41", "-ffe1", "+31", "-31"]);
});

test("every printable ASCII character has the Shift of a US keyboard", () => {
  const plain = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ ";
  const shifted = '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?';

  assert.equal(plain.length + shifted.length, 95);
  assert.ok([...keystrokes(plain)].every((stroke) => !stroke.shift));
  assert.ok([...keystrokes(shifted)].every((stroke) => stroke.shift));
});

test("line ends of every system are one Return", () => {
  const keysyms = [...keystrokes("a\r\nb\nc\rd\t")].map((stroke) => stroke.keysym);

  assert.deepEqual(keysyms, [0x61, 0xff0d, 0x62, 0xff0d, 0x63, 0xff0d, 0x64, 0xff09]);
});

test("characters beyond Latin-1 carry their Unicode number, and control characters are left out", () => {
  const keysyms = [...keystrokes("é€😀\u0007\u007f\u0085")].map((stroke) => stroke.keysym);

  assert.deepEqual(keysyms, [0xe9, 0x010020ac, 0x0101f600]);
});

test("stopping leaves no key down", async () => {
  const stop = new AbortController();
  const held = new Set<number>();
  let presses = 0;
  const press = (keysym: number, down: boolean) => {
    if (down) held.add(keysym);
    else held.delete(keysym);
    presses += 1;
    if (keysym === SHIFT && down) stop.abort();
  };

  await typeText("aBc", press, stop.signal, () => Promise.resolve());

  assert.equal(held.size, 0);
  assert.equal(presses, 6);
});
