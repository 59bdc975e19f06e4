// What must hold when a person opens the link: looked at one by one, in a real browser.

import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { openBrowser } from "../browser.mjs";
import { until } from "./child.mjs";
import { FIRST_ROW, textOf } from "./text_screen.mjs";

const PICTURE = fileURLToPath(new URL("../../../target/demo.png", import.meta.url));
const WORD = "consolepass";

/** Runs every check, prints a line for each, and returns whether all hold. */
export async function runChecks(guest, demo) {
  const outcomes = [];
  const check = async (what, body) => {
    try {
      await body();
      outcomes.push(true);
      console.log(`ok      ${what}`);
    } catch (error) {
      outcomes.push(false);
      console.log(`FAILED  ${what}\n        ${error.message.split("\n").join("\n        ")}`);
    }
  };
  const records = [];
  const browser = await openBrowser();
  try {
    const { page, record } = await browser.newPage();
    records.push(record);
    await check("the link opens the viewer, and the viewer connects", async () => {
      await page.goto(demo.viewerUrl);
      await page.waitForSelector('#state[data-state="connected"]', { timeout: 30_000 });
    });
    await check("the pass is gone from the address", () => {
      if (page.url().includes("pass=")) throw new Error(`the address is ${page.url()}`);
    });
    await check("the picture in the browser is the guest's, pixel for pixel", () => samePicture(page, guest));
    await check("a word typed in the browser reaches the guest's serial port", async () => {
      await page.keyboard.type(WORD, { delay: 20 });
      await until(`the serial port says ${WORD}`, async () => (await guest.serial()).includes(WORD));
    });
    await check("the word is on the guest's screen, and in the browser", async () => {
      let seen = "";
      const reads = async () => {
        const picture = await canvas(page);
        seen = picture === undefined ? "nothing" : textOf(picture, FIRST_ROW, 0, WORD.length);
        return seen === WORD;
      };
      await until(`the browser's picture says ${WORD}`, reads).catch((error) => {
        throw new Error(`${error.message} (it says ${seen})`);
      });
      await samePicture(page, guest);
    });
    await mkdir(fileURLToPath(new URL("../../../target", import.meta.url)), { recursive: true });
    await page.screenshot({ path: PICTURE });

    const second = await openBrowser();
    try {
      const { page, record } = await second.newPage();
      records.push(record);
      await check("a second browser with the same link is refused in words", async () => {
        await page.goto(demo.viewerUrl);
        const state = await page.waitForSelector('#state[data-state="refused"]', { timeout: 30_000 });
        const [code, words] = [await state.getAttribute("data-code"), await state.innerText()];
        if (code !== "pass_used" || !/already used/i.test(words)) throw new Error(`it says ${code}: ${words}`);
      });
      await record.settle();
    } finally {
      await second.close();
    }
    await check("the first browser's console is still alive", async () => {
      await page.keyboard.type("z");
      await until("the serial port says z", async () => (await guest.serial()).endsWith("z"));
    });
    await check("no page broke its content security policy", () => {
      const violations = records.flatMap((record) => record.violations);
      if (violations.length > 0) throw new Error(violations.join("\n"));
    });
    await record.settle();
  } finally {
    await browser.close();
  }
  await demo.stop();
  await check("no browser was sent a secret, and no log line says one", async () => {
    const secrets = await demo.secrets();
    if (secrets.length < 4) throw new Error(`only ${secrets.length} secrets were in play: nothing is proved`);
    const missed = records.flatMap((record) => record.missed);
    if (missed.length > 0) throw new Error(`not everything was recorded: ${missed.join(", ")}`);
    const leaks = secrets.flatMap((secret) => leaksOf(secret, records, demo.log));
    if (leaks.length > 0) throw new Error(leaks.join("\n"));
  });
  console.log(`picture: ${PICTURE}`);
  const failed = outcomes.filter((held) => !held).length;
  console.log(`${outcomes.length - failed} passed, ${failed} failed`);
  return failed === 0;
}

/** A secret may travel as it is, encoded for a URL once or twice, or in base64 at any of its three alignments. */
function leaksOf(secret, records, log) {
  const once = encodeURIComponent(secret);
  const forms = [secret, once, encodeURIComponent(once), JSON.stringify(secret).slice(1, -1)];
  for (let skip = 0; skip < 3; skip++) {
    const inner = Buffer.concat([Buffer.alloc(skip), Buffer.from(secret)]).toString("base64");
    // The characters at both ends depend on what stands around the secret.
    forms.push(inner.slice(skip === 0 ? 0 : 4, Math.floor((skip + secret.length) / 3) * 4));
  }
  const shown = `${secret.slice(0, 3)}… (${secret.length} characters)`;
  return [...new Set(forms)].filter((form) => form.length >= 8).flatMap((form) => [
    ...records.flatMap((record) => record.whereReceived(form)).map((place) => `${shown} in ${place}`),
    ...(log.includes(form) ? [`${shown} in the log`] : []),
  ]);
}

/** The browser's canvas: width, height and RGB bytes, if there is a picture. */
async function canvas(page) {
  const picture = await page.evaluate(() => {
    const canvas = document.querySelector("#screen canvas");
    if (canvas === null || canvas.width === 0) return undefined;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let text = "";
    for (let at = 0; at < data.length; at += 4) text += String.fromCharCode(data[at], data[at + 1], data[at + 2]);
    return { width: canvas.width, height: canvas.height, data: btoa(text) };
  });
  return picture && { width: picture.width, height: picture.height, rgb: Buffer.from(picture.data, "base64") };
}

/** Waits until the browser shows what QEMU shows. A blinking cursor may differ for a moment. */
async function samePicture(page, guest) {
  let difference = "no picture yet";
  await until("the pictures are the same", async () => {
    const [theirs, ours] = [await guest.picture(), await canvas(page)];
    if (ours === undefined) return false;
    const { rgb } = ours;
    const colours = new Set();
    for (let at = 0; at < rgb.length; at += 3) colours.add(rgb.readUIntBE(at, 3));
    let differing = 0;
    for (let at = 0; at < rgb.length; at += 3) {
      if (rgb.compare(theirs.rgb, at, at + 3, at, at + 3) !== 0) differing += 1;
    }
    difference = `${ours.width}x${ours.height} and ${theirs.width}x${theirs.height}, ${differing} pixels differ, ${colours.size} colours`;
    return ours.width === theirs.width && ours.height === theirs.height && differing === 0 && colours.size > 1;
  }).catch((error) => {
    throw new Error(`${error.message} (${difference})`);
  });
}
