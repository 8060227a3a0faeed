"""`kobai doctor`: what is installed, what is missing, and what that costs."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
import sys
from dataclasses import dataclass

import kobai
from kobai.diagnose.language import language


@dataclass(frozen=True)
class Part:
    """A package that kobai can do without: its import name, its name for pip, and what is lost without it."""

    module: str
    package: str
    cost: str
    cost_ja: str


PARTS = (
    Part("scipy", "scipy",
         "special functions and some decompositions raise an error that names this package",
         "特殊関数と一部の行列分解が使えません (このパッケージ名を示すエラーになります)"),
    Part("llvmlite.binding", "llvmlite",
         "nothing is compiled: large arrays and kobai.compile run on NumPy, several times slower",
         "機械語への変換なし: 大きな配列と kobai.compile は NumPy で動き、数倍遅くなります"),
    Part("ml_dtypes", "ml_dtypes",
         "no bfloat16 and no 8-bit floating point",
         "bfloat16 と 8 ビット浮動小数点数が使えません"),
    Part("pygraphviz", "pygraphviz",
         "pictures of graphs are laid out by kobai itself, less finely than by Graphviz",
         "グラフの図は Graphviz ではなく kobai 自身の簡素な配置になります"),
    Part("resvg_py", "resvg_py",
         'pictures can be saved as SVG only, not as PNG (.render(..., format="png"))',
         '図の保存は SVG のみで、PNG (.render(..., format="png")) はできません'),
    Part("matplotlib", "matplotlib",
         "programs that draw curves stop at `import matplotlib`; kobai itself never needs it",
         "曲線を描くプログラムは `import matplotlib` で止まります (kobai 自体には不要です)"),
)  # fmt: skip

_TEXT = {
    "en": {
        "present": "present", "missing": "missing", "broken": "broken",
        "why": "its error", "cost": "without it", "fix": "to get it",
        "complete": "Everything is there.",
        "torch": "PyTorch {} is installed here too. `kobai run` and %load_ext kobai do not use it; "
                 "nothing else is affected.",
    },
    "ja": {
        "present": "あり", "missing": "なし", "broken": "故障",
        "why": "エラー", "cost": "影響", "fix": "導入方法",
        "complete": "すべて揃っています。",
        "torch": "PyTorch {} も入っています。`kobai run` と %load_ext kobai では使われず、"
                 "それ以外には影響しません。",
    },
}  # fmt: skip


def doctor(arguments: list[str]) -> int:
    """Print what is installed; the exit status is 1 when a package is there but cannot be imported."""
    text = _TEXT[language()]
    print(f"kobai   {kobai.__version__}")
    print(f"Python  {platform.python_version()}  {sys.executable} ({platform.system()} {platform.machine()})")
    print(f"NumPy   {importlib.metadata.version('numpy')}\n")
    states = [_report(part, text) for part in PARTS]
    if states == ["present"] * len(PARTS):
        print(f"\n{text['complete']}")
    if torch := _version("torch"):
        print(f"\n{text['torch'].format(torch)}")
    return 1 if "broken" in states else 0


def _report(part: Part, text: dict[str, str]) -> str:
    """Print a package's lines; returns its state: present, missing or broken."""
    state, error = _state(part.module)
    version = _version(part.package) or ""
    print(f"  {part.package:<12}{version:<10}{text[state]}")
    if error:
        print(f"      {text['why']}: {error}")
    if state != "present":
        cost = part.cost_ja if text is _TEXT["ja"] else part.cost
        again = " --force-reinstall" if state == "broken" else ""
        print(f"      {text['cost']}: {cost}")
        print(f"      {text['fix']}: {sys.executable} -m pip install{again} {part.package}")
    return state


def _state(module: str) -> tuple[str, str]:
    """Whether a module is there and can be imported: a wheel for another machine shows only then."""
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        return "missing", ""
    try:
        importlib.import_module(module)
    except Exception as error:
        return "broken", f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return "present", ""


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
