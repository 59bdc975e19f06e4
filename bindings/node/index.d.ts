// The types of consolepass for Node. Names, defaults and meanings of options are those of every other language, in camelCase.

import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** The version of this package. */
export const version: string;

// --- errors ----------------------------------------------------------------------------------------------------------

/** What kind of failure an error is; the same in every language, in events, in the log, and for the browser. */
export type Code =
  | "invalid_argument"
  | "auth_failed"
  | "tfa_required"
  | "permission_denied"
  | "machine_not_found"
  | "machine_not_running"
  | "no_console"
  | "ticket_refused"
  | "ticket_expired"
  | "token_unsupported"
  | "tls_untrusted"
  | "unreachable"
  | "timeout"
  | "protocol"
  | "unsupported"
  | "busy"
  | "pass_invalid"
  | "pass_expired"
  | "pass_used"
  | "pass_foreign"
  | "origin_refused"
  | "denied"
  | "revoked"
  | "idle"
  | "time_limit"
  | "shutting_down"
  | "listen_failed"
  | "closed"
  | "forked"
  | "internal";

/** One kind of failure. A browser's websocket is closed with 4000 plus the number. */
export interface CodeRow {
  readonly number: number;
  /** What a browser may be told: it names no host, node or path. */
  readonly sentence: string;
  /** What the person who runs the portal can do. */
  readonly hint: string;
  /** Whether the same call may succeed a moment later, with nothing changed. */
  readonly retryable: boolean;
}

/** Every code there is. */
export const codes: Readonly<Record<Code, CodeRow>>;

/** The one class of errors. Its message says what failed, where and why, in words that are safe to log. */
export class ConsolepassError extends Error {
  constructor(code: Code, message: string, details?: ErrorDetails);
  readonly name: "ConsolepassError";
  readonly code: Code;
  /** The same in words that a customer may see: it names no host, node, path or upstream's words. */
  readonly sentence: string;
  /** What to do about it. */
  readonly hint: string;
  /** What is behind it, in another library's words; perhaps with a cause of its own. */
  readonly cause?: unknown;
  /** Whether the same call may succeed a moment later, with nothing changed. */
  readonly retryable: boolean;
  /** The status that the hypervisor's API answered, if it did. */
  readonly httpStatus?: number;
  /** The SHA-256 fingerprint of a certificate that was refused: compare it on the hypervisor, then pin it. */
  readonly fingerprint?: string;
  /** The console that it is about, if a pass named one. */
  readonly reference?: string;
}

export interface ErrorDetails {
  hint?: string | undefined;
  retryable?: boolean | undefined;
  httpStatus?: number | undefined;
  fingerprint?: string | undefined;
  reference?: string | undefined;
  cause?: unknown;
}

// --- options ---------------------------------------------------------------------------------------------------------

/** The kinds of console. */
export type Kind = "vnc";

/** Options of a call that waits. */
export interface CallOptions {
  /** Ends the call, and what it does, at once: its connection is closed. The promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

export interface OpenOptions extends CallOptions {
  /** The kind of console. Default: vnc. */
  kind?: Kind | undefined;
}

/** A Proxmox VE cluster, or a single node, and an account on it. `host` is needed, and one way to log in. */
export interface ProxmoxOptions {
  /**
   * The nodes of one cluster, tried in order: h, h:8006, https://h:8006/, https://h/prefix; IPv6 with or without
   * brackets.
   */
  host?: string | readonly string[] | undefined;
  /** The API token's id, USER@REALM!TOKENID. */
  tokenId?: string | undefined;
  /** The API token's secret, a UUID. */
  tokenSecret?: string | undefined;
  /** USER@REALM, in place of a token. */
  username?: string | undefined;
  /** The user's password. */
  password?: string | undefined;
  /**
   * A PVEAuthCookie taken over from another client, with username; in place of password, or beside it. Opening
   * consoles renews it; alone, it is lost after two hours without one.
   */
  loginTicket?: string | undefined;
  /** The CSRFPreventionToken that came with loginTicket; without it the ticket is renewed at once to get one. */
  csrfToken?: string | undefined;
  /**
   * SHA-256 fingerprints of the nodes' certificates; then no other certificate is trusted. Case and colons do not
   * matter; not with caFile or insecure.
   */
  fingerprint?: string | readonly string[] | undefined;
  /**
   * A PEM file with the certificate authority to trust in place of the system's, for a cluster its
   * /etc/pve/pve-root-ca.pem; not with fingerprint or insecure.
   */
  caFile?: string | undefined;
  /**
   * Trusts any certificate. Anyone on the path can then take the token; it is logged at every start. Default:
   * false.
   */
  insecure?: boolean | undefined;
  /**
   * The HTTP proxy before the nodes, http://host:port or http://user:password@host:port, for API and consoles; the
   * environment's is never used. It is asked for a host's name, or for one address of a name that has several.
   */
  proxy?: string | undefined;
  /**
   * How long one call to the management API, or the handshake of one console, may take. Its refusals alone take 3
   * seconds. Default: 10.
   */
  timeout?: number | undefined;
}

/** A plain RFB server: QEMU's own `-vnc`, `Xvnc`, a BMC. `host` is needed. */
export interface VncOptions {
  /**
   * The RFB server: h, h:5900, IPv6 with or without brackets, several to be tried in order, or one
   * unix:/run/vm.sock.
   */
  host?: string | readonly string[] | undefined;
  /** The VNC password, if the server asks for one; its first 8 bytes count. */
  password?: string | undefined;
  /** How long its name may take to look up; connecting is part of the relay's handshakeTimeout. Default: 10. */
  timeout?: number | undefined;
}

/** A relay. `backends` and `publicUrl` are needed. */
export interface RelayOptions {
  /** Where consoles come from, under the names that `issue` is called with. */
  backends: Readonly<Record<string, Backend>>;
  /**
   * The address and port to listen on, in plain HTTP; port 0 takes a free one. TLS is the reverse proxy's.
   * Default: 127.0.0.1:8700.
   */
  listen?: string | undefined;
  /** Where browsers find the relay, with its path prefix: https://portal.example.com/console. */
  publicUrl?: string | undefined;
  /** The pages that may open a console: exact scheme, host and port. None given means the origin of publicUrl only. */
  allowedOrigins?: string | readonly string[] | undefined;
  /** Accepts clients that send no Origin, that is, programs that are no browsers. Default: false. */
  allowMissingOrigin?: boolean | undefined;
  /** The origins whose pages may show the viewer in a frame. None given means none. */
  frameAncestors?: string | readonly string[] | undefined;
  /** Where opaque passes are kept: memory. Default: memory. */
  store?: string | undefined;
  /**
   * A JWK file; the relay then accepts signed passes, and issues them unless it has the public half of a pair
   * alone.
   */
  passKeyFile?: string | undefined;
  /**
   * A folder where used signed passes are marked, one small file each, so that several processes of one machine
   * may accept them; it must outlive restarts. Without it one process does, and takes none from before its start.
   */
  marksDir?: string | undefined;
  /** How many consoles may be open at once. Default: 1000. */
  maxSessions?: number | undefined;
  /** How many connections may be on their way to a console, or idle before it, at once. Default: 200. */
  maxHandshakes?: number | undefined;
  /**
   * How long a browser may take to send its request, and for each answer it owes before the console is up.
   * Default: 10.
   */
  handshakeTimeout?: number | undefined;
  /** How long one console may stay open. Default: 28800. */
  sessionMaxAge?: number | undefined;
  /** How long a console may stay open while the person does nothing; screen updates do not count. Default: 3600. */
  idleTimeout?: number | undefined;
  /** How often both sides are pinged; a side that was silent for two intervals is taken for dead. Default: 25. */
  pingInterval?: number | undefined;
  /** How long a stop waits for browsers to hear why their console ends. Default: 5. */
  shutdownGrace?: number | undefined;
}

/** An issuer. Both are needed. */
export interface IssuerOptions {
  /** The publicUrl of the relay that will take the passes. */
  publicUrl?: string | undefined;
  /** The JWK file that the relay has as well, or the private half of the pair whose public one it has. */
  passKeyFile?: string | undefined;
}

/** One pass. */
export interface PassOptions extends CallOptions {
  /** The portal's name for the person, for the log. */
  user?: string | undefined;
  /** How long the pass may wait for its browser. Default: 60. */
  ttl?: number | undefined;
  /** The kind of console: vnc. Default: vnc. */
  kind?: Kind | undefined;
}

/** A link to somebody's noVNC page. */
export interface PageOptions {
  /** The version of the noVNC that serves the page, 0.5 to 1.7. Default: 1.7. */
  version?: string | undefined;
  /** The page sends no input. It is the page's own promise, no protection. Default: false. */
  viewOnly?: boolean | undefined;
  /** off, scale or remote. Default: scale. */
  resize?: string | undefined;
  /** Puts the VNC password into the link's fragment, so that the page does not ask for it. Default: false. */
  withPassword?: boolean | undefined;
  /** Allows a page that the hypervisor itself does not serve: its scripts see the ticket. Default: false. */
  foreignOrigin?: boolean | undefined;
}

// --- backends and consoles -------------------------------------------------------------------------------------------

/** One hypervisor's management API, with the credentials for it. Nothing is asked of it before the first call. */
declare abstract class Backend {
  /**
   * Opens a console: asks the hypervisor for a ticket. For operators and portals with a relay of their own; it holds secrets.
   *
   * `machine` is `"qemu/101"`, `"lxc/200"`, `"pve2/qemu/101"` with its node, or `"101"`.
   */
  open(machine: string, options?: OpenOptions): Promise<Console>;
}
export type { Backend };

export class Proxmox extends Backend {
  constructor(options: ProxmoxOptions);
  /**
   * Takes over the address and the log-in of an engine of the package `proxmox-api`; `options` are added to them, and come first.
   * What it trusts is the whole process's or its `fetch`'s own, so a certificate that is no public one needs `fingerprint` or
   * `caFile` here.
   */
  static fromProxmoxApi(engine: object, options?: ProxmoxOptions): Proxmox;
  /** The same for a `Client` of the package `pve-client`: written against its published interface, tested with a double of it. */
  static fromPveClient(client: object, options?: ProxmoxOptions): Proxmox;
}

export class Vnc extends Backend {
  constructor(options: VncOptions);
}

/** An open console: where to connect, with what, and until when. Secrets are read by their names, and never printed. */
export class Console {
  private constructor();
  /** The machine, with the type and node that the backend found: `"pve1/qemu/101"`. */
  readonly machine: string;
  readonly kind: Kind;
  /** The address to dial, `"192.0.2.1:8006"`: the one that issued the ticket. None behind a Unix socket. */
  readonly address: string | undefined;
  /** When the ticket ends: the connection must stand by then, and may outlive it. */
  readonly expiresAt: Date;
  /** The websocket, with the ticket in it: a secret, ready to use. None for a plain RFB server. */
  readonly websocketUrl: string | undefined;
  /** The headers that the websocket's request needs: a secret, for they are the account's own login. */
  readonly headers: Record<string, string>;
  /** The VNC password: a secret. */
  readonly password: string | undefined;
  /** The link of a noVNC page that opens this console, for an operator: a secret. */
  novncUrl(page: string, options?: PageOptions): string;
  /** What `RFB()` of `@novnc/novnc` and react-vnc take. */
  rfbParameters(): RfbParameters;
  toJSON(): { machine: string; kind: Kind; address: string | undefined; expiresAt: Date };
}

/** A websocket and its password, for a page of one's own. Neither is printed. */
export interface RfbParameters {
  readonly url: string;
  readonly password: string | undefined;
}

/** The websocket of a console at a SmartX CloudTower cluster, from the answer to its `vnc` query. */
export function cloudtowerDirect(answer: { clusterIp: string; vmUuid: string; hostIp: string; rawToken: string }): string;

/** The websocket of a console through CloudTower itself. */
export function cloudtowerVia(answer: { cloudtower: string; vmUuid: string; hostIp: string; token: string }): string;

// --- passes, issuers and relays --------------------------------------------------------------------------------------

/** What a portal hands to one browser: it opens one console, once, soon. It holds no secret of a hypervisor. */
export class Pass {
  private constructor();
  /** The websocket for a page that knows only a URL: `wss://…/ws?pass=…`. */
  readonly url: string;
  /** The page with the viewer: `https://…/#pass=…`. */
  readonly viewerUrl: string;
  /** The sub-protocol to offer in place of a pass in the URL, beside `binary` or `consolepass.1`. */
  readonly subProtocol: string;
  /** The public name of this console, in logs and events; safe to show. */
  readonly reference: string;
  readonly expiresAt: Date;
  /** The link of somebody's noVNC page that opens this pass's console. The relay has to allow the page's origin. */
  novncUrl(page: string, options?: PageOptions): string;
  /** What `RFB()` of `@novnc/novnc` and react-vnc take. */
  rfbParameters(): RfbParameters;
  toJSON(): { reference: string; expiresAt: Date };
}

/** Makes signed passes for a relay that runs elsewhere. */
export class Issuer {
  constructor(options: IssuerOptions);
  issue(backend: string, machine: string, options?: PassOptions): Promise<Pass>;
}

/** Something that happened to one console. */
export interface ConsoleEvent {
  readonly at: Date;
  /** The console's public name; none if no pass named one. */
  readonly reference?: string;
  /** Whose console it is, if there was a good pass. */
  readonly backend?: string;
  readonly machine?: string;
  readonly user?: string;
}

/** A browser's pass was taken. */
export interface TakenEvent extends ConsoleEvent {
  readonly type: "taken";
}

/** The browser has the screen. */
export interface ConnectedEvent extends ConsoleEvent {
  readonly type: "connected";
}

/** The console ended, or never began. */
export interface EndedEvent extends ConsoleEvent {
  readonly type: "ended";
  /** Why, as the browser was told. */
  readonly code: Code;
  /** Why, in words that may name hosts and nodes. */
  readonly message: string;
}

/** So many events were not told, because the program was busy for too long. */
export interface LostEvents {
  readonly count: number;
}

export interface RelayEvents {
  taken: [TakenEvent];
  connected: [ConnectedEvent];
  ended: [EndedEvent];
  lost: [LostEvents];
}

/** Issues passes, and serves the browsers that bring them: on a port of its own, or on the portal's server. */
export class Relay extends EventEmitter<RelayEvents> {
  constructor(options: RelayOptions);
  readonly publicUrl: string;
  /** Where it listens, from `start` to `stop`; undefined before and after, and where the portal's own server listens for it. */
  readonly address: string | undefined;
  /** How many consoles are open. */
  readonly sessionCount: number;
  /** Listens on a port of its own, in plain HTTP; resolves to the address. It keeps the process alive until `stop`, as a server does. */
  start(): Promise<string>;
  /** Issues a pass. The portal has checked before that the machine is the user's. */
  issue(backend: string, machine: string, options?: PassOptions): Promise<Pass>;
  /**
   * Ends a console, and makes its pass useless if it was not used. Resolves to whether there was one; an unused signed pass is
   * made useless as well, but cannot be found.
   */
  revoke(pass: Pass | string, options?: CallOptions): Promise<boolean>;
  /**
   * Stops for good: every browser hears why its console ends. Resolves when they have, and all events were told. From this call
   * on `issue` and `start` are refused as `closed`, even if nobody waits for the end any more.
   */
  stop(options?: CallOptions): Promise<void>;
  /**
   * Serves an upgrade of a server of the portal's own, with whatever `start` would allow: `server.on("upgrade", …)`. The path it
   * is mounted under does not matter; a plain socket is not Node's any more.
   *
   * The portal may have waited for something before. Then it has said `socket.on("error", () => {})` before it waited: Node takes
   * its own listener off at `upgrade`, and a browser that resets meanwhile would end the process. From this call on that is the
   * relay's; a socket that is gone by then is no error.
   */
  handleUpgrade(req: IncomingMessage, socket: Duplex, head?: Uint8Array): void;
  /** Answers a request for the viewer. */
  handleRequest(req: IncomingMessage, res: ServerResponse): void;
  /** Has a started relay keep the process alive, which is the default. */
  ref(): this;
  /** Lets the process end in spite of a started relay. */
  unref(): this;
  /** `stop`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
  toJSON(): { publicUrl: string; address: string | undefined; sessionCount: number };
}

// --- log lines -------------------------------------------------------------------------------------------------------

export type Level = "error" | "warn" | "info" | "debug" | "trace";

/** One line that the library logs. No secret is ever part of it. */
export interface LogLine {
  readonly at: Date;
  readonly level: Level;
  /** The part of the library that wrote it. */
  readonly target: string;
  readonly message: string;
  /** The rest, by name: `reference`, `backend`, `code`. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface Log extends EventEmitter<{ log: [LogLine] }> {
  /** The lines that are told, up to this level. Default: info. */
  level: Level;
}

/** Emits `log` for each line. While nobody listens, warnings and errors are shown as Node shows its own. */
export const log: Log;
