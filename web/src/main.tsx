// Starts the page: reads the graph that is embedded in it, and listens to the server if there is one.

import { render } from "preact";
import { App } from "./app";
import type { Description } from "./types";

const data = JSON.parse(document.getElementById("graph")!.textContent!) as Description;
render(<App first={data} />, document.getElementById("app")!);
