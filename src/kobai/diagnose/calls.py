"""Python's errors about arguments and names, explained from what the function or object really has.

`miscalled(text)` and `misnamed(error)` give (cause, fix) in the reader's language, or None.
"""
from __future__ import annotations

import builtins
import difflib
import inspect
import re
import sys
from collections.abc import Callable
from types import ModuleType

from .language import language

_MEANT = {"learning_rate": "lr", "axis": "dim", "axes": "dim", "dimension": "dim", "keepdims": "keepdim",
          "input_size": "in_features", "units": "out_features", "filters": "out_channels", "activation": ""}
_HOMES = ("kobai.nn", "kobai.optim", "kobai.optim.lr_scheduler", "kobai.utils.data", "kobai.utils.checkpoint",
          "kobai.nn.functional", "kobai.nn.init", "kobai.nn.utils", "kobai.autograd", "kobai", "__main__")
_UNKNOWN = r"^(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'"
_MISSING = r"^(\w+)(?:\.(\w+))?\(\) missing \d+ required (?:positional|keyword-only) arguments?: (.+)$"
_TOO_MANY = r"^(\w+)(?:\.(\w+))?\(\) takes (?:from \d+ to )?\d+ positional arguments? but \d+ (?:was|were) given"
_SAY = {
    "unknown": (("the arguments of {name} are {arguments}.", "write {near}=..."),
                ("{name} の引数は {arguments} です。", "{near} を使ってください。")),
    "spelling": (("the arguments of {name} are {arguments}.", "check the spelling."),
                 ("{name} の引数は {arguments} です。", "綴りを確かめてください。")),
    "missing": (("{name} was called without {missing}; its arguments are {signature}.", "write {call}."),
                ("{name} が {missing} なしで呼び出されました。引数は {signature} です。", "{call} と書いてください。")),
    "input": (("the module was called without {missing}.", "give it the input: model(x)."),
              ("モジュールが {missing} なしで呼び出されました。", "入力を渡してください: model(x)。")),
    "no_input": (("{name} takes nothing when it is made, and was given something: an object is made first and called then.",
                  "net = {name}(); y = net(x)."),
                 ("{name} は作るときに引数を取りませんが、渡されました。先に作り、それから呼び出します。",
                  "net = {name}(); y = net(x) と書いてください。")),
    "one_list": (("{name} takes one list.", "put square brackets around them: {name}([a, b])."),
                 ("{name} が受け取るのは一つのリストです。", "角括弧で囲んでください: {name}([a, b])。")),
    "too_many": (("{name} takes fewer arguments without a name: {signature}.",
                  "give each after the first its name, or put numbers that belong together into one list."),
                 ("{name} が名前なしで受け取る引数は、渡された数より少ないです: {signature}。",
                  "二つ目からは名前を付けて渡すか、まとまった数は一つのリストにしてください。")),
    "near": (("{owner} has nothing named {name}.", "write {near}."),
             ("{owner} に {name} という名前のものはありません。", "{near} と書いてください。")),
    "in_torch": (("the name {name} is defined nowhere in the program; torch has it.", "write {near}."),
                 ("{name} という名前はプログラムのどこにも定義されていませんが、torch にあります。", "{near} と書いてください。")),
    "import": (("the name {name} is defined nowhere in the program: the line that imports it is missing.",
                "write at the top: {near}"),
               ("{name} という名前は定義されていません。import の行がありません。", "先頭に書いてください: {near}")),
}
_IMPORTS = {"torch": "import torch", "np": "import numpy as np", "plt": "import matplotlib.pyplot as plt",
            "nn": "from torch import nn", "F": "import torch.nn.functional as F", "optim": "from torch import optim",
            "DataLoader": "from torch.utils.data import DataLoader", "TensorDataset":
            "from torch.utils.data import TensorDataset", "Dataset": "from torch.utils.data import Dataset",
            "make_dot": "from torchviz import make_dot", "tf": "import tensorflow as tf"}


def miscalled(text: str) -> tuple[str, str] | None:
    """For a TypeError about the arguments of a call: too few, too many, or one of an unknown name."""
    text = text.rpartition("<locals>.")[2]
    for pattern, explain in ((_UNKNOWN, _unknown), (_MISSING, _missing), (_TOO_MANY, _too_many)):
        found = re.search(pattern, text)
        if found:
            return explain(*found.groups())
    return None


def misnamed(error: BaseException) -> tuple[str, str] | None:
    """For an AttributeError or NameError: the name that was meant."""
    if isinstance(error, NameError):
        return _undefined(getattr(error, "name", None) or "")
    owner, name = getattr(error, "obj", None), getattr(error, "name", None)
    if owner is None or not name:
        return None
    kind = type(owner)
    if not (kind.__module__ or "").startswith(("kobai", "torch")):
        return None
    near = difflib.get_close_matches(name, [n for n in dir(owner) if n[:1] != "_"], 2, 0.6)
    return _said("near", owner=kind.__name__, name=name, near=_or([f".{n}" for n in near])) if near else None


def _said(which: str, **facts: str) -> tuple[str, str]:
    cause, fix = _SAY[which][language() == "ja"]
    return cause.format(**facts), fix.format(**facts)


def _or(names: list[str]) -> str:
    return (" か " if language() == "ja" else " or ").join(names)


# ---- names ---------------------------------------------------------------------------------------
def _undefined(name: str) -> tuple[str, str] | None:
    if name in _IMPORTS:
        return _said("import", name=name, near=_IMPORTS[name])
    kobai = sys.modules["kobai"]
    if name and not hasattr(builtins, name) and name in kobai.__all__:
        return _said("in_torch", name=name, near=f"torch.{name}")
    return None


# ---- calls ---------------------------------------------------------------------------------------
def _unknown(name: str, argument: str) -> tuple[str, str] | None:
    arguments = [p.name for p in _parameters(_thing(name))]
    if not arguments:
        return None
    near = [n for n in [_MEANT.get(argument, "")] if n in arguments] or difflib.get_close_matches(argument, arguments, 2, 0.6)
    return _said("unknown" if near else "spelling", name=name, arguments=", ".join(arguments), near=_or(near))


def _missing(name: str, method: str | None, missing: str) -> tuple[str, str] | None:
    if "'self'" in missing:
        return None
    missing = missing.replace("'", "").replace(" and ", ", ").replace(",,", ",")
    if method == "forward":
        return _said("input", missing=missing)
    owner = _thing(name)
    parameters = _parameters(owner if method in (None, "__init__") else getattr(owner, method or "", None))
    if not parameters:
        return None
    shown = name if method in (None, "__init__") else f"{name}.{method}"
    needed = ", ".join([p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD])
    return _said("missing", name=shown, missing=missing, signature=_signature(parameters),
                 call=f"{method if method not in (None, '__init__') else name}({needed})")


def _too_many(name: str, method: str | None) -> tuple[str, str] | None:
    owner = _thing(name)
    if method == "__init__" and name in ("ModuleList", "ParameterList", "ModuleDict", "ParameterDict"):
        return _said("one_list", name=name)
    if owner is None or method not in (None, "__init__"):
        return None
    parameters = _parameters(owner)
    if method == "__init__" and not parameters:
        return _said("no_input", name=name)
    return _said("too_many", name=name, signature=_signature(parameters))


def _signature(parameters: list[inspect.Parameter]) -> str:
    return ", ".join([p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in parameters[:8]])


def _thing(name: str) -> Callable | None:
    """The function or class of kobai or of the program that has this name."""
    for home in _HOMES:
        module = sys.modules.get(home)
        thing = getattr(module, name, None) if isinstance(module, ModuleType) else None
        if callable(thing):
            return thing
    return None


def _parameters(thing: Callable | None) -> list[inspect.Parameter]:
    try:
        found = inspect.signature(thing).parameters.values() if thing is not None else []
    except (TypeError, ValueError):
        return []
    return [p for p in found if p.name not in ("self", "args", "kwargs")]
