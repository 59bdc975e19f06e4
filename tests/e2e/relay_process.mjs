// Our relay as a process of its own, with passes that are signed here: by somebody who never saw its code.

import { createHash, createHmac, randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start, until } from "./demo/child.mjs";

export const PROGRAM =
  process.env.CONSOLEPASS_PROGRAM ?? fileURLToPath(new URL("../../target/debug/consolepass", import.meta.url));

// The references' alphabet: no i, l, o, u.
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const letters = (bytes) => [...bytes.subarray(0, 10)].map((byte) => ALPHABET[byte % 32]).join("");

/**
 * Starts `consolepass relay` with one backend called `desk`.
 * @param {string} folder where its files go
 * @param {{ backend: string, relay?: string, env?: object }} options lines of the configuration file
 */
export async function startRelay(folder, { backend, relay = "", env = {} }) {
  const keyFile = join(folder, "pass.jwk");
  const config = join(folder, "consolepass.toml");
  const key = randomBytes(32);
  const jwk = { kty: "oct", alg: "HS256", kid: "e2e", k: key.toString("base64url") };
  await writeFile(keyFile, JSON.stringify(jwk), { mode: 0o600 });
  // The public URL has the port in it, so a free one is looked up before.
  const listen = `127.0.0.1:${await freePort()}`;
  const publicUrl = `http://${listen}`;
  await writeFile(
    config,
    `[relay]\nlisten = "${listen}"\npublic_url = "${publicUrl}"\npass_key_file = "${keyFile}"\n${relay}\n[backend.desk]\n${backend}\n`,
  );
  let address;
  const process = start(PROGRAM, ["relay", "--config", config, "--json"], {
    env,
    onLine: (line) => (address ??= JSON.parse(line).address),
  });
  const early = process.ended.then((why) => Promise.reject(new Error(why)));
  await Promise.race([until("the relay", () => address !== undefined), early]);
  early.catch(() => {});
  return {
    config,
    publicUrl,
    stop: process.stop,
    get pid() {
      return process.pid;
    },
    get log() {
      return process.errors;
    },
    /** A pass for a machine, as a portal without our library would sign it. */
    pass(machine = "desk-1") {
      const now = Date.now() / 1000;
      const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const header = encode({ alg: "HS256", kid: "e2e", typ: "consolepass-pass+jwt" });
      const claims = encode({
        aud: publicUrl,
        // As late as a pass may be dated: a relay takes none from before its start, nor from the leeway after it.
        iat: now + 4.9,
        nbf: now,
        exp: now + 60,
        jti: letters(randomBytes(10)),
        backend: "desk",
        machine,
        kind: "vnc",
      });
      const signature = createHmac("sha256", key).update(`${header}.${claims}`).digest("base64url");
      const relayId = letters(createHash("sha256").update(publicUrl).digest());
      return `${relayId}.${header}.${claims}.${signature}`;
    },
    viewerUrl(machine) {
      return `${publicUrl}/#pass=${this.pass(machine)}`;
    },
    websocketUrl(machine) {
      return `${publicUrl.replace("http", "ws")}/ws?pass=${this.pass(machine)}`;
    },
  };
}

export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
