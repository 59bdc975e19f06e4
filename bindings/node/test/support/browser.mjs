// A browser without a screen: a real websocket client that speaks enough RFB to see a picture and to type.

import { createRequire } from "node:module";

const { WebSocket } = createRequire(import.meta.url)("ws");

/** A connection with a pass; what the console sends is read byte by byte, however it was framed. */
export class Browser {
  #socket;
  #heard = Buffer.alloc(0);
  #isOver = false;
  #wake = () => {};

  constructor(url, { protocols = ["binary"], ...options } = {}) {
    const origin = new URL(url.replace(/^ws/, "http")).origin;
    this.#socket = new WebSocket(url, protocols, { origin, perMessageDeflate: false, ...options });
    this.#socket.on("message", (data, isBinary) => isBinary && this.#hear(data));
    this.closed = new Promise((resolve) =>
      this.#socket.once("close", (code, reason) => resolve({ code, reason: String(reason) })),
    );
    this.failed = new Promise((resolve) => this.#socket.once("error", resolve));
    this.closed.then(() => {
      this.#isOver = true;
      this.#wake();
    });
  }

  #hear(data) {
    this.#heard = Buffer.concat([this.#heard, data]);
    this.#wake();
  }

  get socket() {
    return this.#socket;
  }

  async read(length) {
    while (this.#heard.length < length) {
      if (this.#isOver) throw new Error(`the console ended: ${JSON.stringify(await this.closed)}`);
      await new Promise((resolve) => (this.#wake = resolve));
    }
    const bytes = this.#heard.subarray(0, length);
    this.#heard = this.#heard.subarray(length);
    return bytes;
  }

  write(bytes) {
    this.#socket.send(Buffer.from(bytes));
  }

  /** Through the handshake of RFB; returns the screen's width, height and name. */
  async logIn() {
    const banner = String(await this.read(12));
    if (banner !== "RFB 003.008\n") throw new Error(`the banner is ${banner}`);
    this.write(banner);
    const types = await this.read((await this.read(1))[0]);
    if (!types.equals(Buffer.from([1]))) throw new Error(`the security types are ${[...types]}`);
    this.write([1]);
    if ((await this.read(4)).readUInt32BE() !== 0) throw new Error("it was not let in");
    this.write([1]);
    const init = await this.read(24);
    const name = String(await this.read(init.readUInt32BE(20)));
    return { width: init.readUInt16BE(0), height: init.readUInt16BE(2), bytesPerPixel: init[4] / 8, name };
  }

  /** The whole picture, as pixels of the server's own format. */
  async picture({ width, height, bytesPerPixel }) {
    const request = Buffer.alloc(10);
    request[0] = 3;
    request.writeUInt16BE(width, 6);
    request.writeUInt16BE(height, 8);
    this.write(request);
    const head = await this.read(4);
    if (head[0] !== 0) throw new Error(`a message of type ${head[0]}`);
    const rectangles = [];
    for (let left = head.readUInt16BE(2); left > 0; left -= 1) {
      const rectangle = await this.read(12);
      if (rectangle.readInt32BE(8) !== 0) throw new Error("an encoding that was not asked for");
      rectangles.push(await this.read(rectangle.readUInt16BE(4) * rectangle.readUInt16BE(6) * bytesPerPixel));
    }
    return Buffer.concat(rectangles);
  }

  type(text) {
    for (const character of text) {
      for (const down of [1, 0]) {
        const event = Buffer.alloc(8);
        event[0] = 4;
        event[1] = down;
        event.writeUInt32BE(character.codePointAt(0), 4);
        this.write(event);
      }
    }
  }

  end() {
    this.#socket.terminate();
  }
}

/** How the relay refuses somebody who offers its own sub-protocol: the code, as our viewer hears it. */
export async function refusal(url, options = {}) {
  const browser = new Browser(url, { protocols: ["consolepass.1"], ...options });
  const told = [];
  browser.socket.on("message", (data, isBinary) => isBinary || told.push(JSON.parse(data)));
  const closed = await browser.closed;
  return { ...closed, told: told.at(-1)?.code };
}
