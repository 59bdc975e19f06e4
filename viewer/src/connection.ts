// One console: the websocket, noVNC on its binary messages, the page on its text messages, and exactly one end.

import RFB from "@novnc/novnc";
import { relayAddress, websocketUrl } from "./address.js";
import { ConsoleChannel } from "./channel.js";
import { readControl, STAY, SUBPROTOCOL, type StepMessage, type WarningMessage } from "./control.js";
import {
  BROWSER_REFUSED,
  outcomeOfClose,
  PASSWORD_WANTED,
  PICTURE_UNREADABLE,
  RELAY_STUCK,
  type Outcome,
} from "./outcome.js";
import type { Machine } from "./toolbar.js";

export interface ConnectionListener {
  onStep(message: StepMessage): void;
  onWarning(message: WarningMessage): void;
  onConnected(): void;
  /** Called once. */
  onEnd(outcome: Outcome): void;
}

export class Connection implements Machine {
  readonly #listener: ConnectionListener;
  #channel: ConsoleChannel | undefined;
  #rfb: RFB | undefined;
  #ended = false;

  constructor(listener: ConnectionListener) {
    this.#listener = listener;
  }

  /** Spends the pass. It travels as a sub-protocol: an address would end up in the log of every proxy on the way. */
  open(screen: HTMLElement, pass: string): void {
    try {
      const socket = new WebSocket(websocketUrl(location.href, relayAddress()), [
        SUBPROTOCOL,
        "binary",
        `consolepass.pass.${pass}`,
      ]);
      this.#channel = new ConsoleChannel(socket, {
        onControl: (text) => this.#control(text),
        onStuck: () => this.#end(RELAY_STUCK),
        onClosed: (closed) => {
          if (closed.by === "relay") this.#end(outcomeOfClose(closed));
        },
      });
      this.#rfb = this.#startRfb(screen, this.#channel);
    } catch {
      // Not the exception's own words, here or in the console: it may repeat what it was given.
      this.#end(BROWSER_REFUSED);
    }
  }

  stay(): void {
    this.#channel?.sendControl(STAY);
  }

  sendCtrlAltDel(): void {
    this.#rfb?.sendCtrlAltDel();
  }

  // By keysym alone: with a scancode QEMU would skip the keyboard layout that the machine is configured for.
  pressKey(keysym: number, down: boolean): void {
    this.#rfb?.sendKey(keysym, null, down);
  }

  setClipboard(text: string): void {
    this.#rfb?.clipboardPasteFrom(text);
  }

  focus(): void {
    this.#rfb?.focus({ preventScroll: true });
  }

  #startRfb(screen: HTMLElement, channel: ConsoleChannel): RFB {
    const rfb = new RFB(screen, channel, { shared: true });
    rfb.background = "transparent";
    rfb.scaleViewport = true;
    // Text consoles send no pointer; without the dot the mouse is lost over the screen.
    rfb.showDotCursor = true;
    rfb.addEventListener("connect", () => this.#listener.onConnected());
    // The relay has logged in already, so the browser is only ever offered None.
    rfb.addEventListener("credentialsrequired", () => this.#end(PASSWORD_WANTED));
    rfb.addEventListener("disconnect", () => {
      this.#rfb = undefined;
      this.#end(PICTURE_UNREADABLE);
    });
    return rfb;
  }

  #control(text: string): void {
    const message = readControl(text);
    if (message === undefined || this.#ended) return;
    if (message.type === "step") this.#listener.onStep(message);
    else if (message.type === "warning") this.#listener.onWarning(message);
    else this.#end(message);
  }

  // The first to notice the end knows most: the relay's `end`, then its close, then noVNC, which is told here.
  #end(outcome: Outcome): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#listener.onEnd(outcome);
    this.#rfb?.disconnect();
    this.#channel?.close();
  }
}
