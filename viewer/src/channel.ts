// One websocket, two readers: noVNC gets the binary messages, the page gets the text ones.

/** The part of a WebSocket that the channel uses. */
export interface Socket {
  binaryType: BinaryType;
  readonly protocol: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  onerror: ((event: Event) => void) | null;
  send(data: string | BufferSource): void;
  close(): void;
}

/** Why the channel is no more. `here`: this page closed it, so the code says nothing about the other side. */
export interface Closed {
  by: "relay" | "here";
  opened: boolean;
  code: number;
  reason: string;
}

export interface ChannelListener {
  onControl(text: string): void;
  /** The relay has stopped reading; the channel closes itself after this call. */
  onStuck(): void;
  onClosed(closed: Closed): void;
}

/**
 * What may wait in the browser for a relay that does not read. A person produces a few hundred bytes a second, so this
 * is reached only when the other side is gone in all but name.
 */
export const MOST_UNSENT_BYTES = 1024 * 1024;

/**
 * What noVNC takes for a WebSocket. It looks for the names of its properties on the object and on its prototype, calls
 * `send` and `close`, and sets the four handlers; it buffers what it has not read, up to its own limit.
 */
export class ConsoleChannel {
  onopen: ((event: Event) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  readonly #socket: Socket;
  readonly #listener: ChannelListener;
  #opened = false;
  #closedHere = false;

  constructor(socket: Socket, listener: ChannelListener) {
    this.#socket = socket;
    this.#listener = listener;
    // Set here and not left to noVNC: a Blob would arrive later than the messages behind it.
    socket.binaryType = "arraybuffer";
    socket.onopen = (event) => {
      this.#opened = true;
      this.onopen?.(event);
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string") listener.onControl(event.data);
      else this.onmessage?.(event);
    };
    socket.onerror = (event) => this.onerror?.(event);
    socket.onclose = (event) => {
      // The page first: noVNC reports the same end in poorer words.
      listener.onClosed({
        by: this.#closedHere ? "here" : "relay",
        opened: this.#opened,
        code: event.code,
        reason: event.reason,
      });
      this.onclose?.(event);
    };
  }

  get binaryType(): BinaryType {
    return this.#socket.binaryType;
  }

  set binaryType(type: BinaryType) {
    this.#socket.binaryType = type;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  /** RFB bytes from noVNC. */
  send(data: BufferSource): void {
    this.#sendOrGiveUp(data);
  }

  /** A control message from the page. */
  sendControl(text: string): void {
    this.#sendOrGiveUp(text);
  }

  close(): void {
    if (this.#socket.readyState > OPEN) return;
    this.#closedHere = true;
    this.#socket.close();
  }

  #sendOrGiveUp(data: string | BufferSource): void {
    if (this.#closedHere || this.#socket.readyState !== OPEN) return;
    // Leaving out a message instead would leave the machine with a key held down, or with half an RFB message.
    if (this.#socket.bufferedAmount > MOST_UNSENT_BYTES) {
      this.#listener.onStuck();
      this.close();
      return;
    }
    this.#socket.send(data);
  }
}

// WebSocket.OPEN; CLOSING and CLOSED are above it. By its number, as the tests of this file run without a browser.
const OPEN = 1;
