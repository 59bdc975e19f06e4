// The state of the console as words on the page: connecting, connected, ended or refused.

import type { Step } from "./control.js";
import { element } from "./element.js";
import type { Outcome } from "./outcome.js";
import { ADVICE, asSentence, wordsOfStep } from "./words.js";

export class StateView {
  readonly #section = element("state", HTMLElement);
  readonly #headline = element("headline", HTMLHeadingElement);
  readonly #detail = element("detail", HTMLParagraphElement);
  readonly #advice = element("advice", HTMLParagraphElement);
  readonly #reference = element("reference", HTMLParagraphElement);

  /** Shown from the first moment on, because a console that never opens is the one that support is asked about. */
  showReference(reference: string): void {
    setWords(this.#reference, `Reference ${reference}`);
  }

  showStep(step: Step): void {
    setWords(this.#detail, wordsOfStep(step));
  }

  showConnected(): void {
    this.#enter("connected", "Connected", "Console");
    setWords(this.#detail, "");
    this.#reference.hidden = true;
  }

  /** `refused`: the person never saw the machine. `ended`: they did. */
  showOutcome(state: "refused" | "ended", outcome: Outcome): void {
    const headline = state === "ended" ? "The console has ended" : "The console could not be opened";
    this.#enter(state, headline, `${state === "ended" ? "Ended" : "Refused"} – Console`);
    this.#section.dataset["code"] = outcome.code;
    setWords(this.#detail, asSentence(outcome.sentence));
    setWords(this.#advice, ADVICE);
    if (outcome.reference !== undefined) this.showReference(outcome.reference);
    this.#reference.hidden = this.#reference.textContent === "";
  }

  #enter(state: string, headline: string, title: string): void {
    this.#section.dataset["state"] = state;
    this.#headline.textContent = headline;
    document.title = title;
  }
}

// `textContent` and nothing else: these words come from the network.
function setWords(paragraph: HTMLParagraphElement, words: string): void {
  if (paragraph.textContent !== words) paragraph.textContent = words;
  paragraph.hidden = words === "";
}
