// The part of noVNC 1.7 that this page uses, after its docs/API.md. The package carries no types of its own.

declare module "@novnc/novnc" {
  interface RfbEvents {
    connect: CustomEvent<Record<string, never>>;
    disconnect: CustomEvent<{ clean: boolean }>;
    credentialsrequired: CustomEvent<{ types: string[] }>;
    securityfailure: CustomEvent<{ status: number; reason?: string }>;
  }

  /** What the constructor accepts in place of an address; it checks these names. */
  interface RawChannel {
    binaryType: BinaryType;
    readonly protocol: string;
    readonly readyState: number | string;
    onopen: ((event: Event) => void) | null;
    onmessage: ((event: MessageEvent) => void) | null;
    onclose: ((event: CloseEvent) => void) | null;
    onerror: ((event: Event) => void) | null;
    send(data: BufferSource): void;
    close(): void;
  }

  export default class RFB {
    constructor(target: Element, channel: RawChannel, options?: { shared?: boolean });
    background: string;
    scaleViewport: boolean;
    showDotCursor: boolean;
    addEventListener<Name extends keyof RfbEvents>(name: Name, listener: (event: RfbEvents[Name]) => void): void;
    clipboardPasteFrom(text: string): void;
    disconnect(): void;
    focus(options?: FocusOptions): void;
    sendCtrlAltDel(): void;
    /** `code` null: the key is named by its keysym alone. */
    sendKey(keysym: number, code: string | null, down?: boolean): void;
  }
}
