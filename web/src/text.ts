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
  "note.freed": "backward() has freed this graph, and it cannot be computed again: it has random numbers, an input that is gone, parameters that changed since, or very many operations. To see all: backward(retain_graph=True), kobai.view before backward(), or `kobai view program.py`.",
  "note.anew": "backward() had freed this graph; it was computed again from the program's variables, with the same result.",
  "note.replayed": "Values that nobody kept were computed again.", "note.shortened": "The program did more than is kept here; what is shown is its last step.",
  "note.no-film": "No backward film for this graph.", laidOut: "Laying out …", empty: "Nothing was computed.", fold: "Fold", unfold: "Unfold",
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
  "note.freed": "backward() がこのグラフを解放しました。乱数を使った、入力が残っていない、パラメータが変わった、演算が多すぎる、のいずれかのため計算し直せません。すべてを見るには backward(retain_graph=True) とするか、backward() の前に kobai.view を呼ぶか、`kobai view program.py` で実行してください。",
  "note.anew": "backward() がこのグラフを解放したので、プログラムの変数から計算し直しました。結果は同じです。",
  "note.replayed": "残っていなかった値は計算し直しました。", "note.shortened": "記録しきれないほど計算が多いため、最後のステップを表示しています。",
  "note.no-film": "このグラフでは逆伝播を再生できません。", laidOut: "配置しています …", empty: "何も計算されていません。", fold: "畳む", unfold: "展開",
  keys: "←↑→↓ 移動 · Enter 選択・開閉 · f 外側のモジュールを畳む · + − 0 拡大・縮小・全体 · / 検索 · Space 再生 · , . 一つ戻る・進む · Home 最初へ · t 配色 · l 言語 · Esc 閉じる",
  times: "辺の数", rule: "規則(ソース)", panel: "詳細", toolbar: "ツール", player: "再生", rank: "呼出", update: "プログラムが進みました。最新のグラフです。",
};

const texts: Record<Lang, typeof en> = { en, ja };

export type Key = keyof typeof en;

/** What is said under a key; {n} and the like are filled in. */
export function say(lang: Lang, key: Key, fill: Record<string, string | number> = {}): string {
  return texts[lang][key].replace(/\{(\w+)\}/g, (_, name) => String(fill[name] ?? ""));
}

export function stopText(lang: Lang, why: string): string {
  return say(lang, `stop.${why}` as Key in en ? (`stop.${why}` as Key) : "stop.constant");
}
