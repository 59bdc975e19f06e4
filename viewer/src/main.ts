// The page from arrival to end.

// First on purpose: it takes the pass out of the address before any other module runs.
import { arrival } from "./arrival.js";
import { Connection } from "./connection.js";
import { element } from "./element.js";
import { MALFORMED_PASS, NO_PASS, type Outcome } from "./outcome.js";
import { StateView } from "./state.js";
import { Toolbar } from "./toolbar.js";
import { WarningView } from "./warning.js";

const screen = element("screen", HTMLDivElement);
const state = new StateView();
let seen = false;

const connection = new Connection({
  onStep(message) {
    if (seen) return;
    if (message.reference !== undefined) state.showReference(message.reference);
    state.showStep(message.step);
  },
  onWarning(message) {
    warning.show(message.code, message.seconds);
  },
  onConnected() {
    seen = true;
    state.showConnected();
    toolbar.enable();
    connection.focus();
  },
  onEnd: finish,
});
const warning = new WarningView(screen, () => {
  connection.stay();
  connection.focus();
});
const toolbar = new Toolbar(connection);

switch (arrival.kind) {
  case "pass":
    connection.open(screen, arrival.pass);
    break;
  case "none":
    finish(NO_PASS);
    break;
  case "malformed":
    finish(MALFORMED_PASS);
    break;
}

function finish(outcome: Outcome): void {
  toolbar.disable();
  warning.hide();
  state.showOutcome(seen ? "ended" : "refused", outcome);
}
