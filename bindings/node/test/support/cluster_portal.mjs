// A portal in two processes behind one port. GET /pass issues one; everything else is the relay's.

import cluster from "node:cluster";
import { createServer } from "node:http";
import { Relay, Vnc } from "../../index.mjs";

const { DESK, KEY_FILE: passKeyFile, MARKS: marksDir } = process.env;

if (cluster.isPrimary) {
  // One after the other: so that of two connections in a row, each goes to another process.
  cluster.schedulingPolicy = cluster.SCHED_RR;
  const workers = [cluster.fork(), cluster.fork()];
  let listening = 0;
  cluster.on("listening", (_, { port }) => ++listening === workers.length && console.log(JSON.stringify({ port })));
  process.once("SIGTERM", () => cluster.disconnect(() => process.exit(0)));
} else {
  let relay;
  const server = createServer(async (req, res) => {
    if (req.url !== "/pass") return relay.handleRequest(req, res);
    const { url } = await relay.issue("desk", "desk-1");
    res.setHeader("connection", "close").end(JSON.stringify({ url }));
  });
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  server.listen(0, "127.0.0.1", () => {
    const publicUrl = `http://127.0.0.1:${server.address().port}`;
    relay = new Relay({ backends: { desk: new Vnc({ host: DESK }) }, publicUrl, passKeyFile, marksDir });
  });
  process.on("disconnect", () => process.exit(0));
}
