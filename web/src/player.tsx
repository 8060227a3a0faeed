// The film's controls: play, pause, one step on, one step back, and where it is.

import type { Film } from "./film";
import type { Words } from "./panel";

interface Props extends Words {
  film: Film;
  position: number | null;
  playing: boolean;
  speed: number;
  quiz: boolean;
  onPlay: () => void;
  onGo: (position: number | null) => void;
  onSpeed: (speed: number) => void;
  onQuiz: () => void;
}

export function Player({ film, position, playing, speed, quiz, onPlay, onGo, onSpeed, onQuiz, t }: Props) {
  if (!film.length) return null;
  const p = position ?? 0;
  const forward = film.forward.length;
  const place = position === null ? "" : p <= forward ? `${t("forward")} ${p} / ${forward}` : `${t("backward")} ${p - forward} / ${film.backward.length}`;
  return (
    <div class="bar bottom" role="toolbar" aria-label={t("player")}>
      <button onClick={() => onGo(0)} aria-label={t("start")} title={t("start")} disabled={p === 0}>|◀</button>
      <button onClick={() => onGo(p - 1)} aria-label={t("back")} title={t("back")} disabled={p === 0}>◀</button>
      <button class="play" onClick={onPlay} aria-label={t(playing ? "pause" : "play")} title={t(playing ? "pause" : "play")}>{playing ? "❚❚" : "▶"}</button>
      <button onClick={() => onGo(p + 1)} aria-label={t("next")} title={t("next")} disabled={p >= film.length}>▶|</button>
      <input type="range" min={0} max={film.length} value={p} aria-label={t("player")} aria-valuetext={place || t("filmOff")} onInput={(e) => onGo(Number(e.currentTarget.value))} />
      <span class="place" role="status">{place}</span>
      <label>{t("speed")} <select value={String(speed)} onChange={(e) => onSpeed(Number(e.currentTarget.value))}>{[0.5, 1, 2, 5, 20].map((s) => <option key={s} value={String(s)}>×{s}</option>)}</select></label>
      <button aria-pressed={quiz} onClick={onQuiz}>{t("quiz")}</button>
      <button onClick={() => onGo(null)} disabled={position === null}>{t("filmOff")}</button>
    </div>
  );
}
