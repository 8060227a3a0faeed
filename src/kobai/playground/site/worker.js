// Python lives here, so that the page stays responsive and an endless loop can be stopped.

const EXPECTED = { python: 12_200_000, numpy: 3_000_000, kobai: 1_500_000 }; // bytes, for the bar
let part = "python";
let received = 0;
let show;

/** Count the bytes that arrive: the page shows how far loading is. */
const plainFetch = self.fetch.bind(self);
self.fetch = async (...request) => {
  const response = await plainFetch(...request);
  if (!response.ok || !response.body) return response;
  const counter = new TransformStream({
    transform(chunk, out) {
      received += chunk.length;
      postMessage({ kind: "progress", part, received, expected: EXPECTED[part] ?? 0 });
      out.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), response);
};

function begin(name) {
  part = name;
  received = 0;
  postMessage({ kind: "progress", part, received, expected: EXPECTED[part] ?? 0 });
}

async function start({ pyodide: location, wheel }) {
  begin("python");
  const { loadPyodide } = await import(location + "pyodide.mjs");
  const pyodide = await loadPyodide({ indexURL: location });
  pyodide.setStdin({ error: true }); // nobody answers input()
  begin("numpy");
  await pyodide.loadPackage("numpy", { messageCallback() {} });
  begin("kobai");
  const answer = await fetch(wheel);
  if (!answer.ok) throw new Error(`${wheel}: ${answer.status}`);
  const folder = pyodide.runPython("import site; site.getsitepackages()[0]");
  pyodide.unpackArchive(await answer.arrayBuffer(), "wheel", { extractDir: folder });
  const { run, program_of: programOf } = pyodide.pyimport("kobai.playground.session");
  show = (kind, text) => postMessage({ kind, text });
  postMessage({ kind: "ready" });
  return { pyodide, run, programOf };
}

let started;

self.onmessage = async ({ data }) => {
  if (data.kind === "start") {
    started = start(data);
    started.catch((error) => postMessage({ kind: "broken", text: String(error.message ?? error) }));
    return;
  }
  const { pyodide, run, programOf } = await started;
  try {
    begin("packages");
    await pyodide.loadPackagesFromImports(programOf(data.code), { messageCallback() {} });
    postMessage({ kind: "running" });
    const begun = performance.now();
    const good = run(data.code, data.language, show);
    postMessage({ kind: "done", good, seconds: (performance.now() - begun) / 1000 });
  } catch (error) { // of the engine, not of the program
    postMessage({ kind: "error", text: String(error.message ?? error) });
    postMessage({ kind: "done", good: false, seconds: 0 });
  }
};
