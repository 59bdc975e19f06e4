// Where the relay's websocket is, seen from this page.

/** The websocket beside the page, whatever path prefix the portal has given both. The address carries nothing else. */
export function websocketUrl(page: string): string {
  const url = new URL("ws", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
