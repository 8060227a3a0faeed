"""What to say when a program asks for a name of PyTorch or TensorFlow that kobai does not have.

The exceptions are of the type that Python itself would raise, so `hasattr`, `getattr` with a default and
`try: ... except ImportError` work as usual. The text is only put together when somebody reads it: libraries
probe for names by the dozen, and looking for near names takes milliseconds.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import NoReturn

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
    return AttributeError(_Message(module_name, name, tuple(candidates)), obj=module_name)


def missing_import(wanted: str, candidates: Iterable[str]) -> ModuleNotFoundError:
    """The exception for a module, or a name imported from one, that kobai lacks.

    >>> print(missing_import("torch.distributed", []))
    No module named 'torch.distributed': kobai does not have torch.distributed.
    """
    module_name, _, name = wanted.rpartition(".")
    if wanted.startswith("kobai."):  # only `from torch.nn import Name` gets here under kobai's own name
        first, other = f"cannot import name {name!r} from {program_name(module_name)!r}", program_name(wanted)
    else:
        first, other = f"No module named {wanted!r}", kobai_name(wanted)
        module_name = kobai_name(module_name)
    # After `from ... import` Python hides a ModuleNotFoundError of exactly that name; the other is as true.
    return ModuleNotFoundError(f"{first}: {explanation(module_name, name, candidates)}", name=other)


def explanation(module_name: str, name: str, candidates: Iterable[str]) -> str:
    """That kobai lacks the name, and on a second line the names that are near."""
    text, label = _TEXT[language()]
    near = near_names(module_name, name, candidates)
    text = text.format(f"{program_name(module_name)}.{name}")
    return f"{text}\n{label}: {', '.join(near)}" if near else text


def near_names(module_name: str, name: str, candidates: Iterable[str]) -> list[str]:
    """Full names that were perhaps meant: the same name elsewhere first, then similar ones here.

    >>> near_names("kobai.optim", "sgd", ["SGD", "Adam"])
    ['torch.optim.SGD']
    """
    elsewhere = [p for p in _PLACES if p != module_name and name in vars(sys.modules.get(p, object))]
    public = {c.lower(): c for c in candidates if not c.startswith("_")}
    similar = difflib.get_close_matches(name.lower(), public, n=3, cutoff=0.7)
    found = [f"{p}.{name}" for p in elsewhere[:2]] + [f"{module_name}.{public[s]}" for s in similar]
    return list(dict.fromkeys(map(program_name, found)))


def explain_in(module: ModuleType) -> None:
    """Make a module of kobai and its submodules explain their missing names, until `explain_no_more()`.

    `__getattr__` answers for `torch.nn.Name`. For `from torch.linalg import Name` Python asks the import
    system, and so the hook, only when the module has a `__path__`: a plain module is given an empty one.
    A module that answers for missing names itself is left as it is.
    """
    if "__getattr__" in vars(module):
        return
    added: dict[str, object] = {"__getattr__": partial(_raise_missing, module)}
    if "__path__" not in vars(module):
        added["__path__"] = []
    vars(module).update(added)
    _explaining.append((module, list(added)))
    for value in list(vars(module).values()):
        if isinstance(value, ModuleType) and value.__name__.startswith(module.__name__ + "."):
            explain_in(value)


def explain_no_more() -> None:
    """Leave every module as `explain_in` found it."""
    while _explaining:
        module, added = _explaining.pop()
        for name in added:
            vars(module).pop(name, None)


_explaining: list[tuple[ModuleType, list[str]]] = []


def _raise_missing(module: ModuleType, name: str) -> NoReturn:
    if name.startswith("__"):  # Python's own questions (`__path__`, `__wrapped__`, ...)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    raise missing_attribute(module.__name__, name, vars(module))

