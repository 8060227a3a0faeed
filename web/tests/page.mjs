// Uses the built page as a reader does, in a real browser, and prints what it found as JSON (see test_page.py).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const settings = JSON.parse(process.argv[2]); // playwright, chromium, folder (of pages), shots (a folder, or none)
const { chromium } = (await import(pathToFileURL(settings.playwright))).default;
const browser = await chromium.launch({
  executablePath: settings.chromium,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update"],
});

const complaints = [];

async function open(name, { hash = "", scheme = "light", width = 1280, height = 800 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale: "en-US", acceptDownloads: true });
  const page = await context.newPage();
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(`${name}: ${m.text()}`));
  page.on("pageerror", (e) => complaints.push(`${name}: ${e}`));
  page.on("dialog", (d) => { complaints.push(`${name}: dialog ${d.message()}`); d.dismiss(); });
  await page.goto(`${pathToFileURL(join(settings.folder, `${name}.html`))}${hash ? `#${hash}` : ""}`);
  await page.waitForSelector("svg.graph .card", { timeout: 60_000 });
  await laidOut(page);
  return page;
}

const laidOut = async (page) => {
  await page.waitForTimeout(60);
  await page.waitForSelector("svg.graph[aria-busy=false]", { timeout: 60_000 });
};
const cards = (page) => page.$$eval(".card", (all) => all.map((c) => c.textContent));
const panel = (page) => page.locator("#tab-panel").innerText();
const button = (page, name) => page.getByRole("button", { name, exact: true });
const titles = (page) => page.$$eval(".card", (all) => all.map((c) => c.querySelector("text")?.textContent ?? ""));
const shot = (page, name) => settings.shots && page.screenshot({ path: join(settings.shots, `${name}.png`) });

/** Cards that overlap, texts that leave their card, and the least contrast of a text with what it stands on. */
const measure = (page) => page.evaluate(() => {
  const all = [...document.querySelectorAll(".card")].map((card) => {
    const rects = [...card.querySelectorAll(":scope > rect")];
    return { card, box: rects[rects.length - 1].getBoundingClientRect(), fill: rects[rects.length - 1].getAttribute("fill") };
  });
  const overlaps = [];
  for (let i = 0; i < all.length; i++) for (let j = 0; j < i; j++) {
    const [a, b] = [all[i].box, all[j].box];
    if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1) overlaps.push([all[i].card.id, all[j].card.id]);
  }
  const outside = [];
  let contrast = 21;
  const light = (hex) => {
    const v = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
  };
  for (const { card, box, fill } of all) for (const text of card.querySelectorAll("text")) {
    const r = text.getBoundingClientRect();
    if (r.left < box.left - 1 || r.right > box.right + 1 || r.top < box.top - 2 || r.bottom > box.bottom + 2) outside.push(text.textContent);
    const [a, b] = [light(text.getAttribute("fill")), light(fill)].sort((x, y) => y - x);
    contrast = Math.min(contrast, (a + 0.05) / (b + 0.05));
  }
  return { overlaps, outside, contrast, engine: document.querySelector("svg.graph").dataset.engine };
});

/** The least contrast of the words outside the picture. */
const contrastOfPage = (page) => page.evaluate(() => {
  const rgb = (css) => (css.match(/[\d.]+/g) ?? []).map(Number);
  const light = (c) => {
    const v = c.slice(0, 3).map((x) => x / 255).map((x) => (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
    return 0.2126 * v[0] + 0.7152 * v[1] + 0.0722 * v[2];
  };
  const worst = [21, ""];
  for (const e of document.querySelectorAll(".bar *, aside *, .notes")) {
    if (e.closest(":disabled, svg") || ![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
    let back = e;
    while (back && rgb(getComputedStyle(back).backgroundColor)[3] === 0) back = back.parentElement;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(rgb(getComputedStyle(back ?? document.body).backgroundColor))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < worst[0]) worst.splice(0, 2, (a + 0.05) / (b + 0.05), e.textContent.slice(0, 40));
  }
  return worst;
});

/** Controls without a name, ids used twice, references to nothing. */
const unnamed = (page) => page.evaluate(() => {
  const bad = [];
  for (const e of document.querySelectorAll("button, input, select, [role=button], [role=tab], [role=dialog], [role=toolbar], img, [role=img]")) {
    const label = e.getAttribute("aria-label") || e.getAttribute("alt") || e.textContent.trim() || e.labels?.[0]?.textContent;
    if (!label) bad.push(e.outerHTML.slice(0, 90));
  }
  for (const attribute of ["aria-activedescendant", "aria-controls", "aria-labelledby", "aria-describedby"]) {
    for (const e of document.querySelectorAll(`[${attribute}]`)) if (!document.getElementById(e.getAttribute(attribute))) bad.push(`${attribute}=${e.getAttribute(attribute)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  return [...bad, ...ids.filter((id, i) => ids.indexOf(id) !== i)];
});

const scenes = {
  async small() {
    const page = await open("p1");
    const seen = { cards: await cards(page), measure: await measure(page), unnamed: await unnamed(page), contrast: await contrastOfPage(page) };
    await page.locator("[data-key=n0]").click();
    seen.selected = await panel(page);
    seen.active = await page.getAttribute("svg.graph", "aria-activedescendant");
    await page.keyboard.press("ArrowDown");
    seen.below = await page.getAttribute("svg.graph", "aria-activedescendant");
    await page.keyboard.press("ArrowDown");
    seen.bottom = await page.getAttribute("svg.graph", "aria-activedescendant");
    await page.getByRole("tab", { name: "Source" }).click();
    seen.line = await page.locator(".line.on .text").innerText();
    return seen;
  },

  async keyboard() {
    const page = await open("p1");
    const order = [];
    for (let i = 0; i < 24; i++) {
      await page.keyboard.press("Tab");
      order.push(await page.evaluate(() => { const e = document.activeElement; return e.getAttribute("aria-label") || e.textContent.trim().slice(0, 20) || e.tagName; }));
    }
    await page.locator("svg.graph").focus();
    const seen = { order };
    await page.keyboard.press("/");
    seen.search = await page.evaluate(() => document.activeElement.type);
    await page.locator("svg.graph").focus();
    for (let i = 0; i < 3; i++) await page.keyboard.press(".");
    seen.place = await page.locator(".place").innerText();
    await page.keyboard.press(",");
    seen.back = await page.locator(".place").innerText();
    const scale = () => page.$eval("svg.graph > g", (g) => Number(/scale\(([\d.]+)/.exec(g.getAttribute("transform"))[1]));
    const before = await scale();
    await page.keyboard.press("+");
    seen.zoomed = (await scale()) / before;
    for (const key of ["l", "t", "t"]) await page.keyboard.press(key);
    await page.waitForTimeout(300);
    seen.lang = await page.getAttribute("html", "lang");
    seen.theme = await page.getAttribute("html", "data-theme");
    await page.keyboard.press("?");
    seen.help = await page.getByRole("dialog").count();
    seen.focused = await page.evaluate(() => document.activeElement.textContent);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Escape");
    seen.closed = await page.getByRole("dialog").count();
    seen.focusedAfter = await page.evaluate(() => document.activeElement.classList.contains("graph"));
    // Keys work wherever the focus is, but a button keeps its own.
    await page.getByRole("tab").first().focus();
    await page.keyboard.press("Home");
    seen.home = await page.locator(".place").innerText();
    await page.keyboard.press(".");
    seen.fromTab = await page.locator(".place").innerText();
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("End");
    seen.fromPage = await page.locator(".place").innerText();
    await page.keyboard.press("/");
    await page.keyboard.type("l.");
    seen.typed = [await page.getAttribute("html", "lang"), await page.locator(".place").innerText()];
    return seen;
  },

  async film() {
    const page = await open("meet");
    const seen = { steps: [] };
    const graph = JSON.parse(await page.textContent("#graph"));
    await page.getByRole("button", { name: "One step", exact: true }).click();
    seen.first = await panel(page);
    seen.hidden = await cards(page);
    for (let i = 1; i < graph.forward.length + graph.backward.length; i++) {
      await page.getByRole("button", { name: "One step", exact: true }).click();
      seen.steps.push(await panel(page));
    }
    await shot(page, "viewer-film");
    seen.end = await cards(page);
    await page.getByRole("button", { name: "To the start" }).click();
    await page.locator("select").selectOption("20");
    await page.getByRole("button", { name: "Play" }).click();
    await page.waitForFunction(() => /backward/.test(document.querySelector(".place").textContent), null, { timeout: 20_000 });
    seen.played = true;
    return seen;
  },

  async quiz() {
    const page = await open("p1");
    await button(page, "Quiz").click();
    await page.getByRole("button", { name: "One step", exact: true }).click();
    const seen = { asked: await panel(page), card: (await cards(page)).find((c) => c.startsWith("mul")) };
    await page.getByLabel("What comes out").fill("7");
    await button(page, "Check").click();
    seen.wrong = await panel(page);
    await page.getByLabel("What comes out").fill("10");
    await button(page, "Check").click();
    seen.right = await panel(page);
    seen.after = (await cards(page)).find((c) => c.startsWith("mul"));
    return seen;
  },

  async modules() {
    const page = await open("net");
    const seen = { first: await titles(page), measure: await measure(page), unnamed: await unnamed(page) };
    await button(page, "Fold all").click();
    await laidOut(page);
    seen.folded = await titles(page);
    await page.locator("[data-key=m0]").dblclick();
    await laidOut(page);
    seen.opened = await titles(page);
    await page.getByRole("searchbox").fill("tanh");
    seen.found = await page.locator(".search [role=status]").innerText();
    await page.keyboard.press("Enter");
    await laidOut(page);
    seen.revealed = await titles(page);
    seen.panel = await panel(page);
    await page.waitForTimeout(300);
    await shot(page, "viewer-graph");
    seen.hash = await page.evaluate(() => location.hash);
    const copy = await open("net", { hash: seen.hash.slice(1) });
    const place = (p) => p.$eval("svg.graph > g", (g) => g.getAttribute("transform").match(/-?[\d.]+/g).map(Number));
    seen.restored = [await titles(copy), await panel(copy), await place(copy)];
    seen.original = [await titles(page), await panel(page), await place(page)];
    return seen;
  },

  async training() {
    const page = await open("net", { hash: "tab=training" });
    const slider = page.getByRole("slider", { name: "Training step" });
    const seen = { last: await page.locator(".loss").innerText() };
    await slider.fill("0");
    seen.first = await page.locator(".loss").innerText();
    seen.rows = await page.locator("table.training tbody tr").count();
    await shot(page, "viewer-training");
    return seen;
  },

  async japaneseAndDark() {
    const page = await open("net", { hash: "lang=ja&film=14", scheme: "dark" });
    const seen = { text: await page.locator(".page").innerText(), theme: await page.getAttribute("html", "data-theme"),
      measure: await measure(page), contrast: await contrastOfPage(page), lang: await page.getAttribute("html", "lang") };
    await shot(page, "viewer-dark-ja");
    return seen;
  },

  async files() {
    const page = await open("net");
    const load = async (name) => {
      const [download] = await Promise.all([page.waitForEvent("download"), button(page, name).click()]);
      return [download.suggestedFilename(), readFileSync(await download.path())];
    };
    const [svgName, svg] = await load("SVG");
    const [pngName, png] = await load("PNG");
    return { svgName, svg: svg.toString("utf8"), pngName, png: png.subarray(0, 24).toString("hex"), size: png.length };
  },

  async hostile() {
    const page = await open("hostile");
    await page.locator("[data-key=n0]").click();
    const seen = { panel: await panel(page), images: await page.$$eval("img", (all) => all.map((i) => i.getAttribute("src").slice(0, 5))) };
    await page.getByRole("tab", { name: "Source" }).click();
    const elements = () => page.evaluate(() => document.querySelectorAll("script, style, [onerror], [onload]").length);
    seen.elements = await elements();
    seen.ran = await page.evaluate(() => window.hostile ?? null);
    const [download] = await Promise.all([page.waitForEvent("download"), button(page, "SVG").click()]);
    seen.svg = readFileSync(await download.path(), "utf8");
    return seen;
  },

  async policy() {
    const page = await open("p1");
    return page.evaluate(() => {
      const caught = (f) => { try { f(); return "allowed"; } catch (e) { return e.name; } };
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
      // What the debugger runs may use eval; what runs later is the page's own.
      return new Promise((done) => setTimeout(() => done({ eval: caught(() => Function("return 1")()), injected: window.injected ?? null })));
    }).finally(() => complaints.splice(0, complaints.length, ...complaints.filter((c) => !/Content Security Policy/.test(c))));
  },

  async large() {
    const page = await open("large", { hash: "open=" });
    const seen = { folded: await page.locator(".card").count() };
    await button(page, "Unfold").click();
    await laidOut(page);
    await page.getByRole("button", { name: "Fit to window" }).click();
    await page.waitForTimeout(300);
    seen.items = Number(await page.getAttribute("svg.graph", "data-items"));
    seen.engine = await page.getAttribute("svg.graph", "data-engine");
    seen.fitted = await page.locator(".card").count();
    seen.frames = await pan(page);
    for (let i = 0; i < 12; i++) await page.getByRole("button", { name: "Zoom in" }).click();
    await page.waitForTimeout(200);
    seen.near = await page.locator(".card").count();
    seen.nearFrames = await pan(page);
    return seen;
  },

  async huge() {
    const page = await open("huge");
    const seen = { items: Number(await page.getAttribute("svg.graph", "data-items")), frames: await pan(page) };
    await page.getByRole("searchbox").fill("last_one");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    await laidOut(page);
    seen.panel = await panel(page);
    seen.after = Number(await page.getAttribute("svg.graph", "data-items"));
    return seen;
  },
};

/** Milliseconds from each of 40 moves of the mouse to the picture's next frame, in order of size. */
function pan(page) {
  return page.evaluate(async () => {
    const svg = document.querySelector("svg.graph");
    const box = svg.getBoundingClientRect();
    const fire = (type, x, y) => (type === "mousedown" ? svg : window).dispatchEvent(
      new MouseEvent(type, { bubbles: true, cancelable: true, view: window, clientX: x, clientY: y, buttons: 1 }));
    const times = [];
    let [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    fire("mousedown", x, y);
    for (let i = 0; i < 40; i++) {
      [x, y] = i < 20 ? [x + 9, y - 9] : [x - 9, y + 9];
      const begin = performance.now();
      fire("mousemove", x, y);
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      times.push(performance.now() - begin);
    }
    fire("mouseup", x, y);
    return times.sort((a, b) => a - b);
  });
}

const found = {};
for (const [name, scene] of Object.entries(scenes)) {
  if (settings.only && !settings.only.includes(name)) continue;
  const begin = Date.now();
  try {
    found[name] = await scene();
  } catch (e) {
    found[name] = { error: String(e.stack ?? e) };
  }
  if (settings.times) console.error(name, Date.now() - begin, "ms");
  for (const context of browser.contexts()) await context.close();
}
found.complaints = complaints;
await browser.close();
process.stdout.write(JSON.stringify(found));
