// The notice that the console is about to be closed, and the button against it.

import { element } from "./element.js";
import { wordsOfWarning } from "./words.js";

export class WarningView {
  readonly #box = element("warning", HTMLDivElement);
  readonly #text = element("warning-text", HTMLParagraphElement);
  readonly #stay = element("stay", HTMLButtonElement);
  readonly #onStay: () => void;

  /** `onStay` is called when the person wants to stay; `screen` is where using the machine says the same. */
  constructor(screen: HTMLElement, onStay: () => void) {
    this.#onStay = onStay;
    this.#stay.addEventListener("click", () => this.#stayConnected());
    for (const use of ["keydown", "pointerdown"]) {
      screen.addEventListener(use, () => this.#stayConnected(), { capture: true });
    }
  }

  /** The words name the seconds once and do not count down: a screen reader would read every change aloud. */
  show(code: string, seconds: number): void {
    this.#text.textContent = wordsOfWarning(code, Math.round(seconds));
    this.#stay.hidden = code !== "idle";
    this.#box.hidden = false;
  }

  hide(): void {
    this.#box.hidden = true;
  }

  #stayConnected(): void {
    if (this.#box.hidden || this.#stay.hidden) return;
    this.hide();
    this.#onStay();
  }
}
