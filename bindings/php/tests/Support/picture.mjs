// Opens a page in Chromium, as a customer's click does, and prints how many colours its screen shows once it is connected.
//
//     node picture.mjs URL

import { openBrowser } from "../../../../tests/e2e/browser.mjs";

const PATIENCE = { timeout: 25_000 };
const browser = await openBrowser();
try {
  const { page } = await browser.newPage();
  await page.goto(process.argv[2]);
  await page.waitForSelector('#state[data-state="connected"]', PATIENCE);
  // The first picture comes a moment after the connection.
  const colours = await page.waitForFunction(
    () => {
      const canvas = document.querySelector("#screen canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const count = new Set(new Uint32Array(data.buffer)).size;
      return count > 1 && count;
    },
    undefined,
    PATIENCE,
  );
  console.log(`${await colours.jsonValue()} colours`);
} finally {
  await browser.close();
}
