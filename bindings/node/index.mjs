import consolepass from "./index.cjs";

export const { Console, ConsolepassError, Proxmox, Vnc, codes, version } = consolepass;
