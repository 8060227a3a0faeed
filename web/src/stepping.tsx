// The film's panel: what one step of forward or backward does, in formulas and numbers; and the quiz.

import { useEffect, useState } from "preact/hooks";
import { type Film, isRight } from "./film";
import { brief, heading } from "./format";
import type { Graph } from "./graph";
import { ValueView, type Words } from "./panel";
import { stopText } from "./text";
import type { BackInput, BackStep, Value } from "./types";

interface Props extends Words {
  film: Film;
  graph: Graph;
  position: number | null;
  dark: boolean;
  quiz: boolean;
  asking: boolean; // the number has not been found yet
  onAnswered: (right: boolean) => void;
  onSelect: (key: string) => void;
  score: [number, number];
  notes: string[]; // why there is no backward, among others
}

export function StepPanel(props: Props) {
  const { film, graph, position, t } = props;
  const id = film.current(position);
  const missing = film.backward.length ? null : props.notes.map((note) => <p class="soft" key={note}>{note}</p>);
  if (id === null || position === null) return <>{<p class="soft">{t("notStarted")}</p>}{missing}</>;
  const node = graph.nodes[id];
  const doc = graph.docOf(node, props.lang);
  const back = film.backStep(position);
  const asked = props.quiz ? film.asked(position, graph.nodes) : null;
  const hide = props.asking && asked !== null;
  return (
    <div class="node" aria-live="polite">
      <p class="soft">{t(back ? "backward" : "forward")} · {t("stepOf", { a: position, b: film.length })}</p>
      <h2><button class="link" onClick={() => props.onSelect(`n${id}`)}>{heading(node)}</button></h2>
      {back ? <Backward {...props} step={back} hide={hide} /> : (
        <>
          {node.formula && <p class="formula"><code>{node.formula}</code></p>}
          {doc && <p class="soft">{doc}</p>}
          {node.numbers && <p class="formula"><code>{hide ? node.numbers.replace(/= .*$/, "= ?") : node.numbers}</code></p>}
          {node.stops && node.kind === "op" && <p class="stop">⊘ {stopText(props.lang, node.stops)}</p>}
          {node.value && <ValueView title={t("value")} value={node.value} dark={props.dark} t={t} lang={props.lang} hidden={hide} />}
        </>
      )}
      {position === film.length && missing}
      {asked && <Quiz key={position} {...props} value={asked.value} text={asked.text} />}
    </div>
  );
}

function Backward({ step, graph, t, lang, dark, hide, onSelect }: Props & { step: BackStep; hide: boolean }) {
  const parts = step.parts ?? [];
  const name = graph.nodes[step.node].name;
  const hideHere = hide && !(step.inputs ?? []).some((i) => i.out);
  const first = (step.inputs ?? []).findIndex((i) => i.out);
  return (
    <>
      {parts.length > 1 && (
        <div class="meet">
          <p>{t("meets", { n: parts.length })}</p>
          <p class="formula"><code>{parts.map((p) => brief(p.value, 18)).join(" + ")} = {hideHere ? "?" : brief(step.g, 18)}</code></p>
          <ul class="others">{parts.map((p, i) => <li key={i}>{t("from")} {p.from == null ? t("seed") : <button class="link" onClick={() => onSelect(`n${p.from}`)}>{heading(graph.nodes[p.from])}</button>}: <code>{brief(p.value)}</code></li>)}</ul>
        </div>
      )}
      {step.leaf ? <p>{t("arrives")} <strong>{name || t("leaf")}</strong></p> : parts.length === 1 && parts[0].from == null && <p class="soft">{t("seed")}</p>}
      {step.g && <ValueView title={t("incoming")} value={step.g} dark={dark} t={t} lang={lang} hidden={hideHere} />}
      {(step.inputs ?? []).map((input, i) => <Sent key={i} input={input} graph={graph} t={t} lang={lang} dark={dark} onSelect={onSelect} g={step.g} hide={hide && i === first} />)}
    </>
  );
}

function Sent({ input, graph, t, lang, dark, onSelect, g, hide }: Words & { input: BackInput; graph: Graph; dark: boolean; onSelect: (key: string) => void; g: Value | null | undefined; hide: boolean }) {
  const to = input.to == null ? null : graph.nodes[input.to];
  const words = input.text || (input.local && input.out ? `${brief(g, 16)} × ${brief(input.local, 16)} = ${brief(input.out, 16)}` : "");
  return (
    <section class="sent">
      <h3>→ {input.name}{to && <> · <button class="link" onClick={() => onSelect(`n${to.id}`)}>{heading(to)}</button></>}</h3>
      {input.stop ? <p class="stop">⊘ {stopText(lang, input.stop)}</p> : (
        <>
          {input.formula && <p class="formula"><code>{t("outgoing")} = {input.formula}</code></p>}
          {input.rule && <details><summary>{t("rule")}</summary><pre class="rule">{input.rule}</pre></details>}
          {input.derivative && <p class="soft">{t("local")} = <code>{input.derivative}</code></p>}
          {words && <p class="formula"><code>{hide ? words.replace(/= .*$/, "= ?") : words}</code></p>}
          {input.local && (input.local.data?.length ?? 9) > 1 && <ValueView title={t("local")} value={input.local} dark={dark} t={t} lang={lang} />}
          {input.out && <ValueView title={t("outgoing")} value={input.out} dark={dark} t={t} lang={lang} hidden={hide} />}
        </>
      )}
    </section>
  );
}

function Quiz({ t, value, text, asking, onAnswered, score }: Props & { value: number | string; text: string }) {
  const [answer, setAnswer] = useState("");
  const [said, setSaid] = useState<"" | "right" | "wrong">("");
  useEffect(() => setAnswer(""), [value]);
  const check = (e: Event) => {
    e.preventDefault();
    const right = isRight(answer, value);
    setSaid(right ? "right" : "wrong");
    if (right) onAnswered(true);
  };
  return (
    <form class="quiz" onSubmit={check}>
      <label for="answer">{t("quizAsk")}</label>
      <div class="row">
        <input id="answer" value={asking ? answer : text} disabled={!asking} autocomplete="off" onInput={(e) => setAnswer(e.currentTarget.value)} />
        <button type="submit" disabled={!asking}>{t("check")}</button>
        <button type="button" disabled={!asking} onClick={() => onAnswered(false)}>{t("reveal")}</button>
      </div>
      <p role="status" class={said}>{said ? t(said) : ""} {score[1] > 0 ? t("score", { a: score[0], b: score[1] }) : ""}</p>
    </form>
  );
}
