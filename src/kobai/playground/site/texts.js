// What the page says, in the reader's language.

const TEXTS = {
  en: {
    playground: "playground", example: "Example", share: "Copy link", run: "Run", stop: "Stop", editor: "Program",
    output: "Output", viewer: "Graph of the program", hint: "The graph of the program appears here.",
    python: "Loading Python", numpy: "Loading NumPy", kobai: "Loading kobai", packages: "Loading packages",
    ready: "Ready", running: "Running …", stopped: "Stopped", ended: "Done in {} s", failed: "Ended with an error",
    copied: "Link copied", inAddress: "The link is in the address bar", cut: "… (more output is not shown)\n",
    broken: "This link is damaged; its program cannot be read.",
    noPython: "Python could not be loaded: {}", again: "Try again", other: "日本語", mine: "My program", mb: "MB",
    picture: "Picture drawn by the program", keys: "Ctrl+Enter runs the program. Escape, then Tab, leaves the editor.",
  },
  ja: {
    playground: "プレイグラウンド", example: "例", share: "リンクをコピー", run: "実行", stop: "停止", editor: "プログラム",
    output: "出力", viewer: "プログラムの計算グラフ", hint: "プログラムの計算グラフがここに表示されます。",
    python: "Python を読み込み中", numpy: "NumPy を読み込み中", kobai: "kobai を読み込み中",
    packages: "パッケージを読み込み中", ready: "準備ができました", running: "実行中…", stopped: "停止しました",
    ended: "{} 秒で終わりました", failed: "エラーで終わりました", copied: "リンクをコピーしました",
    inAddress: "リンクはアドレスバーにあります", cut: "… (以降の出力は省略しました)\n",
    broken: "リンクが壊れていて、プログラムを読み取れません。",
    noPython: "Python を読み込めませんでした: {}", again: "もう一度試す", other: "English", mine: "自分のプログラム",
    mb: "MB", picture: "プログラムが描いた図",
    keys: "Ctrl+Enter で実行します。エディタから出るには Escape のあとに Tab を押します。",
  },
};
const OTHER = { en: "ja", ja: "en" };

let language = stored() ?? (navigator.language.startsWith("ja") ? "ja" : "en");

function stored() {
  try {
    const chosen = localStorage.getItem("kobai-language");
    return chosen in TEXTS ? chosen : null;
  } catch {
    return null; // storage is switched off
  }
}

export const currentLanguage = () => language;

/** The text called `name`, with `{}` replaced by `value`. */
export const text = (name, value = "") => TEXTS[language][name].replace("{}", value);

/** Change between English and Japanese. */
export function switchLanguage() {
  language = OTHER[language];
  try {
    localStorage.setItem("kobai-language", language);
  } catch {
    // Then it is for this visit only.
  }
}

/** Put the language's texts into every element that has a `data-text`. */
export function translate() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
}
