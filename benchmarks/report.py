"""The table and the picture of what `run.py` measured."""
from __future__ import annotations

import math
from pathlib import Path

import workloads as w
from worker import FRAMEWORKS

PEERS = [f for f in FRAMEWORKS if not f.startswith("kobai")]


def write(results: dict, folder: Path) -> None:
    """benchmarks.md and benchmarks.svg in a folder."""
    folder.joinpath("benchmarks.md").write_text(_page(results), encoding="utf-8")
    folder.joinpath("benchmarks.svg").write_text(_picture(results), encoding="utf-8")


def ratios(row: dict) -> tuple[float | None, float | None]:
    """How many times faster kobai is: eager than PyTorch's eager mode, compiled than the best of all others."""
    t = row["seconds"]
    eager = t["PyTorch"] / t["kobai"] if {"PyTorch", "kobai"} <= t.keys() else None
    peers = [t[f] for f in PEERS if f in t]
    best = min(peers) / t["kobai compiled"] if peers and "kobai compiled" in t else None
    return eager, best


def of_limit(workload: str, results: dict) -> float | None:
    """How much of what the machine can do kobai's faster mode reaches, 1 being all."""
    times = results["workloads"][workload]["seconds"]
    own = [t for f, t in times.items() if f.startswith("kobai")]
    if not own:
        return None
    if w.traffic(workload):
        bandwidth = results["machine"]["copy"][workload.split(" ")[2]]
        return w.traffic(workload) / bandwidth / min(own)
    if w.operations(workload):
        kind = workload.split(" ")[2]
        rates = [w.operations(name) / t for name, row in results["workloads"].items()
                 if name.startswith("w13") and name.endswith(kind) for t in row["seconds"].values()]
        return w.operations(workload) / min(own) / max(rates)
    return None


def _time(seconds: float | None) -> str:
    """Microseconds to three digits."""
    if seconds is None:
        return ""
    digits = max(0, 2 - math.floor(math.log10(1e6 * seconds)))
    return f"{1e6 * seconds:,.{digits}f}"


def _ratio(x: float | None) -> str:
    return "" if x is None else f"{x:.2f}×" if x < 10 else f"{x:.0f}×"


def _page(results: dict) -> str:
    m = results["machine"]
    present = [f for f in FRAMEWORKS if any(f in row["seconds"] for row in results["workloads"].values())]
    text = ["# Benchmarks", "",
            "kobai beside PyTorch, JAX and TensorFlow, measured in one run by `make bench` (`benchmarks/run.py` says how).",
            f"Machine: {m['processor']}, {m['threads']} threads, {m['system']}, Python {m['python']}. Medians of "
            "interleaved blocks; other machines give other times, and similar ratios.", "",
            "![How many times faster kobai is](benchmarks.svg)", "",
            "## Times", "",
            "Microseconds a step. *eager*: PyTorch's eager time ÷ kobai's; *compiled*: the best peer's time ÷ that of "
            "`kobai.compile` (above 1: kobai is faster). *of the limit*: what kobai's faster mode reaches of the measured "
            "copy bandwidth (w12), or of the fastest matrix product of this kind in the run (w13).", ""]
    head = ["workload", *present, "eager", "compiled", "of the limit"]
    text += [_row(head), _row(["---"] + ["--:"] * (len(head) - 1))]
    for name, row in results["workloads"].items():
        eager, best = ratios(row)
        limit = of_limit(name, results)
        text.append(_row([name, *[_time(row["seconds"].get(f)) for f in present], _ratio(eager), _ratio(best),
                          "" if limit is None else f"{100 * limit:.0f} %"]))
    return "\n".join([*text, "", *_beginnings(results), *_busy(results), *_sizes(results),
                      *_limits(m)]) + "\n"


def _row(cells) -> str:
    return "| " + " | ".join(cells) + " |"


def _beginnings(results: dict) -> list[str]:
    start = {f: s for f, s in results["start"].items() if s}
    if not start:
        return []
    columns = list(dict.fromkeys(c for s in start.values() for c in s))
    text = ["## Start-up", "", "From starting Python to the end of the fifth step, imports and compiling included, and the "
            "memory of the process then. *cold*: with an empty cache of compiled code; *warm*: once more.", "",
            _row(["", *columns]), _row(["---"] + ["--:"] * len(columns))]
    for f, s in start.items():
        cells = [f"{s[c]['seconds']:.2f} s, {s[c]['megabytes']:.0f} MB" if c in s else "" for c in columns]
        text.append(_row([f, *cells]))
    return [*text, ""]


def _busy(results: dict) -> list[str]:
    found = results.get("busy")
    if not found:
        return []
    present = [f for f in FRAMEWORKS if any(f in row for row in found.values())]
    text = ["## Beside another process", "", "How many times longer a step takes while another process keeps one core busy.", "",
            _row(["", *present]), _row(["---"] + ["--:"] * len(present))]
    for name, row in found.items():
        text.append(_row([name, *[_ratio(row.get(f)) for f in present]]))
    return [*text, ""]


def _sizes(results: dict) -> list[str]:
    found = {f: s for f, s in results["footprint"].items() if s}
    if not found:
        return []
    text = ["## Import and size", "", _row(["", "import", "memory after it", "installed, with what it requires"]),
            _row(["---", "--:", "--:", "--:"])]
    for f, s in found.items():
        text.append(_row([f, f"{s['import']:.2f} s", f"{s['memory']:.0f} MB", f"{s['installed']:.0f} MB"]))
    return [*text, ""]


def _limits(machine: dict) -> list[str]:
    rates = ", ".join(f"{name} numbers {rate / 1e9:.0f} GB/s" for name, rate in machine["copy"].items())
    return ["## The machine's limits", "", f"Copying arrays of float32 with all threads (bytes read and written): {rates}."]


# ---- the picture -----------------------------------------------------------------------------
_WIDTH, _LEFT, _RIGHT, _STEP, _TOP = 860, 290, 30, 16, 54
_STYLE = ("text{font:12px system-ui,sans-serif;fill:#333}.e{fill:#2a78d6}.c{fill:#eb6834}line{stroke:#ddd}"
          ".one{stroke:#666}@media(prefers-color-scheme:dark){text{fill:#ddd}line{stroke:#444}.one{stroke:#aaa}}")


def _picture(results: dict) -> str:
    """One line a workload, on a logarithmic scale: how many times faster kobai is, eager and compiled."""
    rows = [(name, *ratios(row)) for name, row in results["workloads"].items()]
    rows = [r for r in rows if r[1] or r[2]]
    values = [v for r in rows for v in r[1:] if v] or [1.0]
    low, high = math.floor(math.log2(min(*values, 0.5))), math.ceil(math.log2(max(*values, 2)))

    def x(v):
        return _LEFT + (math.log2(v) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)
    height = _TOP + _STEP * len(rows) + 12
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
             f'aria-label="How many times faster kobai is"><style>{_STYLE}</style>',
             f'<circle class="e" cx="{_LEFT}" cy="14" r="5"/><text x="{_LEFT + 10}" y="18">eager, to PyTorch eager</text>',
             f'<circle class="c" cx="{_LEFT + 200}" cy="14" r="5"/>'
             f'<text x="{_LEFT + 210}" y="18">compiled, to the best of all others</text>']
    for power in range(low, high + 1):
        kind = ' class="one"' if power == 0 else ""
        label = f"{2 ** power}×" if power >= 0 else f"1/{2 ** -power}×"
        parts.append(f'<line{kind} x1="{x(2.0 ** power):.1f}" y1="{_TOP - 8}" x2="{x(2.0 ** power):.1f}" y2="{height - 8}"/>'
                     f'<text x="{x(2.0 ** power):.1f}" y="{_TOP - 14}" text-anchor="middle">{label}</text>')
    for i, (name, *both) in enumerate(rows):
        y = _TOP + _STEP * i + 6
        parts.append(f'<text x="{_LEFT - 12}" y="{y + 4}" text-anchor="end">{name}</text>')
        for v, kind in zip(both, "ec"):
            if v:
                parts.append(f'<circle class="{kind}" cx="{x(v):.1f}" cy="{y}" r="4"><title>{v:.2f}×</title></circle>')
    return "\n".join([*parts, "</svg>"]) + "\n"
