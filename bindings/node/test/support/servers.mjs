// Servers behind and before the relay.

import { once } from "node:events";
import { createServer } from "node:net";

/** Listens on a free port of this machine, and returns `127.0.0.1:port`. */
export async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${server.address().port}`;
}

/** An RFB server that lets everybody in, and then says back what it hears. `sockets` are those who came. */
export async function startEcho(onConsole = (socket) => socket.pipe(socket)) {
  const sockets = new Set();
  const server = createServer(async (socket) => {
    sockets.add(socket.on("error", () => {}).once("close", () => sockets.delete(socket)));
    try {
      socket.write("RFB 003.008\n");
      await take(socket, 12);
      socket.write(Buffer.from([1, 1]));
      await take(socket, 1);
      socket.write(Buffer.alloc(4));
      onConsole(socket);
    } catch {
      // Whoever went away wants nothing more.
    }
  });
  const address = await listen(server);
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { address, sockets, stop };
}

async function take(socket, length) {
  for (;;) {
    const bytes = socket.read(length);
    if (bytes !== null) return bytes;
    if (socket.destroyed || socket.readableEnded) throw new Error("gone");
    await Promise.race([once(socket, "readable"), once(socket, "close")]);
  }
}
