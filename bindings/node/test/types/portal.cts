// The same types for a program of CommonJS.

import consolepass = require("consolepass");

const relay = new consolepass.Relay({ backends: { desk: new consolepass.Vnc({ host: "h" }) }, publicUrl: "https://p.test" });
relay.on("taken", ({ type, machine }) => console.log(type === "taken", machine));
const code: consolepass.Code = "pass_used";

export = { relay, code };
