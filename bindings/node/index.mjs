import consolepass from "./index.cjs";

export const {
  Console,
  ConsolepassError,
  Issuer,
  Pass,
  Proxmox,
  Relay,
  Vnc,
  cloudtowerDirect,
  cloudtowerVia,
  codes,
  log,
  version,
} = consolepass;
