// Keeps the site's files, and Pyodide's once they were loaded: the page then works without a network.

const SCOPE = self.registration.scope; // other sites of the same origin have caches of their own
const PYODIDE = new URL("%pyodide%", SCOPE).href;
const VERSION = `kobai ${SCOPE} %version%`;
const PYODIDE_CACHE = `kobai ${SCOPE} ${PYODIDE}`;
const FILES = %files%;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(VERSION);
    await cache.addAll(["./", ...FILES].map((file) => new Request(file, { cache: "reload" })));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith(`kobai ${SCOPE} `) && name !== VERSION && name !== PYODIDE_CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const address = event.request.url.split("#")[0];
  if (event.request.method !== "GET") return;
  if (address.startsWith(PYODIDE)) event.respondWith(keptOrLoaded(event.request, PYODIDE_CACHE));
  else if (address.startsWith(SCOPE)) event.respondWith(keptOrLoaded(event.request, VERSION));
});

async function keptOrLoaded(request, name) {
  const cache = await caches.open(name);
  const kept = await cache.match(request, { ignoreSearch: request.mode === "navigate" });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && name === PYODIDE_CACHE) await cache.put(request, answer.clone());
  return answer;
}
