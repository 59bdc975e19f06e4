// The viewer in a real browser while there is a console: picture, keys, buttons and warnings.

import assert from "node:assert/strict";
import { test } from "node:test";
import { colourAt, HEIGHT, rectangle, WIDTH } from "./rfb_screen.mjs";
import { connected, inState, picture, withViewer } from "./viewer_harness.mjs";

const SHIFT = 0xffe1;
const CONTROL = 0xffe3;
const ALT = 0xffe9;
const DELETE = 0xffff;

/** The pixels of the canvas, once the first one has been painted. */
async function pixels(page) {
  const handle = await page.waitForFunction(() => {
    const canvas = document.querySelector("#screen canvas");
    if (!canvas?.width) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const painted = data.some((value, index) => index % 4 !== 3 && value !== 0);
    return painted && { width: canvas.width, height: canvas.height, data: [...data] };
  });
  return handle.jsonValue();
}

test("every pixel of the machine's screen arrives, scaled to the window", async () => {
  await withViewer({}, async ({ relay, page }) => {
    await connected(page, relay);

    const { width, height, data } = await pixels(page);

    assert.deepEqual([width, height], [WIDTH, HEIGHT]);
    for (let y = 0; y < HEIGHT; y += 1) {
      for (let x = 0; x < WIDTH; x += 1) {
        const at = (y * WIDTH + x) * 4;
        assert.deepEqual(data.slice(at, at + 3), colourAt(x, y), `pixel ${x},${y}`);
      }
    }
    const shown = await page.locator("#screen canvas").boundingBox();
    assert.ok(shown.height > 600, `the canvas is ${shown.height} high in a window of 700`);
    await picture(page, "connected");
  });
});

test("on a telephone every button is there, beside the state and inside the window", async () => {
  await withViewer({}, async ({ relay, page }) => {
    await connected(page, relay);
    for (const width of [375, 320]) {
      await page.setViewportSize({ width, height: 640 });

      const words = await page.evaluate(() => {
        const range = document.createRange();
        range.selectNodeContents(document.querySelector("#headline"));
        return range.getBoundingClientRect().right;
      });
      const boxes = await page.locator("#toolbar button").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()));

      assert.equal(boxes.length, 3);
      assert.ok(boxes[0].left >= words, `at ${width} the first button is at ${boxes[0].left}, the words end at ${words}`);
      assert.ok(boxes.at(-1).right <= width, `at ${width} the last button ends at ${boxes.at(-1).right}`);
    }
    await picture(page, "telephone");
  });
});

test("JPEG pictures and the machine's own pointer pass the content security policy", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const { websocket } = await connected(page, relay);
    await pixels(page);
    const jpeg = await page.evaluate(([width, height]) => {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d");
      context.fillStyle = "rgb(255, 0, 0)";
      context.fillRect(0, 0, width, height);
      return canvas.toDataURL("image/jpeg").split(",")[1];
    }, [WIDTH, HEIGHT]);
    const bytes = Buffer.from(jpeg, "base64");

    // Tight's JPEG: 0x90, and the length in groups of seven bits (the RFB community specification, "Tight Encoding").
    const length = [(bytes.length & 0x7f) | 0x80, ((bytes.length >> 7) & 0x7f) | 0x80, bytes.length >> 14];
    const tight = Buffer.concat([Buffer.from([0x90, ...length]), bytes]);
    websocket.send(rectangle({ width: WIDTH, height: HEIGHT, encoding: 7 }, tight));
    // The Cursor pseudo-encoding: 16 by 16 white pixels, and a mask with all of them in it.
    const cursor = Buffer.alloc(16 * 16 * 4 + 2 * 16, 0xff);
    websocket.send(rectangle({ width: 16, height: 16, encoding: -239 }, cursor));

    await page.waitForFunction(() => {
      const canvas = document.querySelector("#screen canvas");
      const [red, green, blue] = canvas.getContext("2d").getImageData(20, 20, 1, 1).data;
      return red > 250 && green < 5 && blue < 5 && canvas.style.cursor.startsWith('url("data:image/png');
    });
  });
});

test("typed keys reach the machine without a click first", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const { screen } = await connected(page, relay);

    await page.keyboard.type("ls -l");
    await page.keyboard.press("Enter");

    await screen.until(({ keys }) => keys.filter(({ down }) => !down).length === 6);
    assert.equal(screen.typed, "ls -l");
    assert.deepEqual(screen.keys.at(-1), { keysym: 0xff0d, down: false });
  });
});

test("the button sends Ctrl+Alt+Del and gives the keyboard back to the machine", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const { screen } = await connected(page, relay);

    await page.click("#ctrl-alt-del");
    await page.keyboard.press("x");

    await screen.until(({ keys }) => keys.length === 8);
    const pressed = screen.keys.filter(({ down }) => down).map(({ keysym }) => keysym);
    assert.deepEqual(pressed, [CONTROL, ALT, DELETE, 0x78]);
  });
});

test("pasted text is typed, with Shift where a keyboard needs it", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const { screen } = await connected(page, relay);

    await page.click("#open-paste");
    await page.fill("#paste-text", "aB!\n");
    await picture(page, "paste");
    await page.click("#paste-type");

    const wanted = [0x61, SHIFT, 0x42, SHIFT, 0x21, 0xff0d];
    await screen.until(({ keys }) => keys.length === 2 * wanted.length);
    assert.deepEqual(screen.keys.filter(({ down }) => down).map(({ keysym }) => keysym), wanted);
    assert.equal(await page.inputValue("#paste-text"), "");
  });
});

test("typing a long text can be stopped", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const { screen } = await connected(page, relay);
    await page.click("#open-paste");
    await page.fill("#paste-text", "x".repeat(2000));
    await page.click("#paste-type");
    await screen.until(({ keys }) => keys.length > 2);

    await page.click("text=Stop typing");

    await page.waitForSelector("#open-paste:text('Paste…')");
    // What is typed now comes behind the last of the x.
    await page.keyboard.press("y");
    await screen.until(({ keys }) => keys.at(-1).keysym === 0x79 && !keys.at(-1).down);
    assert.match(screen.typed, /^x{1,1999}y$/);
  });
});

test("full screen is entered and left, and the keyboard stays with the machine", async () => {
  await withViewer({}, async ({ relay, page }) => {
    await connected(page, relay);

    await page.click("#full-screen");
    await page.waitForSelector("text=Leave full screen");
    assert.equal(await page.evaluate(() => document.fullscreenElement?.localName), "html");

    await page.click("#full-screen");
    await page.waitForSelector("#full-screen:text-is('Full screen')");
    await page.waitForFunction(() => document.activeElement.localName === "canvas");
  });
});

test("pasted text goes to the machine's clipboard when asked", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const { screen } = await connected(page, relay);

    await page.click("#open-paste");
    await page.fill("#paste-text", "héllo");
    await page.click("#paste-clipboard");

    await screen.until(({ clipboard }) => clipboard.length === 1);
    assert.deepEqual(screen.clipboard, ["héllo"]);
    assert.deepEqual(screen.keys, []);
  });
});

test("the toolbar is reached and left with the keyboard, and no key stays down", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const { screen } = await connected(page, relay);
    const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.localName);

    for (const key of ["Control", "Alt", "Shift"]) await page.keyboard.down(key);
    assert.equal(await focused(), "canvas");
    for (const key of ["Control", "Alt", "Shift"]) await page.keyboard.up(key);

    assert.equal(await focused(), "ctrl-alt-del");
    await screen.until(({ keys }) => keys.length === 6);
    assert.deepEqual(screen.keys.slice(3).map(({ down }) => down), [false, false, false]);
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "open-paste");
    await page.keyboard.press("Enter");
    assert.equal(await focused(), "paste-text");
    await page.keyboard.press("Escape");
    // The browser says that a dialog has closed a moment after it has.
    await page.waitForFunction(() => document.activeElement.localName === "canvas");
  });
});

test("a warning offers to stay, and the relay hears it", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const session = await connected(page, relay);

    session.warn("idle", 60);
    await page.waitForSelector("#warning:has-text('60 seconds')");
    await picture(page, "warning");
    await page.click("text=Stay connected");

    await session.screen.until(() => session.control.length === 1);
    assert.deepEqual(session.control.map((text) => JSON.parse(text)), [{ type: "stay" }]);
    await page.waitForSelector("#warning", { state: "hidden" });
  });
});

test("using the machine answers the warning as well", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const session = await connected(page, relay);
    session.warn("idle", 60);
    await page.waitForSelector("#warning:visible");

    await page.keyboard.press("a");

    await session.screen.until(() => session.control.length === 1);
    await page.waitForSelector("#warning", { state: "hidden" });
    await session.screen.until(({ typed }) => typed === "a");
  });
});

test("a warning that nobody can do anything about has no button", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const session = await connected(page, relay);

    session.warn("time_limit", 30);

    await page.waitForSelector("#warning:has-text('30 seconds')");
    assert.equal(await page.isVisible("#stay"), false);
  });
});

test("messages that the page does not know are passed over", async () => {
  await withViewer({}, async ({ relay, page }) => {
    const session = await connected(page, relay);

    for (const text of ["{", "[]", '{"type":"later"}', '{"type":"step","step":"fly"}']) session.websocket.send(text);
    session.warn("idle", 5);

    await page.waitForSelector("#warning:visible");
    await inState(page, "connected");
  });
});
