// Opens a page in a real browser and says what it sees, a line of JSON for each line it is given: the address of a page,
// or a text to wait for in the page that is open.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const settings = JSON.parse(process.argv[2]);
const { chromium } = (await import(pathToFileURL(settings.playwright))).default;
const browser = await chromium.launch({
  executablePath: settings.chromium,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update"],
});
const page = await (await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 } })).newPage();
let complaints = [];
let asked = [];
page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
page.on("pageerror", (e) => complaints.push(String(e)));
page.on("dialog", (d) => { complaints.push("dialog: " + d.message()); d.dismiss(); });
page.on("request", (r) => asked.push(r.url()));

const graph = () => (page.frames()[1] ?? page).locator("#app svg.graph").first();

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const isAddress = /^(http|file):/.test(line);
    if (isAddress) {
      [complaints, asked] = [[], []];
      await page.goto(line);
    }
    const wanted = isAddress ? "" : line;
    await graph().waitFor({ timeout: 20_000 });
    const until = Date.now() + 20_000;
    while (!(await graph().textContent()).includes(wanted) && Date.now() < until) await page.waitForTimeout(50);
    const inside = page.frames()[1] ?? page;
    const reach = inside === page ? null : await inside.evaluate(() => {
      try { return String(parent.document.title); } catch (e) { return e.name; }
    });
    console.log(JSON.stringify({ url: page.url(), title: await page.title(), text: await graph().textContent(), complaints,
      asked, reach, cookie: await inside.evaluate(() => { try { return document.cookie; } catch (e) { return e.name; } }) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error), complaints }));
  }
}
await browser.close();
