// Everything that one tab receives and sends, as the browser itself sees it (Chrome DevTools Protocol, Network domain).

/**
 * @typedef {{ what: string, url: string, bytes: Buffer }} Piece
 * `what`: "headers", "body", "websocket handshake", "websocket text", "websocket binary", "request".
 */

export class Record {
  /** @type {Piece[]} What the browser was sent. */
  received = [];
  /** @type {Piece[]} What the browser sent. */
  sent = [];
  /** @type {string[]} Console messages and uncaught exceptions, as the page's own developer would see them. */
  console = [];
  /** @type {string[]} Violations of the content security policy. */
  violations = [];
  /** @type {string[]} Answers whose body the browser would not give: a leak check over them proves nothing. */
  missed = [];
  /** @type {Map<string, { url: string, binary: Buffer[] }>} */
  #websockets = new Map();
  #urls = new Map();
  #pending = new Set();

  /** Starts recording; call it before the tab goes anywhere. */
  static async of(page) {
    const record = new Record();
    page.on("console", (message) => record.console.push(message.text()));
    page.on("pageerror", (error) => record.console.push(`${error.message}\n${error.stack}`));
    await page.exposeFunction("__consolepassViolation", (text) => record.violations.push(text));
    await page.addInitScript(() => {
      document.addEventListener("securitypolicyviolation", (event) => {
        window.__consolepassViolation(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`);
      });
    });
    const session = await page.context().newCDPSession(page);
    record.#listen(session);
    await session.send("Network.enable", { maxTotalBufferSize: 100_000_000, maxResourceBufferSize: 50_000_000 });
    return record;
  }

  /** Waits until the bodies that were still on their way have been recorded. */
  async settle() {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  /** The binary frames of each websocket put together: a secret may lie across the border of two frames. */
  websocketStreams() {
    return [...this.#websockets.values()].map(({ url, binary }) => ({ url, bytes: Buffer.concat(binary) }));
  }

  /**
   * Where the browser was sent these bytes.
   * @param {string | Buffer} needle
   * @returns {string[]} one description for each place; empty when it never was
   */
  whereReceived(needle) {
    const streams = this.websocketStreams().map((stream) => ({ what: "websocket stream", ...stream }));
    return places([...this.received, ...streams], needle);
  }

  /** Where the browser sent these bytes; its own request lines and headers are among them. */
  whereSent(needle) {
    return places(this.sent, needle);
  }

  /** Every address that the tab asked for, websockets too. */
  get urls() {
    return [...this.#urls.values(), ...[...this.#websockets.values()].map(({ url }) => url)];
  }

  #listen(session) {
    session.on("Network.requestWillBeSent", ({ requestId, request }) => {
      this.#urls.set(`${requestId} ${request.url}`, request.url);
      this.#sent("request", request.url, `${request.method} ${request.url}\n${request.postData ?? ""}`);
    });
    session.on("Network.requestWillBeSentExtraInfo", ({ requestId, headers }) => {
      this.#sent("request", requestId, headerText(headers));
    });
    session.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode, headers, headersText }) => {
      this.#received("headers", requestId, headersText ?? `${statusCode}\n${headerText(headers)}`);
    });
    session.on("Network.responseReceived", ({ response }) => {
      this.#received("headers", response.url, `${response.status} ${response.statusText}\n${headerText(response.headers)}`);
    });
    session.on("Network.loadingFinished", ({ requestId }) => this.#keep(this.#readBody(session, requestId)));
    session.on("Network.webSocketCreated", ({ requestId, url }) => {
      this.#websockets.set(requestId, { url, binary: [] });
      this.#sent("websocket handshake", url, url);
    });
    session.on("Network.webSocketWillSendHandshakeRequest", ({ requestId, request }) => {
      this.#sent("websocket handshake", this.#websocketUrl(requestId), headerText(request.headers));
    });
    session.on("Network.webSocketHandshakeResponseReceived", ({ requestId, response }) => {
      const text = response.headersText ?? `${response.status} ${response.statusText}\n${headerText(response.headers)}`;
      this.#received("websocket handshake", this.#websocketUrl(requestId), text);
    });
    session.on("Network.webSocketFrameReceived", ({ requestId, response }) => {
      const { what, bytes } = readFrame(response);
      if (what === "websocket binary") this.#websockets.get(requestId)?.binary.push(bytes);
      this.received.push({ what, url: this.#websocketUrl(requestId), bytes });
    });
    session.on("Network.webSocketFrameSent", ({ requestId, response }) => {
      this.sent.push({ ...readFrame(response), url: this.#websocketUrl(requestId) });
    });
    session.on("Network.webSocketFrameError", ({ requestId, errorMessage }) => {
      this.#received("websocket error", this.#websocketUrl(requestId), errorMessage);
    });
  }

  async #readBody(session, requestId) {
    const url = [...this.#urls].find(([key]) => key.startsWith(`${requestId} `))?.[1] ?? requestId;
    // The empty icon is in the page itself and has no body of its own.
    if (url.startsWith("data:")) return;
    try {
      const { body, base64Encoded } = await session.send("Network.getResponseBody", { requestId });
      this.received.push({ what: "body", url, bytes: Buffer.from(body, base64Encoded ? "base64" : "utf8") });
    } catch (error) {
      this.missed.push(`${url}: ${error.message}`);
    }
  }

  #keep(promise) {
    this.#pending.add(promise);
    promise.finally(() => this.#pending.delete(promise));
  }

  #websocketUrl(requestId) {
    return this.#websockets.get(requestId)?.url ?? requestId;
  }

  #received(what, url, text) {
    this.received.push({ what, url, bytes: Buffer.from(text) });
  }

  #sent(what, url, text) {
    this.sent.push({ what, url, bytes: Buffer.from(text) });
  }
}

const TEXT_FRAME = 1;

function readFrame({ opcode, payloadData }) {
  return opcode === TEXT_FRAME
    ? { what: "websocket text", bytes: Buffer.from(payloadData, "utf8") }
    : { what: "websocket binary", bytes: Buffer.from(payloadData, "base64") };
}

function headerText(headers) {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
}

function places(pieces, needle) {
  return pieces.filter(({ bytes }) => bytes.includes(needle)).map(({ what, url }) => `${what} of ${url}`);
}
