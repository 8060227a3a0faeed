"""What to say when a program asks for a name of PyTorch or TensorFlow that kobai does not have.

The exceptions are of the type that Python itself would raise, so `hasattr`, `getattr` with a default and
`try: ... except ImportError` work as usual. The text is only put together when somebody reads it: libraries
probe for names by the dozen, and looking for near names takes milliseconds.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from kobai.compat.homes import move_in
from kobai.compat.names import kobai_name, program_name
from kobai.diagnose.language import language

# Where a name is looked for that was asked for in the wrong place (`torch.Linear`, `nn.relu`).
_PLACES = (
    "kobai", "kobai.nn", "kobai.nn.functional", "kobai.nn.init", "kobai.nn.utils", "kobai.optim",
    "kobai.optim.lr_scheduler", "kobai.utils.data", "kobai.autograd", "kobai.autograd.functional",
    "kobai.func", "kobai.linalg", "kobai.fft", "kobai.special", "kobai.compat.tensorflow",
    "kobai.compat.tensorflow.keras", "kobai.compat.tensorflow.keras.layers", "kobai.compat.torchviz",
)  # fmt: skip

_TEXT = {
    "en": ("kobai does not have {}.", "Near names"),
    "ja": ("kobai に {} はありません。", "近い名前"),
}

# Names that are missing only where a package is.
_NEEDS = {"bfloat16": "ml_dtypes"}
_NEEDS_TEXT = {"en": "{} needs the package {}, which is not installed.",
               "ja": "{} には {} が必要ですが、インストールされていません。"}


@dataclass(frozen=True)
class _Message:
    """The text of an AttributeError, put together when it is read."""

    module_name: str
    name: str
    candidates: tuple[str, ...]

    def __str__(self) -> str:
        first = f"module {program_name(self.module_name)!r} has no attribute {self.name!r}"
        return f"{first}: {explanation(self.module_name, self.name, self.candidates)}"

    __repr__ = __str__


def missing_attribute(module_name: str, name: str, candidates: Iterable[str]) -> AttributeError:
    """The exception for a module's `__getattr__` to raise.

    >>> print(missing_attribute("kobai.nn", "Lienar", ["Linear", "ReLU"]))
    module 'torch.nn' has no attribute 'Lienar': kobai does not have torch.nn.Lienar.
    Near names: torch.nn.Linear
    """
    # `obj` without `name` keeps Python from adding a "Did you mean" of its own below ours.
    message = _Message(module_name, name, tuple(candidates))
    return AttributeError(message, obj=module_name)  # plain: libraries probe for names; its text is made when it is read


def missing_import(wanted: str, candidates: Iterable[str], from_import: bool = False) -> ModuleNotFoundError:
    """The exception for a module, or a name to be imported from a module, that kobai lacks.

    >>> print(missing_import("torch.quantization", []))
    No module named 'torch.quantization': kobai does not have torch.quantization.
    """
    module_name, _, name = wanted.rpartition(".")
    ours = kobai_name(wanted).rpartition(".")[0] if module_name else ""
    text = explanation(ours, name, candidates)
    if not from_import:
        return ModuleNotFoundError(f"No module named {wanted!r}: {text}", name=wanted)  # plain: libraries probe for modules
    # After `from ... import` Python hides a ModuleNotFoundError of exactly the name that it asked for.
    other = program_name(wanted) if wanted.startswith("kobai.") else kobai_name(wanted)
    text = f"cannot import name {name!r} from {program_name(ours)!r}: {text}"
    return ModuleNotFoundError(text, name=other)  # plain: libraries probe for names


def explanation(module_name: str, name: str, candidates: Iterable[str]) -> str:
    """That kobai lacks the name, and on a second line the names that are near."""
    text, label = _TEXT[language()]
    if name in _NEEDS and kobai_name(module_name) == "kobai":
        return f"{_NEEDS_TEXT[language()].format(name, _NEEDS[name])}\n  fix: pip install {_NEEDS[name]}"
    near = near_names(module_name, name, candidates)
    text = text.format(f"{program_name(module_name)}.{name}".removeprefix("."))
    return f"{text}\n{label}: {', '.join(near)}" if near else text


def near_names(module_name: str, name: str, candidates: Iterable[str]) -> list[str]:
    """Full names that were perhaps meant: the same name elsewhere first, then similar ones here.

    >>> near_names("kobai.optim", "sgd", ["SGD", "Adam"])
    ['torch.optim.SGD']
    """
    elsewhere = [p for p in _PLACES if p != module_name and name in dir(sys.modules.get(p, object))]
    public: dict[str, list[str]] = {}
    for candidate in candidates:
        if not candidate.startswith("_") and candidate != name:  # a name may be listed, and not be there yet
            public.setdefault(candidate.lower(), []).append(candidate)
    similar = difflib.get_close_matches(name.lower(), public, n=3, cutoff=0.7)

    def rank(candidate: str) -> tuple[bool, float]:
        """Of `sgd` and `SGD`: rather not a submodule, then the one that agrees in case as well."""
        submodule = f"{module_name}.{candidate}" in sys.modules
        return not submodule, difflib.SequenceMatcher(None, name, candidate).ratio()

    here = [max(public[s], key=rank) for s in similar]
    found = [f"{p}.{name}" for p in elsewhere[:2]] + [f"{module_name}.{h}" for h in here]
    return list(dict.fromkeys(map(program_name, found)))


def explain_in(module: ModuleType) -> None:
    """Make a module of kobai and its submodules explain their missing names, until `explain_no_more()`.

    `__getattr__` answers for `torch.nn.Name`. For `from torch.linalg import Name` Python asks the import
    system, and so the hook, only when the module has a `__path__`: a plain module is given an empty one.
    A `__getattr__` that the module has of its own is asked first.
    """
    own = vars(module).get("__getattr__")
    if isinstance(own, partial) and own.func is _find_or_explain:
        return
    move_in(module)
    before = {name: vars(module).get(name) for name in ("__getattr__", "__path__")}
    _explaining.append((module, before))
    vars(module)["__getattr__"] = partial(_find_or_explain, module, own)
    vars(module).setdefault("__path__", [])
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType) and value.__name__.startswith(module.__name__ + "."):
            explain_in(value)


def explain_no_more() -> None:
    """Leave every module as `explain_in` found it."""
    while _explaining:
        module, before = _explaining.pop()
        for name, value in before.items():
            if value is None:
                del vars(module)[name]
            else:
                vars(module)[name] = value


_explaining: list[tuple[ModuleType, dict[str, Any]]] = []


def _at_home(value: Any) -> Any:
    """A module or class that was only now loaded, with PyTorch's addresses, too."""
    home = value if isinstance(value, ModuleType) else sys.modules.get(getattr(value, "__module__", None) or "")
    if isinstance(home, ModuleType) and home.__name__.startswith("kobai."):
        (explain_in if home is value else move_in)(home)
    return value


def _find_or_explain(module: ModuleType, own: Callable[[str], Any] | None, name: str) -> Any:
    """A module's `__getattr__` while its missing names are explained; `own` is the one it had before."""
    plain = f"module {module.__name__!r} has no attribute {name!r}"
    if own is not None:
        try:
            return _at_home(own(name))
        except AttributeError as error:
            ours = error.args[:1] and isinstance(error.args[0], _Message)  # it is said again below, from outside the module
            if not ours and str(error) != plain:  # it has more to say than that the name is missing
                raise
    if name.startswith("__"):  # Python's own questions (`__path__`, `__wrapped__`, ...)
        raise AttributeError(plain)  # plain: hasattr asks
    raise missing_attribute(module.__name__, name, dir(module))

