// Drives the playground in a real browser and writes down what it saw: drive.mjs SITE SETTINGS, JSON on standard output.
//
// SETTINGS: {playwright: its module, chromium: its program, stop: address that stops the server, pictures: folder or "",
// pages: {name: program}}

import { pathToFileURL } from "node:url";

const [site, settings] = [process.argv[2], JSON.parse(process.argv[3])];
const { chromium } = (await import(pathToFileURL(settings.playwright))).default;
const seen = { console: [], foreign: [] };
const browser = await chromium.launch({
  executablePath: settings.chromium,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update"],
});

async function open(address, options = {}) {
  const context = await browser.newContext({ locale: "en-US", viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  page.on("console", (m) => m.type() === "error" && seen.console.push(m.text()));
  page.on("pageerror", (e) => seen.console.push(String(e)));
  page.on("request", (r) => /^https?:/.test(r.url()) && !r.url().startsWith(site) && seen.foreign.push(r.url()));
  await page.goto(address);
  return page;
}

async function idle(page) {
  await page.waitForFunction(() => ["ready", "broken"].includes(document.body.dataset.state), null, { timeout: 180_000 });
  if (await page.evaluate(() => document.body.dataset.state) === "broken") throw new Error(await page.locator("#status").innerText());
}

const output = (page) => page.locator("#output").innerText();
const write = (page, code) => page.locator("#program").fill(code);

async function run(page, code) {
  if (code !== undefined) await write(page, code);
  const runs = await page.evaluate(() => document.body.dataset.runs);
  await page.click("#run");
  await page.waitForFunction((before) => document.body.dataset.runs !== before, runs, { timeout: 60_000 });
  return {
    output: await output(page), status: await page.locator("#status").innerText(),
    pictures: await page.locator("#output img").count(), graph: await page.locator("#viewer").isVisible(),
  };
}

async function picture(page, name, drawn = true) {
  if (!settings.pictures) return;
  if (drawn) await frame(page);
  await page.waitForTimeout(1000);
  await page.screenshot({ path: `${settings.pictures}/${name}.png` });
}

/** What the viewer beside the program shows, once it shows it. */
async function frame(page) {
  const inside = page.frames().find((f) => f !== page.mainFrame());
  await inside.locator("#app svg").first().waitFor({ timeout: 120_000 });
  const data = JSON.parse(await inside.locator("#graph").textContent());
  return { ops: data.nodes.map((n) => n.op).filter(Boolean), lang: data.lang,
    drawn: await inside.locator("#app svg").first().textContent() };
}

/** What is there before and without Python. */
async function pageAlone() {
  const page = await open(site);
  const alone = { title: await page.title(), first: await page.locator("#program").inputValue() };
  alone.examples = await page.locator("#examples option").allInnerTexts();
  alone.coloured = await page.locator("#editor pre .keyword").first().innerText();
  await page.locator("#program").fill("");
  await page.locator("#program").pressSequentially("def f(x):\nreturn x");
  alone.indented = await page.locator("#program").inputValue();
  alone.same = (await page.locator("#editor pre > span").allInnerTexts()).join("\n").trimEnd();
  await page.keyboard.press("Tab");
  alone.tabbed = await page.locator("#program").inputValue();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  alone.left = await page.evaluate(() => document.activeElement.id || document.activeElement.tagName);
  await page.locator("#program").fill("print('こんにちは </textarea><script>alert(1)</script>')");
  await page.click("#share");
  await page.waitForFunction(() => location.hash.startsWith("#code="));
  alone.link = page.url();
  const other = await open(alone.link);
  await other.waitForFunction(() => (document.querySelector("#program")?.value ?? "") !== "");
  alone.shared = await other.locator("#program").inputValue();
  alone.ranUnasked = await output(other);
  await other.context().close();
  alone.links = await page.evaluate(async (modules) => {
    const { encode, decode } = await import(modules);
    const long = Array.from({ length: 60_000 }, (_, i) => `x${(i * 7919) % 100_003} = ${(i * i) % 1_000_003}`).join("\n").slice(0, 700_000);
    const bomb = await encode("a".repeat(2_000_000));
    return { long: (await decode(await encode(long))) === long, empty: await decode(await encode("")), none: await decode("#p1"),
      bomb: await decode(bomb).then(() => "read", (error) => error.name) };
  }, site + "share.js");
  const broken = await open(site + "#code=AAAA");
  await broken.waitForFunction(() => (document.querySelector("#program")?.value ?? "") !== "");
  alone.broken = await output(broken);
  await broken.context().close();
  alone.without = await withoutPython();
  await page.click("#language");
  alone.japanese = [await page.locator("#stop").innerText(), await page.locator("html").getAttribute("lang"),
    await page.locator("#examples option").nth(1).innerText(), await page.locator("#program").getAttribute("aria-label")];
  alone.unnamed = await page.evaluate(() => [...document.querySelectorAll("button, select, textarea, iframe, [role]")]
    .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.title || e.labels?.length || e.id === "status"))
    .map((e) => e.id || e.tagName));
  alone.narrow = await narrow(page);
  await page.context().close();
  return alone;
}

/** Where Pyodide cannot be had, the page says so; and it tries again. */
async function withoutPython() {
  const quiet = [...seen.console];
  const page = await open("about:blank", { serviceWorkers: "block" });
  let missing = true;
  await page.context().route(/pyodide\.mjs$/, (route) => (missing ? route.abort() : route.continue()));
  await page.goto(site);
  await page.waitForFunction(() => document.body.dataset.state === "broken");
  const found = { status: await page.locator("#status").innerText(), button: await page.locator("#run").innerText() };
  missing = false;
  await page.click("#run");
  found.then = await page.evaluate(() => document.body.dataset.state);
  await page.context().close();
  seen.console = quiet; // the failed request is what this is about
  return found;
}

/** A telephone: nothing is wider than the screen, and everything can be reached by scrolling. */
async function narrow(page) {
  await page.setViewportSize({ width: 380, height: 700 });
  const found = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth,
    hidden: ["run", "stop", "program", "output", "examples", "language"].filter((id) => {
      const box = document.getElementById(id).getBoundingClientRect();
      return box.width < 20 || box.height < 20 || box.left < 0 || box.right > 380;
    }) }));
  await picture(page, "playground-narrow", false);
  return found;
}

/** Programs that run in the page. */
async function programs() {
  const page = await open(site + "#p2");
  await page.waitForSelector("#program");
  await page.evaluate(() => {
    window.said = [];
    const note = () => window.said.push([document.querySelector("#status").textContent, document.querySelector("#progress").value]);
    new MutationObserver(note).observe(document.querySelector("#status"), { childList: true, characterData: true, subtree: true });
  });
  const seen = { examples: {}, linked: await page.locator("#examples").inputValue() };
  await idle(page);
  seen.loading = await page.evaluate(() => window.said);
  for (const id of ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"]) {
    await page.selectOption("#examples", id);
    seen.examples[id] = await run(page);
    if (id === "p1") seen.graph = await frame(page);
    if (id === "p5") await picture(page, "playground");
  }
  seen.pages = {};
  for (const [name, text] of Object.entries(settings.pages)) {
    const japanese = await page.locator("html").getAttribute("lang") === "ja";
    if (japanese !== name.startsWith("ja ")) await page.click("#language");
    seen.pages[name] = await run(page, text);
  }
  if (await page.locator("html").getAttribute("lang") === "ja") await page.click("#language");
  seen.error = await run(page, "import torch\nx = torch.ones(2, requires_grad=True)\n\n(x * 2).backward()\n");
  seen.marked = await page.locator("#editor pre > span.wrong").allInnerTexts();
  seen.hostile = await run(page, "print('<img src=x onerror=\"document.title=1\"><script>document.title=2</script>')\n" +
    "import torch\nclass Evil:\n    def _repr_mimebundle_(self): return {'image/svg+xml': " +
    "'<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><script>parent.document.title=3</script></svg>'}\n" +
    "w = torch.tensor(1., requires_grad=True)\n(w * 2).backward()\nEvil()");
  seen.titleAfter = await page.title();
  seen.nothing = await run(page, "pass");
  seen.exit = await run(page, "raise SystemExit(0)");
  seen.asked = await run(page, "input()");
  await write(page, "i = 0\nwhile True:\n    print(i)\n    i += 1\n");
  await page.click("#run");
  await page.waitForTimeout(1500);
  const begun = Date.now();
  await page.click("#stop");
  seen.stopping = [Date.now() - begun, await output(page)].map((v) => (typeof v === "string" ? v.slice(-60) : v));
  await idle(page);
  seen.again = [Date.now() - begun, (await run(page, "print(6 * 7)")).output];
  await page.click("#language");
  await page.selectOption("#examples", "p5");
  seen.japanese = await run(page);
  seen.japaneseGraph = await frame(page);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "playground-dark");
  seen.japaneseError = await run(page, "import torch\ntorch.ones(2, requires_grad=True).backward()\n");
  return [page, seen];
}

/** The page with its server gone. */
async function offline(page) {
  await fetch(settings.stop).catch(() => {});
  await page.reload();
  await idle(page);
  const result = await run(page, "import torch\nprint(torch.tensor(1.) + 1)");
  return { ...result, again: (await run(page, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")).pictures };
}

seen.alone = await pageAlone();
if (settings.pyodide) {
  const [page, found] = await programs();
  seen.programs = found;
  seen.offline = await offline(page);
}
await browser.close();
console.log(JSON.stringify(seen));
