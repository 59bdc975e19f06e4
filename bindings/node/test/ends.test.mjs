// How a process ends, or does not, with something of ours in it.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startProxmox } from "./support/emulator.mjs";
import { run } from "./support/program.mjs";
import { listen, startEcho } from "./support/servers.mjs";

const RELAY = `
  import { Proxmox, Relay, Vnc } from "./index.mjs";
  const backends = { desk: new Vnc({ host: process.env.DESK }) };
  const relay = new Relay({ backends, listen: "127.0.0.1:0", publicUrl: "http://portal.test", allowMissingOrigin: true });
`;
/** A session that stands, from within the program itself. */
const SESSION = `
  import { once } from "node:events";
  import { createRequire } from "node:module";
  const { WebSocket } = createRequire(process.cwd() + "/package.json")("ws");
  const address = await relay.start();
  const pass = await relay.issue("desk", "desk-1");
  const browser = new WebSocket("ws://" + address + "/ws" + new URL(pass.url).search, ["binary"]);
  for (const answer of ["RFB 003.008\\n", "\\x01"]) {
    await once(browser, "message");
    browser.send(Buffer.from(answer));
  }
  await once(browser, "message");
  console.log("standing", relay.sessionCount);
`;

let desk;
let hypervisor;
before(async () => {
  [desk, hypervisor] = await Promise.all([startEcho(), startProxmox()]);
});
after(() => {
  desk?.stop();
  return hypervisor?.stop();
});

const program = (source, options = {}) =>
  run(source, { ...options, env: { DESK: desk.address, PVE: JSON.stringify(hypervisor.token), ...options.env } });

test("a relay that was not started lets the process end, whoever listens to it", async () => {
  const { ended, err, out, seconds } = await program(`${RELAY}
    relay.on("ended", () => {});
    const pass = await relay.issue("desk", "desk-1");
    console.log(pass.reference.length);`);

  assert.deepEqual([ended, err, out], [0, "", "10"]);
  assert.ok(seconds < 20);
});

test("one that was started keeps the process until it is stopped", async () => {
  const { ended, err, out } = await program(`${RELAY}
    const address = await relay.start();
    process.once("beforeExit", () => console.log("it wanted to end"));
    // A timer that keeps nothing alive by itself.
    setTimeout(() => { console.log("stopping"); relay.stop(); }, 300).unref();`);

  assert.deepEqual([ended, err, out.split("\n")], [0, "", ["stopping", "it wanted to end"]]);
});

test("it keeps the process whatever is collected, and a stop that is the last thing to wait for is waited for", async () => {
  const { ended, err, out } = await program(
    `${RELAY}
    await relay.unref().ref().start();
    const rounds = setInterval(gc, 20).unref();
    const ended = new Promise((resolve) => relay.on("ended", resolve));
    setTimeout(async () => {
      console.log("stopping");
      await relay.unref().stop();
      console.log("stopped");
    }, 400).unref();`,
    { args: ["--expose-gc"] },
  );

  assert.deepEqual([ended, err, out.split("\n")], [0, "", ["stopping", "stopped"]]);
});

test("a stop that nobody waits for any more goes on", async () => {
  const { ended, err, out } = await program(`${RELAY}${SESSION}
    const closed = once(browser, "close");
    const abort = new AbortController();
    const stop = relay.stop({ signal: abort.signal });
    abort.abort();
    console.log(await stop.catch(({ name }) => name), (await closed)[0]);`);

  assert.deepEqual([ended, err, out.split("\n")], [0, "", ["standing 1", "AbortError 4026"]]);
});

test("unref lets it go and ref holds it again, as of a server of Node's", async () => {
  const free = await program(`${RELAY} await relay.unref().start(); relay.ref().unref();`);
  const held = await program(`${RELAY} await relay.unref().start(); relay.ref(); console.log("held");`, {
    onLine: (line, child) => line === "held" && setTimeout(() => child.kill(), 500),
  });

  assert.equal(free.ended, 0);
  assert.equal(held.ended, "SIGTERM");
});

test("a started relay that the program has dropped serves on", async () => {
  const { ended, out } = await program(
    `import { Relay, Vnc } from "./index.mjs";
     import { connect } from "node:net";
     const address = await new Relay({ backends: { a: new Vnc({ host: "h" }) }, listen: "127.0.0.1:0", publicUrl: "http://p.test" }).start();
     for (let round = 0; round < 20; round += 1) { gc(); await new Promise(setImmediate); }
     const answer = await fetch("http://" + address + "/ws");
     console.log(answer.status);
     process.exit(0);`,
    { args: ["--expose-gc"] },
  );

  assert.deepEqual([ended, out], [0, "426"]);
});

for (const [how, source, status] of [
  ["process.exit", "process.exit(7);", 7],
  ["an exception", "setTimeout(() => { throw new Error('on purpose'); });", 1],
  ["a signal", "process.kill(process.pid, 'SIGINT');", "SIGINT"],
  ["an abort in its last moment", "process.on('exit', () => { relay.stop(); relay.issue('desk', 'desk-1'); }); process.exit(3);", 3],
]) {
  test(`a process with a console in it ends by ${how}`, async () => {
    const { ended, out, seconds } = await program(`${RELAY}${SESSION}${source}`);

    assert.deepEqual([ended, out], [status, "standing 1"]);
    assert.ok(seconds < 20, `after ${seconds} s`);
    while (desk.sockets.size > 0) await sleep(5);
  });
}

for (const [what, listen] of [
  ["events", `relay.on("taken", () => { throw new Error("on purpose"); }); await relay.start();`],
  ["lines", `log.on("log", () => { throw new Error("on purpose"); });`],
]) {
  test(`a listener for ${what} that throws ends the process as any other does`, async () => {
    const { ended, err } = await program(`${RELAY}
      import { log } from "./index.mjs";
      import { Browser } from "./test/support/browser.mjs";
      ${listen}
      const pass = await relay.issue("desk", "desk-1");
      if (relay.address) new Browser("ws://" + relay.address + "/ws" + new URL(pass.url).search, { origin: "http://portal.test" });
      setTimeout(() => {}, 5000);`);

    assert.equal(ended, 1);
    assert.match(err, /Error: on purpose/);
  });
}

test("a process ends in the middle of a call", async () => {
  const silent = createServer(() => {});
  const host = await listen(silent);
  try {
    const { ended, seconds } = await program(`
      import { Proxmox } from "./index.mjs";
      const pve = new Proxmox({ ...JSON.parse(process.env.PVE), host: "${host}" });
      for (let call = 0; call < 50; call += 1) pve.open("qemu/101");
      setTimeout(() => process.exit(5), 100);`);

    assert.equal(ended, 5);
    assert.ok(seconds < 20);
  } finally {
    silent.close();
  }
});

test("garbage is collected in any order", async () => {
  const { ended, err, out } = await program(
    `import { Issuer, Proxmox, Relay, Vnc } from "./index.mjs";
     const turn = () => new Promise(setImmediate);
     let opened;
     for (let round = 0; round < 30; round += 1) {
       let pve = new Proxmox(JSON.parse(process.env.PVE));
       let relay = new Relay({ backends: { pve, desk: new Vnc({ host: "h" }) }, listen: "127.0.0.1:0", publicUrl: "http://p.test" });
       relay.on("ended", () => {});
       const call = pve.open("qemu/101");
       const pass = relay.issue("pve", "qemu/101");
       pve = undefined;
       gc();
       opened = await call;
       if (round % 3 === 0) { await relay.start(); relay.stop(); }
       const issued = await pass;
       relay = undefined;
       gc();
       await turn();
       if (!issued.url.includes("pass=") || !opened.password) throw new Error("gone too early");
     }
     gc();
     console.log("done");`,
    { args: ["--expose-gc"] },
  );

  assert.deepEqual([ended, err, out], [0, "", "done"]);
});

test("a relay that nobody has any more ends its consoles, which hear why", async () => {
  const { ended, out, err } = await program(
    `import { once } from "node:events";
     import { createServer } from "node:http";
     import { Relay, Vnc } from "./index.mjs";
     import { Browser } from "./test/support/browser.mjs";
     const server = createServer().listen(0, "127.0.0.1");
     await once(server, "listening");
     const publicUrl = "http://127.0.0.1:" + server.address().port;
     let relay = new Relay({ backends: { desk: new Vnc({ host: process.env.DESK }) }, publicUrl });
     relay.on("connected", () => {});
     const pass = await relay.issue("desk", "desk-1");
     server.once("upgrade", (...args) => { relay.handleUpgrade(...args); relay = undefined; });
     const browser = new Browser(pass.url);
     await browser.read(12);
     const rounds = setInterval(gc, 10);
     console.log((await browser.closed).reason);
     clearInterval(rounds);
     server.close();`,
    { args: ["--expose-gc"] },
  );

  assert.deepEqual([ended, out, err], [0, "shutting_down", ""]);
});

const WORKERS = `
  import { Worker } from "node:worker_threads";
  const begin = (source) => new Worker(new URL("data:text/javascript," + encodeURIComponent(source)), {
    workerData: { here: process.cwd() + "/index.cjs" },
  });
  const PRELUDE = \`
    import { createRequire } from "node:module";
    import { parentPort, workerData } from "node:worker_threads";
    const { Proxmox, Relay, Vnc, log } = createRequire(workerData.here)(workerData.here);
    const token = JSON.parse(process.env.PVE);
  \`;
`;

test("of two worker threads one is ended in the middle of a call, and the other goes on", async () => {
  const { ended, err, out } = await program(`${WORKERS}
    import { once } from "node:events";
    import { createServer } from "node:net";
    const silent = createServer((socket) => socket.on("error", () => {}).resume().once("close", () => silent.emit("hung up")));
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const stuck = begin(PRELUDE + \`
      const pve = new Proxmox({ ...token, host: "127.0.0.1:\${silent.address().port}", timeout: 120 });
      pve.open("qemu/101").then(() => parentPort.postMessage("opened?"));
    \`);
    const other = begin(PRELUDE + \`
      const pve = new Proxmox(token);
      parentPort.on("message", async () => {
        for (let call = 0; call < 5; call += 1) parentPort.postMessage((await pve.open("qemu/101")).machine);
        parentPort.close();
      });
      parentPort.postMessage("ready");
    \`);
    await Promise.all([once(silent, "connection"), once(other, "message")]);
    const hungUp = once(silent, "hung up");
    await stuck.terminate();
    await hungUp;
    const heard = [];
    other.on("message", (machine) => heard.push(machine));
    other.postMessage("go on");
    await once(other, "exit");
    silent.close();
    console.log(heard.join());`);

  assert.deepEqual([ended, err, out], [0, "", Array(5).fill("pve1/qemu/101").join()]);
});

test("a worker thread that ends takes its relay along, and the process lives", async () => {
  const { ended, err, out } = await program(`${WORKERS}
    import { once } from "node:events";
    for (let round = 0; round < 5; round += 1) {
      const worker = begin(PRELUDE + \`
        log.on("log", () => {});
        const relay = new Relay({ backends: { a: new Vnc({ host: "h" }) }, listen: "127.0.0.1:0", publicUrl: "http://p.test" });
        relay.on("ended", () => {});
        parentPort.postMessage(await relay.start());
      \`);
      const [address] = await once(worker, "message");
      console.log((await fetch("http://" + address + "/ws", { headers: { connection: "close" } })).status);
      await worker.terminate();
      for (;;) {
        const refused = await fetch("http://" + address + "/ws").then(() => false, () => true);
        if (refused) break;
      }
    }`);

  assert.deepEqual([ended, err, out.split("\n")], [0, "", Array(5).fill("426")]);
});
