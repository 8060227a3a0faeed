"""Which function has which public names: `tf.add` is `tf.math.add`.

Families of operations export their functions under full names; `make_modules` makes the modules `tf.math`,
`tf.nn`, ... of them.
"""
from __future__ import annotations

import sys
from collections import defaultdict
from functools import partial
from types import ModuleType

from ..missing import missing_attribute

# "" for `tf` itself, "math", "nn", ... -> name -> function
spaces: defaultdict[str, dict[str, object]] = defaultdict(dict)


def export(*names):
    """Make a function public under full names without `tf.`: `@export("add", "math.add")`."""
    def decorate(fn):
        for full in names:
            space, _, name = full.rpartition(".")
            spaces[space][name] = fn
        return fn
    return decorate


def make_modules(package):
    """Put every name into the package, or into a module below it that is made here."""
    vars(package).update(spaces[""])
    for space in sorted(spaces):
        if space:
            module = package
            for part in space.split("."):
                module = vars(module).get(part) or _make_module(module, part)
            vars(module).update(spaces[space])


def _make_module(parent, name):
    full = f"{parent.__name__}.{name}"
    module = ModuleType(full, f"`tf.{full.partition('tensorflow.')[2]}`: see the families in kobai/compat/tensorflow.")
    module.__path__ = []
    module.__getattr__ = partial(_missing, full)
    setattr(parent, name, module)
    sys.modules[full] = module
    return module


def _missing(module, name):
    raise missing_attribute(module, name, dir(sys.modules[module]))
