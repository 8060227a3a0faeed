// Everything the page says, in English and Japanese.

export type Lang = "en" | "ja";

const en = {
  graph: "Computation graph", search: "Search", searchHint: "operation, name, module, shape …", found: "{n} found",
  none: "nothing found", zoomIn: "Zoom in", zoomOut: "Zoom out", fit: "Fit to window", foldAll: "Fold all",
  unfoldAll: "Unfold", theme: "Theme", auto: "as the system", light: "light", dark: "dark", language: "日本語",
  exportSvg: "SVG", exportPng: "PNG", link: "Copy link", copied: "Link copied", help: "Keys", close: "Close",
  details: "Node", source: "Source", step: "Film", training: "Training", selectHint: "Select a node to see its numbers.",
  operation: "Kind", gradFn: "grad_fn", module: "Module", shape: "Shape", dtype: "dtype", value: "Value",
  gradient: "Gradient", memory: "Memory", saved: "kept for backward", time: "Time", forward: "forward",
  backward: "backward", formula: "Formula", settings: "Settings", inputs: "Inputs", users: "Used by", line: "Line",
  numbers: "Numbers", firstNumbers: "First numbers", min: "min", max: "max", mean: "mean", std: "std", nan: "NaN",
  inf: "Inf", elements: "elements", ops: "nodes", node: "node", call: "call ", leaf: "leaf (requires grad)",
  parameter: "parameter", constant: "constant (no gradient)", op: "operation", result: "result", noSource: "The source of this file is not at hand.",
  noPlace: "No line of the program made this node.", play: "Play", pause: "Pause", back: "One step back", next: "One step",
  start: "To the start", quiz: "Quiz", speed: "Speed", filmOff: "Film off", notStarted: "Press play or step forward: first the values, then the gradients.",
  incoming: "Incoming gradient", meets: "{n} gradients meet here and add up", local: "local derivative", outgoing: "outgoing",
  arrives: "arrives in .grad of", stopsHere: "stops", seed: "the start of backward", from: "from",
  "stop.detach": "stops here: .detach() cuts the graph", "stop.no_grad": "stops here: computed under no_grad()",
  "stop.integer": "stops here: integers have no gradient", "stop.not-differentiable": "stops here: the operation has no derivative",
  "stop.constant": "stops here: the input does not require grad", quizAsk: "What comes out? (first number)", check: "Check", reveal: "Show",
  right: "Right!", wrong: "Not yet. Try again.", score: "{a} of {b} right", stepOf: "step {a} of {b}", loss: "Loss",
  trainStep: "Training step", params: "Parameters", minimap: "Overview", graphHelp: "Arrow keys move between nodes, Enter opens or folds, slash searches, space plays.",
  "note.freed": "backward() has freed this graph: there is no film of backward, and values are missing.",
  "note.random": "It cannot be computed again with the same result, for it draws random numbers: {what}.",
  "note.function": "It is not computed again, for that would run {what}, a Function of the program.",
  "note.many": "With {what} operations it is too large to be computed again.",
  "note.input": "It could not be computed again: an input (data, a target, the mask of a dropout) of {what} is in no variable any more.",
  "note.either": "It could not be computed again from the program's variables: an input (data, a target, the mask of a dropout) of {what} is gone, or parameters have changed since (an optimizer's step).",
  "note.changed": "It could not be computed again: its parameters or inputs have changed since (an optimizer's step, an in-place change).",
  "note.see-all": "To see all: kobai.view before backward(), backward(retain_graph=True), or `kobai view program.py`.",
  "note.anew": "backward() had freed this graph; it was computed again from the program's variables, with the same result.",
  "note.replayed": "Values that nobody kept were computed again.", "note.shortened": "The program did more than is kept here; what is shown is its last step.",
  "note.no-film": "There is no film of backward: it cannot be run here, because a value it needs was changed in place or a Function of the program fails.",
  "note.long-film": "There is no film of backward, which has {what} steps; kobai.view(part) of a tensor on the way shows fewer.",
  laidOut: "Laying out …", empty: "Nothing was computed.", fold: "Fold", unfold: "Unfold",
  keys: "←↑→↓ move · Enter select, fold, unfold · f fold the module around · + − 0 zoom, fit · / search · Space play · , . one step back, on · Home start of the film · t theme · l language · Esc close",
  times: "number of edges", rule: "The rule (source)", panel: "Details", toolbar: "Tools", player: "Film", rank: "call", update: "The program has gone on: the graph is up to date.",
};

const ja: typeof en = {
  graph: "計算グラフ", search: "検索", searchHint: "演算・名前・モジュール・形 …", found: "{n} 件", none: "見つかりません",
  zoomIn: "拡大", zoomOut: "縮小", fit: "全体を表示", foldAll: "すべて畳む", unfoldAll: "展開", theme: "配色", auto: "システムに合わせる",
  light: "明るい", dark: "暗い", language: "English", exportSvg: "SVG", exportPng: "PNG", link: "リンクをコピー", copied: "コピーしました",
  help: "キー操作", close: "閉じる", details: "ノード", source: "ソース", step: "再生", training: "学習", selectHint: "ノードを選ぶと数値が見られます。",
  operation: "種類", gradFn: "grad_fn", module: "モジュール", shape: "形", dtype: "dtype", value: "値", gradient: "勾配", memory: "メモリ",
  saved: "逆伝播のために保持", time: "時間", forward: "順伝播", backward: "逆伝播", formula: "式", settings: "設定", inputs: "入力", users: "使う演算",
  line: "行", numbers: "数値", firstNumbers: "最初の数値", min: "最小", max: "最大", mean: "平均", std: "標準偏差", nan: "NaN", inf: "Inf",
  elements: "要素", ops: "ノード", node: "ノード", call: "呼出 ", leaf: "葉(勾配あり)", parameter: "パラメータ", constant: "定数(勾配なし)", op: "演算", result: "結果",
  noSource: "このファイルのソースは手元にありません。", noPlace: "このノードを作った行はありません。", play: "再生", pause: "一時停止", back: "一つ戻る", next: "一つ進む",
  start: "最初へ", quiz: "クイズ", speed: "速さ", filmOff: "再生を終了", notStarted: "再生か「一つ進む」を押してください。まず値、次に勾配を計算します。",
  incoming: "届いた勾配", meets: "{n} 個の勾配がここで合流し、足されます", local: "局所微分", outgoing: "送り出す勾配", arrives: ".grad に入ります:",
  stopsHere: "停止", seed: "逆伝播の始まり", from: "送り元", "stop.detach": "ここで止まります: .detach() がグラフを切っています",
  "stop.no_grad": "ここで止まります: no_grad() の中で計算されました", "stop.integer": "ここで止まります: 整数には勾配がありません",
  "stop.not-differentiable": "ここで止まります: この演算には微分がありません", "stop.constant": "ここで止まります: 入力が requires_grad ではありません",
  quizAsk: "出てくる数は?(最初の数)", check: "答え合わせ", reveal: "答えを見る", right: "正解!", wrong: "違います。もう一度。", score: "{b} 問中 {a} 問正解",
  stepOf: "{b} 中 {a} 番目", loss: "損失", trainStep: "学習ステップ", params: "パラメータ", minimap: "全体図",
  graphHelp: "矢印キーで移動、Enter で選択・開閉、スラッシュで検索、スペースで再生。",
  "note.freed": "backward() がこのグラフを解放したので、逆伝播は再生できず、値の一部もありません。",
  "note.random": "乱数を使うので、同じ結果には計算し直せません: {what}。",
  "note.function": "計算し直すとプログラムの Function {what} が実行されるので、計算し直しません。",
  "note.many": "演算が {what} 個あり、計算し直すには大きすぎます。",
  "note.input": "計算し直せません。{what} の入力 (データ、正解、dropout のマスクなど) が、どの変数にも残っていません。",
  "note.either": "プログラムの変数からは計算し直せません。{what} の入力 (データ、正解、dropout のマスクなど) が残っていないか、パラメータがその後変わりました (オプティマイザの更新)。",
  "note.changed": "計算し直せません。パラメータや入力がその後変わりました (オプティマイザの更新、その場での変更)。",
  "note.see-all": "すべてを見るには、backward() の前に kobai.view を呼ぶか、backward(retain_graph=True) とするか、`kobai view program.py` で実行してください。",
  "note.anew": "backward() がこのグラフを解放したので、プログラムの変数から計算し直しました。結果は同じです。",
  "note.replayed": "残っていなかった値は計算し直しました。", "note.shortened": "記録しきれないほど計算が多いため、最後のステップを表示しています。",
  "note.no-film": "逆伝播を再生できません。必要な値がその場で変更されたか、プログラムの Function が失敗します。",
  "note.long-film": "逆伝播は {what} ステップあり、再生できません。途中のテンソルを kobai.view(part) で見れば短くなります。",
  laidOut: "配置しています …", empty: "何も計算されていません。", fold: "畳む", unfold: "展開",
  keys: "←↑→↓ 移動 · Enter 選択・開閉 · f 外側のモジュールを畳む · + − 0 拡大・縮小・全体 · / 検索 · Space 再生 · , . 一つ戻る・進む · Home 最初へ · t 配色 · l 言語 · Esc 閉じる",
  times: "辺の数", rule: "規則(ソース)", panel: "詳細", toolbar: "ツール", player: "再生", rank: "呼出", update: "プログラムが進みました。最新のグラフです。",
};

const texts: Record<Lang, typeof en> = { en, ja };

export type Key = keyof typeof en;

/** What is said under a key; {n} and the like are filled in. */
export function say(lang: Lang, key: Key, fill: Record<string, string | number> = {}): string {
  return texts[lang][key].replace(/\{(\w+)\}/g, (_, name) => String(fill[name] ?? ""));
}

/** What the description notes, "code" or "code: what"; a code that this page does not know is left out. */
export function noteText(lang: Lang, note: string): string {
  const [code] = note.split(":", 1);
  const key = `note.${code}`;
  return key in en ? say(lang, key as Key, { what: note.slice(code.length + 2) }) : "";
}

export function stopText(lang: Lang, why: string): string {
  return say(lang, `stop.${why}` as Key in en ? (`stop.${why}` as Key) : "stop.constant");
}
