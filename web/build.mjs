// Builds the page's program and style into the Python package. The same lock file gives the same bytes.
import { build } from "esbuild";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const GRAPHVIZ = `Copyright (c) Michael Daines, MIT licence: https://github.com/mdaines/viz-js
It contains Graphviz (Eclipse Public License 1.0; its source: https://gitlab.com/graphviz/graphviz)
and Expat (MIT licence: https://github.com/libexpat/libexpat), compiled to WebAssembly without changes.`;
const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../src/kobai/viewer/page");
const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.tsx"],
  bundle: true,
  write: false,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
// What is in the program, and under which licence.
const packages = [...new Set(Object.keys(result.metafile.inputs).map((f) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(f)?.[1]).filter(Boolean))].sort();
const licenses = packages.map((name) => {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const text = existsSync(join(folder, "LICENSE")) ? readFileSync(join(folder, "LICENSE"), "utf8").trim() : "";
  return `${name} ${version}, ${license}\n\n${text || GRAPHVIZ}\n`;
});
writeFileSync(join(out, "LICENSES.txt"), `viewer.js contains these packages:\n\n${licenses.join(`\n${"-".repeat(80)}\n\n`)}`);
// Nothing in the program may end the <script> element that holds it.
const script = result.outputFiles[0].text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
writeFileSync(join(out, "viewer.js"), `/* kobai's viewer, built from web/; it contains the packages in LICENSES.txt */\n${script}`);
const style = await build({
  absWorkingDir: here, entryPoints: ["src/style.css"], bundle: true, write: false, minify: true, logLevel: "warning",
});
writeFileSync(join(out, "viewer.css"), style.outputFiles[0].text);
