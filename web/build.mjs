// Builds the page's program and style into the Python package. The same lock file gives the same bytes.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

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
  jsx: "automatic",
  jsxImportSource: "preact",
  logLevel: "warning",
});
const licenses = ["preact", "d3-zoom", "@viz-js/viz"].map((name) => {
  const { version, license } = JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8"));
  return `${name} ${version} (${license})`;
});
// Nothing in the program may end the <script> element that holds it.
const script = result.outputFiles[0].text.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
writeFileSync(join(out, "viewer.js"), `/* kobai's viewer, built from web/; contains ${licenses.join(", ")} */\n${script}`);
const style = await build({
  absWorkingDir: here, entryPoints: ["src/style.css"], bundle: true, write: false, minify: true, logLevel: "warning",
});
writeFileSync(join(out, "viewer.css"), style.outputFiles[0].text);
