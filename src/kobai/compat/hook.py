"""`import torch`, `import torchviz`, `import tensorflow` served by kobai: the import hook.

While the hook is installed these names stand for modules of kobai. They are the same module objects
(`torch.nn is kobai.nn`); only `torch` itself is a module of its own, because its version must look like
PyTorch's (see kobai/compat/torch.py). Every name below them is answered here, with an error where kobai has
nothing, so a PyTorch that happens to be installed is never mixed in; without the hook nothing is touched.

Child processes started with `subprocess` or `multiprocessing` get the hook through a start-up file
(kobai/compat/children/sitecustomize.py) that is on PYTHONPATH as long as the hook is installed.

Like `missing` it imports nothing of the engine, so `kobai/__init__.py` can import it.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from kobai.compat.homes import move_in_all, move_out
from kobai.compat.missing import explain_in, explain_no_more, missing_import
from kobai.compat.names import ROOTS, kobai_name

# Compiled against PyTorch's own library: they cannot run on another engine, and their errors would mislead.
_BOUND_TO_PYTORCH = ("torchvision", "torchaudio", "torchtext")

_CHILDREN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "children")


class _Alias(Loader):
    """Loads an import name by importing the module of kobai that stands for it."""

    def __init__(self, target: str):
        self.target = target

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.target)
        self.own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        if self.own_spec is not None:  # importlib has just put the alias's there; only `torch` has no other
            module.__spec__ = self.own_spec
        explain_in(module)
        if self.target == kobai_name("torch"):
            move_in_all()


class _ServedNames(MetaPathFinder):
    """Stands before all other finders and answers for every name below ROOTS."""

    def find_spec(self, fullname, path=None, target=None):
        root = fullname.partition(".")[0]
        if root in ROOTS:
            ours = kobai_name(fullname)
            if not _exists(ours):
                raise missing_import(fullname, _names_in(ours.rpartition(".")[0]), _is_from_import())
            return ModuleSpec(fullname, _Alias(ours), origin=ours)
        if root in _BOUND_TO_PYTORCH:
            raise _bound_to_pytorch(root)
        return None


class _NamesNobodyHas(MetaPathFinder):
    """Stands behind all other finders: `from torch.nn import Name` ends here when kobai has no such name."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.startswith("kobai.") and _is_from_import():
            raise missing_import(fullname, _names_in(fullname.rpartition(".")[0]), from_import=True)
        return None


def _is_from_import() -> bool:
    """Whether the import system asks because of `from module import name` and `name` is no attribute.

    Only its own function's name tells; should that change one day, errors are Python's plain ones again.
    """
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename == "<frozen importlib._bootstrap>":
        if frame.f_code.co_name == "_handle_fromlist":
            return True
        frame = frame.f_back
    return False


_front, _back = _ServedNames(), _NamesNobodyHas()


def installed() -> bool:
    """Whether `import torch` gives kobai in this process."""
    return _front in sys.meta_path


def install() -> None:
    """Serve `import torch` and the other names of ROOTS from kobai, here and in child processes.

    Raises: RuntimeError when one of them was imported already and is not kobai.
    """
    if installed():
        return
    foreign = [root for root in sorted(ROOTS) if root in sys.modules]
    if foreign:
        raise _already_imported(foreign[0])
    sys.meta_path.insert(0, _front)
    sys.meta_path.append(_back)
    os.environ["KOBAI_SERVES"] = ",".join([*sorted(ROOTS), *_BOUND_TO_PYTORCH])
    os.environ["PYTHONPATH"] = os.pathsep.join([_CHILDREN, *_python_path()])


def uninstall() -> None:
    """Undo `install`: the next `import torch` finds what is installed under that name."""
    if not installed():
        return
    sys.meta_path.remove(_front)
    sys.meta_path.remove(_back)
    for name in list(sys.modules):
        if name.partition(".")[0] in ROOTS:
            del sys.modules[name]
    explain_no_more()
    move_out()
    os.environ.pop("KOBAI_SERVES", None)
    os.environ["PYTHONPATH"] = os.pathsep.join(_python_path())
    if not os.environ["PYTHONPATH"]:
        del os.environ["PYTHONPATH"]


def _python_path() -> list[str]:
    """The entries of PYTHONPATH that are not ours."""
    entries = os.environ.get("PYTHONPATH", "")
    return [p for p in entries.split(os.pathsep) if p != _CHILDREN] if entries else []


def _bound_to_pytorch(name: str) -> Exception:
    from kobai.diagnose import error  # noqa: PLC0415  (only for a mistake: it needs what stands above)

    return error(
        "not-in-kobai", ModuleNotFoundError(f"No module named {name!r}", name=name), what=name,
        why="kobai does not have {what}, and an installed one works only with PyTorch itself, for which it was compiled.",
        instead="write what you need of it with kobai, or run the program with PyTorch.",
    )


def _already_imported(name: str) -> Exception:
    from kobai.diagnose import error  # noqa: PLC0415  (only for a mistake: it needs what stands above)

    where = getattr(sys.modules[name], "__file__", None) or "unknown place"
    return error(
        "call-order",
        RuntimeError(f"{name} is already imported in this process, and it is not kobai's ({where})."),
        name=name, why="two systems cannot share the name {name}.",
        fix="start afresh (in a notebook: restart the kernel) and load kobai before the first `import {name}`; "
            "or write `import kobai as torch`, and leave the other alone.",
    )


def _exists(name: str) -> bool:
    """Whether kobai has this module; its parent is imported to find out, it is not."""
    if name in sys.modules:
        return True
    parent = name.rpartition(".")[0]
    path = getattr(importlib.import_module(parent), "__path__", [])
    return PathFinder.find_spec(name, path) is not None


def _names_in(module_name: str) -> list[str]:
    return dir(sys.modules[module_name]) if module_name in sys.modules else []
