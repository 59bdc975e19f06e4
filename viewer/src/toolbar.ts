// The buttons above the screen, and the way to them with the keyboard.

import { element } from "./element.js";
import { PasteDialog } from "./paste.js";
import { typeText } from "./typing.js";

/** What the toolbar asks of the console. */
export interface Machine {
  sendCtrlAltDel(): void;
  pressKey(keysym: number, down: boolean): void;
  setClipboard(text: string): void;
  focus(): void;
}

export class Toolbar {
  readonly #ctrlAltDel = element("ctrl-alt-del", HTMLButtonElement);
  readonly #openPaste = element("open-paste", HTMLButtonElement);
  readonly #fullScreen = element("full-screen", HTMLButtonElement);
  readonly #machine: Machine;
  readonly #paste: PasteDialog;
  #typing: AbortController | undefined;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#paste = new PasteDialog({
      type: (text) => void this.#type(text),
      setClipboard: (text) => machine.setClipboard(text),
      closed: () => machine.focus(),
    });
    this.#ctrlAltDel.addEventListener("click", () => {
      machine.sendCtrlAltDel();
      machine.focus();
    });
    this.#openPaste.addEventListener("click", () => {
      if (this.#typing === undefined) {
        this.#paste.open();
        return;
      }
      this.#typing.abort();
      machine.focus();
    });
    this.#fullScreen.addEventListener("click", () => void this.#toggleFullScreen());
    document.addEventListener("fullscreenchange", () => {
      this.#fullScreen.textContent = document.fullscreenElement === null ? "Full screen" : "Leave full screen";
    });
    // A portal that embeds this page in a frame may not have allowed it.
    this.#fullScreen.hidden = !document.fullscreenEnabled;
    element("toolbar", HTMLDivElement).addEventListener("keydown", (event) => {
      if (event.key === "Escape") machine.focus();
    });
    this.#listenForLeaveChord();
  }

  enable(): void {
    this.#setDisabled(false);
  }

  disable(): void {
    this.#typing?.abort();
    this.#paste.close();
    this.#setDisabled(true);
  }

  #setDisabled(disabled: boolean): void {
    for (const button of [this.#ctrlAltDel, this.#openPaste, this.#fullScreen]) button.disabled = disabled;
  }

  async #type(text: string): Promise<void> {
    const typing = new AbortController();
    this.#typing = typing;
    this.#openPaste.textContent = "Stop typing";
    await typeText(text, (keysym, down) => this.#machine.pressKey(keysym, down), typing.signal);
    this.#typing = undefined;
    this.#openPaste.textContent = "Paste…";
  }

  async #toggleFullScreen(): Promise<void> {
    try {
      if (document.fullscreenElement === null) await document.documentElement.requestFullscreen();
      else await document.exitFullscreen();
    } catch {
      // The browser said no; the button keeps its words, and there is nothing to repair.
    }
    this.#machine.focus();
  }

  // The screen takes every key, Tab too, so somebody without a mouse needs a way out. The machine sees the three keys go
  // down and up again, because the focus moves only when the last of them is released: none stays pressed in there.
  #listenForLeaveChord(): void {
    let armed = false;
    const observe = (event: KeyboardEvent) => {
      const held = [event.ctrlKey, event.altKey, event.shiftKey];
      if (event.type === "keydown") {
        armed = held.every(Boolean) && ["Control", "Alt", "Shift", "Meta"].includes(event.key);
      } else if (armed && !held.some(Boolean)) {
        armed = false;
        if (!this.#ctrlAltDel.disabled) this.#ctrlAltDel.focus();
      }
    };
    // Captured: noVNC stops the events at its canvas.
    document.addEventListener("keydown", observe, { capture: true });
    document.addEventListener("keyup", observe, { capture: true });
  }
}
