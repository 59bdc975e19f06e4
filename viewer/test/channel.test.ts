import assert from "node:assert/strict";
import { test } from "node:test";
import { type Closed, ConsoleChannel, MOST_UNSENT_BYTES, type Socket } from "../src/channel.js";

class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  protocol = "consolepass.1";
  readyState = 0;
  bufferedAmount = 0;
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  sent: unknown[] = [];

  send(data: string | BufferSource): void {
    this.sent.push(data);
  }

  close(): void {
    this.readyState = 2;
  }

  open(): void {
    this.readyState = 1;
    this.onopen?.(new Event("open"));
  }

  receive(data: unknown): void {
    this.onmessage?.({ data } as MessageEvent);
  }

  closed(code: number, reason: string): void {
    this.readyState = 3;
    this.onclose?.({ code, reason } as CloseEvent);
  }
}

function connect() {
  const socket = new FakeSocket();
  const order: string[] = [];
  const closed: Closed[] = [];
  const channel = new ConsoleChannel(socket, {
    onControl: (text) => order.push(`control ${text}`),
    onStuck: () => order.push("stuck"),
    onClosed: (how) => {
      closed.push(how);
      order.push("page closed");
    },
  });
  channel.onopen = () => order.push("novnc open");
  channel.onmessage = (event) => order.push(`novnc ${new Uint8Array(event.data as ArrayBuffer).join()}`);
  channel.onclose = () => order.push("novnc closed");
  return { socket, channel, order, closed };
}

test("noVNC finds every property that it asks a channel for", () => {
  const { channel } = connect();

  const names = [...Object.keys(channel), ...Object.getOwnPropertyNames(Object.getPrototypeOf(channel))];

  for (const name of ["send", "close", "binaryType", "onerror", "onmessage", "onopen", "protocol", "readyState"]) {
    assert.ok(names.includes(name), name);
  }
});

test("binary goes to noVNC and text to the page, in the order of arrival", () => {
  const { socket, order } = connect();
  socket.open();

  socket.receive("one");
  socket.receive(new Uint8Array([1, 2]).buffer);
  socket.receive("two");

  assert.deepEqual(order, ["novnc open", "control one", "novnc 1,2", "control two"]);
});

test("binary arrives as buffers, since a blob would arrive behind later messages", () => {
  assert.equal(connect().socket.binaryType, "arraybuffer");
});

test("what noVNC sends goes out as it is, and a control message as text", () => {
  const { socket, channel } = connect();
  socket.open();
  const bytes = new Uint8Array([4, 1]);

  channel.send(bytes);
  channel.sendControl("stay");

  assert.deepEqual(socket.sent, [bytes, "stay"]);
});

test("nothing is sent before the socket is open or after it was closed here", () => {
  const { socket, channel } = connect();

  channel.send(new Uint8Array(1));
  socket.open();
  channel.close();
  channel.send(new Uint8Array(1));
  channel.sendControl("stay");

  assert.deepEqual(socket.sent, []);
});

test("a relay that reads nothing ends the channel instead of filling the browser", () => {
  const { socket, channel, order } = connect();
  socket.open();
  socket.bufferedAmount = MOST_UNSENT_BYTES;
  channel.send(new Uint8Array(1));
  socket.bufferedAmount = MOST_UNSENT_BYTES + 1;

  channel.send(new Uint8Array(1));

  assert.equal(socket.sent.length, 1);
  assert.equal(socket.readyState, 2);
  assert.ok(order.includes("stuck"));
});

test("the page hears of a close before noVNC does, with its code and reason", () => {
  const { socket, order, closed } = connect();
  socket.open();

  socket.closed(4006, "machine_not_running");

  assert.deepEqual(order, ["novnc open", "page closed", "novnc closed"]);
  assert.deepEqual(closed, [{ by: "relay", opened: true, code: 4006, reason: "machine_not_running" }]);
});

test("a close that this page asked for is told apart from the relay's", () => {
  const { socket, channel, closed } = connect();
  socket.open();

  channel.close();
  socket.closed(1005, "");

  assert.equal(closed[0]?.by, "here");
});

test("noVNC tidying up behind the relay's close does not make it ours", () => {
  const { socket, channel, closed } = connect();
  socket.open();
  socket.readyState = 3;

  channel.close();
  socket.closed(1006, "");

  assert.equal(closed[0]?.by, "relay");
});

test("a socket that never opened says so", () => {
  const { socket, closed } = connect();

  socket.closed(1006, "");

  assert.equal(closed[0]?.opened, false);
});
