// The editor: a textarea, and behind it the same text in colours.

const KEYWORDS = new Set(("False None True and as assert async await break class continue def del elif else except finally for " +
  "from global if import in is lambda nonlocal not or pass raise return try while with yield match case").split(" "));
const TOKENS = new RegExp([
  String.raw`(?<comment>#[^\n]*)`,
  String.raw`(?<string>(?:\b[rbfuRBFU]{1,2})?(?:"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?))`,
  String.raw`(?<number>\b0[xXbBoO][\da-fA-F_]+|\b\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d+)`,
  String.raw`(?<defined>(?<=\b(?:def|class)\s+)\w+)`,
  String.raw`(?<word>[^\W\d]\w*)`,
].join("|"), "gu");

/** [class or "", text] pairs that make up a program. */
export function* tokens(code) {
  let at = 0;
  for (const match of code.matchAll(TOKENS)) {
    if (!match[0]) continue;
    if (match.index > at) yield ["", code.slice(at, match.index)];
    const { comment, string, number, defined } = match.groups;
    const kind = comment ? "comment" : string ? "string" : number ? "number" : defined ? "name"
      : KEYWORDS.has(match[0]) ? "keyword" : "";
    yield [kind, match[0]];
    at = match.index + match[0].length;
  }
  if (at < code.length) yield ["", code.slice(at)];
}

/** An editor in `place`; `run` is called for Ctrl+Enter, `changed` when the user types. */
export class Editor {
  constructor(place, { run, changed }) {
    this.colours = document.createElement("pre");
    this.colours.setAttribute("aria-hidden", "true");
    this.area = document.createElement("textarea");
    this.area.id = "program";
    this.area.setAttribute("aria-describedby", "keys");
    Object.assign(this.area, { spellcheck: false, autocapitalize: "off", autocomplete: "off", wrap: "off" });
    place.append(this.colours, this.area);
    this.run = run;
    this.leaving = false; // after Escape, Tab moves on to the next control as everywhere else
    this.area.addEventListener("input", () => { this.paint(); changed(); });
    this.area.addEventListener("scroll", () => this.follow());
    this.area.addEventListener("keydown", (event) => this.key(event));
  }

  get code() { return this.area.value; }

  set code(text) {
    this.area.value = text;
    this.area.scrollTop = 0;
    this.paint();
  }

  set label(text) { this.area.setAttribute("aria-label", text); }

  /** Mark a line, counted from 1, as the one with the error; 0 for none. */
  mark(line) {
    this.colours.querySelector(".wrong")?.classList.remove("wrong");
    this.colours.children[line - 1]?.classList.add("wrong");
  }

  paint() {
    const lines = [document.createElement("span")];
    for (const [kind, text] of tokens(this.code)) {
      text.split("\n").forEach((part, i) => {
        if (i) lines.push(document.createElement("span"));
        const piece = document.createElement("i");
        piece.className = kind;
        piece.textContent = part;
        lines.at(-1).append(piece);
      });
    }
    this.colours.replaceChildren(...lines);
    this.follow();
  }

  follow() {
    this.colours.scrollTop = this.area.scrollTop;
    this.colours.scrollLeft = this.area.scrollLeft;
  }

  key(event) {
    if (event.isComposing) return; // a Japanese word is being typed
    const leaving = this.leaving;
    this.leaving = event.key === "Escape";
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.run();
    } else if (event.key === "Tab" && !event.shiftKey && !leaving) {
      event.preventDefault();
      this.type("    ");
    } else if (event.key === "Enter") {
      event.preventDefault();
      const line = this.code.slice(0, this.area.selectionStart).split("\n").at(-1);
      this.type("\n" + /^ */.exec(line)[0] + (/:\s*(#.*)?$/.test(line) ? "    " : ""));
    }
  }

  /** Insert text as if it were typed, so that undo takes it back. */
  type(text) {
    if (!document.execCommand?.("insertText", false, text)) {
      this.area.setRangeText(text, this.area.selectionStart, this.area.selectionEnd, "end");
      this.paint();
    }
  }
}
