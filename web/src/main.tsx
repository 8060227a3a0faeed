// Starts the page: reads the graph that is embedded in it. In a worker the same program lays graphs out.

import { render } from "preact";
import { App } from "./app";
import { serve } from "./graphviz";
import type { Description } from "./types";

if (typeof document === "undefined") serve();
else {
  const data = JSON.parse(document.getElementById("graph")!.textContent!) as Description;
  render(<App first={data} />, document.getElementById("app")!);
}
