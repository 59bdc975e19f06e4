"use strict";
// Connections that a server of Node accepted: what its requests look like, and how they are handed over.

const { Socket } = require("node:net");
const { Duplex, pipeline } = require("node:stream");
const { isUint8Array } = require("node:util/types");
const { now } = require("./call.cjs");
const { invalid } = require("./errors.cjs");
const { kindOf } = require("./values.cjs");

/** Where the relay has something. */
const PLACES = new Set(["", "/", "/ws", "/viewer.js", "/viewer.css"]);
/** What a request's line and headers must not have in them. */
const BREAKS = /[\0\r\n]/;
/** How many listeners for one event a pipeline has on a socket that is at both its ends, and a few more. */
const OF_A_PIPELINE = 10;

/** The path of a request as the relay knows it, whatever it is mounted under, and the query with its question mark. */
function target(req, prefix) {
  const [path, query] = split(req.url);
  // A router has taken off what it is mounted under, and made a slash of nothing.
  if (path === "/" && req.baseUrl && split(req.originalUrl)[0] === req.baseUrl) return ["", query];
  const own = path === prefix || path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path;
  return [PLACES.has(own) ? own : own.slice(own.lastIndexOf("/")), query];
}

/** A proxy is asked for a whole URL. */
function split(url) {
  if (typeof url !== "string" || BREAKS.test(url)) throw invalid("req: url", kindOf(url), "must be that of a request");
  const [, path, query] = /^(?:[a-z][a-z0-9+.-]*:\/\/[^/?#]*)?([^?#]*)(\?[^#]*)?/i.exec(url);
  return [path.startsWith("/") ? path : `/${path}`, query ?? ""];
}

/** The request as it came, without the mount's path. Values are Latin-1 to Node, which keeps every byte. */
function head(req, prefix) {
  const [path, query] = target(req, prefix);
  const lines = [`${req.method} ${path === "" ? "/" : path}${query} HTTP/${req.httpVersion ?? "1.1"}`];
  for (const [name, value] of headers(req)) lines.push(`${name}: ${value}`);
  if (lines.some((line) => BREAKS.test(line))) throw invalid("req", "a header", "must be one line");
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function headers({ rawHeaders, headers }) {
  if (!Array.isArray(rawHeaders) || rawHeaders.length === 0) return Object.entries(headers ?? {});
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => rawHeaders.slice(2 * index, 2 * index + 2));
}

/** Hands a connection over to the addon, with everything that was read from it already. */
function handOver(native, socket, read) {
  // Node took its own off at the upgrade, and an error that nobody listens to ends the process.
  socket.on("error", () => {});
  if (socket.destroyed || socket.writable === false) return void socket.destroy?.();
  try {
    give(native, socket, read);
  } catch (error) {
    // Nobody else answers it.
    socket.destroy();
    throw error;
  }
}

function give(native, socket, read) {
  const descriptor = descriptorOf(socket);
  if (descriptor === undefined) return carry(native, socket, read);
  // Node reads nothing until the next turn of its event loop, and then has the socket no longer.
  const all = Buffer.concat([read, ...buffered(socket)]);
  try {
    now(() => native.serveDescriptor(descriptor, all));
  } catch (error) {
    if (error.code !== "unsupported") throw error;
    // The system gave no second descriptor.
    return carry(native, socket, all);
  }
  // Closes Node's own descriptor; the connection has another by now.
  socket.destroy();
}

/** What a portal that waited for something meanwhile has in its buffer. */
function buffered(socket) {
  const chunks = [];
  for (let chunk; (chunk = socket.read()) !== null; ) {
    chunks.push(typeof chunk === "string" ? Buffer.from(chunk, socket.readableEncoding) : chunk);
  }
  return chunks;
}

/**
 * The descriptor of a plain socket, which is a TCP or Unix one and nothing around it. One inside TLS shows that of the
 * connection below, whose bytes are not the ones that it reads and writes.
 */
function descriptorOf(socket) {
  const handle = socket instanceof Socket && Object.getPrototypeOf(socket) === Socket.prototype ? socket._handle : null;
  const isPlain = handle?.constructor?.name === "TCP" || handle?.constructor?.name === "Pipe";
  // What is not written yet would be lost, or come later.
  return isPlain && handle.fd >= 0 && socket.writableLength === 0 ? handle.fd : undefined;
}

/** Carries a connection's bytes to the addon and back; each side waits for the other. */
function carry(native, socket, read) {
  const all = Buffer.concat([read, ...buffered(socket)]);
  const pipe = now(() => native.servePipe(all));
  const relay = new Duplex({
    read() {
      pipe.read().then(
        (bytes) => this.push(bytes.length === 0 ? null : bytes),
        () => this.push(null),
      );
    },
    write(chunk, _encoding, done) {
      pipe.write(chunk).then(() => done(), done);
    },
    final(done) {
      pipe.end().then(() => done(), done);
    },
    destroy(error, done) {
      pipe.close();
      done(error);
    },
  });
  // The limit is for what the portal listens to; none at all stays none.
  const limit = socket.getMaxListeners();
  if (limit > 0) socket.setMaxListeners(limit + OF_A_PIPELINE);
  // Either side's end ends both; why is the relay's to tell.
  pipeline(socket, relay, socket, () => socket.destroy());
}

/** What a server of Node gives to the listeners of `upgrade`. */
function checkUpgrade(req, socket, read) {
  if (typeof req?.method !== "string" || typeof req.url !== "string") throw invalid("req", kindOf(req), "must be a request");
  if (!(socket instanceof Duplex)) throw invalid("socket", kindOf(socket), "must be the socket of the upgrade");
  if (read !== undefined && !isUint8Array(read)) throw invalid("head", kindOf(read), "must be a Buffer");
}

module.exports = { checkUpgrade, handOver, head, target };
