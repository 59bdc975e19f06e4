// Where the relay's websocket is, seen from this page.

/**
 * The relay's websocket, whatever path prefix the portal has given it: beside the page, or below the address that the page
 * was given. It carries nothing else of either address.
 */
export function websocketUrl(page: string, relay?: string): string {
  const url = new URL("ws", relay === undefined ? page : `${relay.replace(/[/]+$/, "")}/`);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** The relay's address in a page that a portal serves by itself; `consolepass viewer export --relay` writes it there. */
export function relayAddress(): string | undefined {
  return document.querySelector<HTMLMetaElement>('meta[name="consolepass-relay"]')?.content;
}
