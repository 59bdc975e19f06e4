// A tiny RFB 3.8 server without a password (RFC 6143): 64 by 48 pixels, and a list of what the viewer sent to it.

import { EventEmitter, once } from "node:events";

export const WIDTH = 64;
export const HEIGHT = 48;

/** The colour of a pixel: no two neighbours alike, so that a picture that is shifted or scaled wrong is seen. */
export function colourAt(x, y) {
  return [x * 4, y * 5, (x * 7 + y * 11) % 256];
}

/** A FramebufferUpdate of one rectangle. */
export function rectangle({ x = 0, y = 0, width, height, encoding }, data) {
  const head = Buffer.alloc(16);
  head.writeUInt16BE(1, 2);
  [x, y, width, height].forEach((value, index) => head.writeUInt16BE(value, 4 + 2 * index));
  head.writeInt32BE(encoding, 12);
  return Buffer.concat([head, data]);
}

export class RfbScreen extends EventEmitter {
  /** @type {{ keysym: number, down: boolean }[]} */
  keys = [];
  /** @type {string[]} */
  clipboard = [];
  #send;
  #unread = Buffer.alloc(0);
  #reader;
  // Until `start` nothing is wanted: a test may speak to the viewer itself.
  #wanted = Infinity;

  /** @param {(bytes: Buffer) => void} send what to do with bytes for the viewer */
  constructor(send) {
    super();
    this.#send = send;
  }

  /** Says hello; from now on `receive` answers. */
  start() {
    this.#reader = this.#serve();
    this.#wanted = this.#reader.next().value;
  }

  /** Bytes from the viewer, in whatever pieces. */
  receive(bytes) {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    while (this.#unread.length >= this.#wanted) {
      const piece = this.#unread.subarray(0, this.#wanted);
      this.#unread = this.#unread.subarray(this.#wanted);
      this.#wanted = this.#reader.next(piece).value;
    }
    this.emit("changed");
  }

  /** Waits until the condition holds; what the viewer sends makes it be asked again. */
  async until(condition, milliseconds = 10_000) {
    const signal = AbortSignal.timeout(milliseconds);
    while (!condition(this)) await once(this, "changed", { signal });
  }

  /** The keys that went down, as text. */
  get typed() {
    return this.keys
      .filter(({ keysym, down }) => down && keysym < 0xff00)
      .map(({ keysym }) => String.fromCodePoint(keysym))
      .join("");
  }

  // Yields how many bytes it wants next, and is resumed with them.
  *#serve() {
    this.#send(Buffer.from("RFB 003.008\n"));
    expect((yield 12).toString(), "RFB 003.008\n");
    this.#send(Buffer.from([1, SECURITY_NONE]));
    expect((yield 1)[0], SECURITY_NONE);
    this.#send(Buffer.from([0, 0, 0, 0]));
    yield 1;
    this.#send(serverInit("a tiny screen"));
    let format = { red: 16, green: 8, blue: 0 };
    for (;;) {
      const [type] = yield 1;
      switch (type) {
        case 0: {
          const message = yield 19;
          expect(message[3], 32);
          format = { red: message[13], green: message[14], blue: message[15] };
          break;
        }
        case 2:
          yield 4 * (yield 3).readUInt16BE(1);
          break;
        case 3: {
          const [incremental] = yield 9;
          if (!incremental) this.#send(framebufferUpdate(format));
          break;
        }
        case 4: {
          const message = yield 7;
          this.keys.push({ down: message[0] === 1, keysym: message.readUInt32BE(3) });
          break;
        }
        case 5:
          yield 5;
          break;
        case 6: {
          const length = (yield 7).readUInt32BE(3);
          this.clipboard.push(length === 0 ? "" : (yield length).toString("latin1"));
          break;
        }
        default:
          throw new Error(`the viewer sent a message of type ${type}`);
      }
    }
  }
}

const SECURITY_NONE = 1;
const RAW = 0;

function expect(actual, wanted) {
  if (actual !== wanted) throw new Error(`the viewer sent ${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`);
}

function serverInit(name) {
  const head = Buffer.alloc(24);
  head.writeUInt16BE(WIDTH, 0);
  head.writeUInt16BE(HEIGHT, 2);
  // 32 bits a pixel, depth 24, little endian, true colour, 255 for each maximum, red, green and blue at 16, 8 and 0.
  Buffer.from([32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0]).copy(head, 4);
  head.writeUInt32BE(name.length, 20);
  return Buffer.concat([head, Buffer.from(name)]);
}

function framebufferUpdate({ red, green, blue }) {
  const pixels = Buffer.alloc(WIDTH * HEIGHT * 4);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const [r, g, b] = colourAt(x, y);
      pixels.writeUInt32LE(((r << red) | (g << green) | (b << blue)) >>> 0, (y * WIDTH + x) * 4);
    }
  }
  return rectangle({ width: WIDTH, height: HEIGHT, encoding: RAW }, pixels);
}
