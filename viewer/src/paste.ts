// The box for text that goes into the machine. A button and not Ctrl+V: those keys belong to the machine.

import { element } from "./element.js";

export interface PasteListener {
  type(text: string): void;
  setClipboard(text: string): void;
  closed(): void;
}

export class PasteDialog {
  readonly #dialog = element("paste", HTMLDialogElement);
  readonly #text = element("paste-text", HTMLTextAreaElement);

  constructor(listener: PasteListener) {
    const finish = (use?: (text: string) => void) => {
      const text = this.#text.value;
      this.close();
      if (text !== "") use?.(text);
    };
    element("paste-type", HTMLButtonElement).addEventListener("click", () => finish((text) => listener.type(text)));
    element("paste-clipboard", HTMLButtonElement).addEventListener("click", () =>
      finish((text) => listener.setClipboard(text)),
    );
    element("paste-cancel", HTMLButtonElement).addEventListener("click", () => finish());
    this.#dialog.addEventListener("close", () => {
      // It may have been a password.
      this.#text.value = "";
      listener.closed();
    });
  }

  open(): void {
    this.#dialog.showModal();
    this.#text.focus();
  }

  close(): void {
    if (this.#dialog.open) this.#dialog.close();
  }
}
