"""What a recorded program took for granted about Python's variables, and whether it still holds.

A recording is right for as long as the names its code looks at mean the same: globals, variables of enclosing
functions, attributes of objects they lead to, the contents of lists and dicts.  `collect` walks from the function
along the names in the code that ran, and notes each variable with its value; `Guards.changed` compares.
Tensors are noted as objects: their numbers are read on each call.
"""
from __future__ import annotations

import builtins
import collections
import functools
import gc
import logging
import operator
import re
import sys
import types
import warnings
import weakref
from typing import Any, NamedTuple

import numpy as np

from kobai.autograd.node import inside
from kobai.autograd.whole import _PLAIN, exactly
from kobai.compile.codes import compares, imported, matches_classes, names_in
from kobai.compile.watch import ANY_VARIABLE, _is_library, _is_python, is_generated
from kobai.generator import Generator
from kobai.later import loaded
from kobai.tensor import _IN_THE_GRAPH, Tensor

# Objects without Python attributes that stay what they are, or whose changes are seen in another way.
_KNOWN = (Generator, types.MethodDescriptorType, types.WrapperDescriptorType, types.GetSetDescriptorType,
          types.MemberDescriptorType, types.ClassMethodDescriptorType, types.CellType, types.CodeType, property,
          functools.partial, operator.itemgetter, re.Pattern, range, slice,
          type(NotImplemented), type(collections.namedtuple("_", "a").a), np.dtype, np.generic, np.ufunc, type(np.sum))
# All that these keep is seen; others that are written in C may keep more than their attributes.
_OPEN = frozenset((object, int, float, complex, str, bytes, list, tuple, dict, collections.OrderedDict, type,
                   types.ModuleType, types.SimpleNamespace))
_WITHOUT_STATE = frozenset(("abc", "typing", "enum", "collections.abc", "contextlib", "numbers", "torch"))
_LOGGER = ("level", "disabled", "_cache")  # what says whether a logging.Logger writes: the last is emptied at each change
_KEEPERS = (weakref.WeakKeyDictionary, weakref.WeakValueDictionary, weakref.WeakSet, collections.UserDict,
            collections.UserList, collections.ChainMap)
# What reading a variable raises where it is gone; the last, where another thread adds a key meanwhile.
GONE = (KeyError, IndexError, AttributeError, ValueError, RuntimeError)
_MOST = 20_000  # variables looked at; a program with more is not recorded
MOVING = frozenset(("lr", "momentum", "betas"))  # of an optimiser's groups: what schedulers change
# With these, code gets at attributes whose names it does not show; with those, at any global variable.
_ANY_NAME = """getattr hasattr setattr delattr vars attrgetter methodcaller asdict astuple str repr format __dict__
__getattribute__ __setattr__ __delattr__""".split()
_FREE = frozenset(("lr", "params"))  # of an optimiser's groups: read on each call
_OF_OPTIMIZERS = frozenset(("param_groups", "state", "_optimizer_step_pre_hooks", "_optimizer_step_post_hooks",
                            "_runners", "_opt_called"))  # looked at in other ways, or kobai's own notes


UNSET = type("Unset", (), {"__slots__": ()})()  # what is in a slot that was never set


class Slot(NamedTuple):
    """A variable: where it is (`kind`, `holder`, `key`), what it is called, what it was."""

    kind: str      # "cell", item of a "dict" or "list", the "keys" of a dict in their order, variable of a "class",
    #                "attribute" in a slot, "absent" from a dict, the "length" of a container
    holder: Any
    key: Any
    name: str
    value: Any

    def read(self):
        """What it is now."""
        if self.kind == "cell":
            return self.holder.cell_contents
        if self.kind == "attribute":
            return getattr(self.holder, self.key, UNSET)
        if self.kind == "keys":
            return keys_of(self.holder)
        if self.kind == "class":
            return vars(self.holder)[self.key]
        if self.kind == "absent":
            return self.holder.get(self.key)
        if self.kind == "length":
            return len(self.holder)
        return (dict if isinstance(self.holder, dict) else list).__getitem__(self.holder, self.key)  # as it is kept


class Guards:
    """The variables a recording depends on, the lengths of lists and sets among them, and the tensors.

    `names` are those of the attributes that its code may read; None: any. `caches` are the dicts of results that
    functions keep.
    """

    def __init__(self, slots, lengths, tensors=(), names=frozenset(), caches=()):
        self.slots, self.lengths, self.tensors, self.names, self.caches = slots, lengths, tensors, names, caches

    def containers(self) -> list:
        """The lists and dicts that variables lead to."""
        return [s.holder for s in self.slots if s.kind in ("keys", "list")] + [v for v, *_ in self.lengths]

    def sizes(self) -> list[int]:
        """How many results functions keep: a call that adds one does what the next ones need not do."""
        return [len(kept) for kept in self.caches]

    def changed(self) -> str | None:
        """The name of a variable that is not what it was, or None."""
        found = self.difference()
        return None if found is None else found.name

    def difference(self) -> Slot | None:
        """A variable that is not what it was, or None."""
        for slot in self.slots:
            kind, holder, key, _, value = slot
            try:  # the usual ones without a call: some hundred are looked at on each call that is not native
                if kind == "dict" and holder.__class__ is dict:
                    if holder[key] is value:
                        continue
                elif kind == "keys" and holder.__class__ is dict:
                    if len(holder) == len(value) and all(map(operator.is_, holder, value)):
                        continue
                elif slot.read() is value:
                    continue
            except GONE:
                return slot
            if is_another(slot):
                return slot
        for container, name, length in self.lengths:
            if len(container) != length:
                return Slot("length", container, None, name, length)
        return None

    def moved(self):
        """(id(group), name) of the numbers of optimisers that are others now: schedulers change some on each step."""
        found = [s for s in self.slots if s.kind == "dict" and type(s.key) is str and s.key in MOVING and "params" in s.holder]
        return [(id(s.holder), s.key) for s in found if s.holder.get(s.key) != s.value
                and _is_moving(s.holder.get(s.key)) and _is_moving(s.value)]


def name(slot):
    """What tells a variable from others."""
    return name_of(slot.kind, slot.holder, slot.key)


def name_of(kind, holder, key):
    """The same of a variable for which there is no slot yet; of keys that are tensors, say, two cannot be compared."""
    return kind, id(holder), key if isinstance(key, (str, int)) else id(key)


def key_of(slot) -> str | None:
    """The name by which code reads a variable, or None if it need not show one."""
    key = slot.name if slot.kind == "cell" else slot.key
    return key if type(key) is str else None


def is_another(slot) -> bool:
    """Whether a variable is not what it was."""
    try:
        now = slot.read()
    except GONE:
        return True
    value = slot.value
    return now is not value and not (now.__class__ is value.__class__ and now.__class__ in _PLAIN
                                     and exactly(now) == exactly(value) or slot.kind == "keys" and are_the_same(now, value))


def _is_moving(value):
    """Whether it is of a kind that a recording reads on each call."""
    return value.__class__ is float and value != 0 or value.__class__ is tuple and all(v.__class__ is float for v in value)


def keys_of(d) -> tuple:
    """The keys of a dict in their order, whatever its class says about it."""
    return tuple(collections.OrderedDict.__iter__(d) if isinstance(d, collections.OrderedDict) else dict.__iter__(d))


def are_the_same(now, before) -> bool:
    """Whether two tuples have the same objects."""
    return len(now) == len(before) and all(map(operator.is_, now, before))


class Untraceable(Exception):
    """Why the variables a function depends on cannot be followed."""


def collect(fn, codes, arguments=(), moving=frozenset(), known=frozenset(), kept=frozenset()) -> Guards:
    """The variables that `fn` and the code objects that ran look at, and those of objects among the arguments.

    Numbers of optimisers that are `moving` are left out, and what is in cells, defaults and partials whose ids are
    `known`, and the variables whose names are `kept`: the caller compares these, and gives tensors there as arguments.

    Raises:
        Untraceable: if code ran that no variable leads to, or there are too many.
    """
    walk = _Walk(codes, moving, known, kept)
    if not walk.names.isdisjoint(ANY_VARIABLE):
        raise Untraceable(f"it uses {min(walk.names & ANY_VARIABLE)}, which gives any variable")
    try:
        walk.start(fn, arguments)
    except Untraceable:
        raise
    except Exception as e:  # the user's classes may do anything when they are asked
        reason = f"its variables cannot be looked at: {type(e).__name__}: {e}"
        if _is_raised_inside(e) and not isinstance(e, RecursionError):  # which long chains of objects raise
            warnings.warn(f"kobai.compile: {reason}", UserWarning, stacklevel=2)
        raise Untraceable(reason) from e
    lost = {c for c in codes - walk.followed if not is_generated(c)}
    if lost:
        code = min(lost, key=lambda c: (c.co_filename, c.co_firstlineno))
        raise Untraceable(f"code ran whose variables cannot be followed ({code.co_filename}:{code.co_firstlineno} "
                          f"{code.co_name})")
    return Guards(walk.slots, walk.lengths, walk.tensors, None if walk.any_name else walk.names, walk.caches)


def _is_raised_inside(e) -> bool:
    """Whether code of kobai's raised something, not a method of the user's that it called."""
    last = e.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    return inside[last.tb_frame.f_code.co_filename]


class _Walk:
    def __init__(self, codes, moving, known=frozenset(), kept=frozenset()):
        self.codes, self.moving, self.known, self.kept = codes, moving, known, kept
        self.names = {n for c in codes for n in c.co_names}
        self.any_name = not self.names.isdisjoint(_ANY_NAME) or any(map(matches_classes, codes))
        self.followed: set = set()
        self.slots: list[Slot] = []
        self.lengths: list = []
        self.met: set = set()   # methods of kobai's that are noted
        self.caches: list = []  # dicts of results that functions keep
        self.tensors: list[Tensor] = []
        self.seen: dict[int, Any] = {}  # with the objects: the address of one that is gone may be another's

    def start(self, fn, arguments):
        """Walk from a function, and from objects among its arguments."""
        self.visit(fn, getattr(fn, "__qualname__", "the function"))
        for v in arguments:
            self.visit(v, f"argument of type {type(v).__name__}")
        for n in self.names & vars(Tensor).keys():  # which the user may exchange
            self.slot("class", Tensor, n, f"Tensor.{n}", vars(Tensor)[n])
        nn = loaded("kobai.nn.hooks")
        for hooks in nn.GLOBAL.values() if nn is not None else ():
            self.container(hooks, list(hooks), "the hooks of all modules")

    def slot(self, kind, holder, key, name, value):
        if len(self.slots) >= _MOST:
            raise Untraceable("it depends on too many variables")
        if self.kept and name_of(kind, holder, key) in self.kept:
            return
        self.slots.append(Slot(kind, holder, key, name, value))
        self.visit(value, name)

    def visit(self, v, name):
        """Note what `v` leads to."""
        kind = type(v)
        if kind in _PLAIN or id(v) in self.seen:
            return
        self.seen[id(v)] = v
        way = _WAYS.get(kind)
        if isinstance(v, Tensor):
            self._tensor(v, name)
        elif way is not None:
            getattr(self, way)(v, name)
        elif kind.__module__ == "kobai.compile.compiled":  # another compiled function, or this one, as `step` in opt.step()
            self.visit(v.fn, name)
            self._added(v, v.added(), name)
        elif isinstance(v, (list, tuple)):
            self._list(v, name)
            if kind is not list and kind is not tuple:
                self._object(v, name)
        elif isinstance(v, dict):
            self.container(v, keys_of(v), name)
            if isinstance(v, collections.defaultdict):
                self.slot("attribute", v, "default_factory", f"{name}.default_factory", v.default_factory)
            if kind is not dict:
                self._object(v, name)
        elif isinstance(v, type):
            if not inside[_file_of(v)]:
                self.visit(type(v), f"the class of {name}")
                self._class(v, name)
        elif isinstance(v, _KNOWN):
            return
        elif isinstance(v, types.ModuleType) and inside[_file_of(kind)]:  # torch, as kobai makes it for a program
            self._variables(v, name)
        elif _hides(kind):
            raise Untraceable(f"{name} is an object of type {kind.__name__}, whose state cannot be seen")
        else:
            self._object(v, name)

    def _wrapper(self, v, name):
        """A property, a method of a class, or the like: the functions in it."""
        for part in ("fget", "fset", "__func__", "func"):
            self.visit(getattr(v, part, None), name)

    def _partial(self, v, name):
        self._wrapper(v, name)
        if id(v) in self.known:
            self.visit(tuple([i for i in (*v.args, *v.keywords.values()) if not isinstance(i, Tensor)]), name)
        else:
            self.visit((v.args, v.keywords), name)

    def _method(self, v, name):
        self.visit(v.__self__, name)
        self.visit(v.__func__, name)

    def _bound(self, v, name):
        """A method written in C, such as `items.pop`, or `itertools.count().__next__`."""
        if not isinstance(v.__self__, (types.ModuleType, type)):
            self.visit(v.__self__, name)

    def _view(self, v, name):
        self.visit(gc.get_referents(v)[0], name)

    def _frozen(self, v, name):
        self._list(tuple(v), name)

    def _set(self, v, name):
        if v and not name.endswith("._non_persistent_buffers_set"):
            raise Untraceable(f"{name} is a set, which may change")
        self.lengths.append((v, f"len({name})", len(v)))

    def _variables(self, v, name):
        """The variables of a module that code may read by name."""
        file = _file_of_module(v)
        own = inside[file] or _is_library[file]
        if v is sys and "modules" in self.names:
            raise Untraceable("it uses sys.modules, which gives any variable")
        if self.any_name and not own:
            self.keys(vars(v), f"the variables of {name}")
        for n in list(vars(v)) if self.any_name and not own else self.names & vars(v).keys():
            self.slot("dict", vars(v), n, f"{name}.{n}", vars(v)[n])

    def _tensor(self, v, name):
        """What is asked of a tensor beside its numbers."""
        self.slot("attribute", v, "_rg", f"{name}.requires_grad", v._rg)
        self.tensors.append(v)
        self.visit(type(v), type(v).__name__)
        attributes = v.__dict__
        self.keys(attributes, f"the attributes of {name}")
        for n in [n for n in attributes if n not in _IN_THE_GRAPH and (self.any_name or n in self.names)]:
            self.slot("dict", attributes, n, f"{name}.{n}", attributes[n])
        if v._rg:
            self.slots.append(Slot("attribute", v, "_node", f"{name}.grad_fn", v._node))
        if v._rg and v._node is None and "_hooks" in attributes:
            self.slot("dict", attributes, "_hooks", f"the hooks of {name}", attributes["_hooks"])
        if v._base is not None:
            self.visit(v._base, f"{name}._base")

    def _cached(self, v, name):
        """A function with functools.lru_cache: itself, and what it keeps, which must not be forgotten."""
        self.visit(v.__wrapped__, name)
        for part in gc.get_referents(v):
            if type(part) is dict and part is not v.__dict__:
                for k, kept in part.items():
                    self.slots.append(Slot("dict", part, k, f"the results that {name} keeps", kept))
                    self.visit(k, name)
                    if type(kept).__name__ != "_lru_list_elem":  # of a cache of limited size: results are seen beside it
                        self.visit(kept, f"a result that {name} keeps")
                self.caches.append(part)
            elif type(part) not in (type, object, types.FunctionType):
                self.visit(part, f"a result that {name} keeps")

    def _list(self, v, name):
        if isinstance(v, tuple):  # its items stay
            for i, item in enumerate(v):
                self.visit(item, f"{name}[{i}]")
            return
        self.lengths.append((v, f"len({name})", len(v)))
        for i, item in enumerate(v):
            self.slot("list", v, i, f"{name}[{i}]", item)

    def container(self, v, keys, name):
        """Note which keys a dict has, and what is at `keys`."""
        self.keys(v, f"len({name})")
        for k in keys:
            self.slot("dict", v, k, f"{name}[{k!r}]" if isinstance(k, (str, int)) else name, dict.__getitem__(v, k))
            if not isinstance(k, weakref.ref):
                self.visit(k, f"a key of {name}")

    def keys(self, v, name):
        """Note which keys a dict has, and in which order."""
        self.slots.append(Slot("keys", v, None, name, keys_of(v)))

    def _function(self, f, name):
        code = f.__code__
        if inside[code.co_filename]:
            inner = getattr(f, "__wrapped__", None)
            for cell in f.__closure__ or ():
                if (inner is not None or id(f) in self.known) and _filled(cell):
                    self._content(cell, name)
            return
        if f.__dict__:
            self.slots.append(Slot("attribute", f, "__dict__", f"the attributes of {name}", f.__dict__))
            self._added(f, f.__dict__, name)
        if code not in self.codes:
            return
        self._follow(code)
        for module in imported(code):
            self._module(module)
        for part in ("__code__", "__defaults__", "__kwdefaults__"):
            self.slots.append(Slot("attribute", f, part, f"{name}.{part}", getattr(f, part)))
        for variable, cell in zip(code.co_freevars, f.__closure__ or ()):
            if id(cell) in self.known:
                self._content(cell, variable)
            elif _filled(cell):
                self.slot("cell", cell, None, variable, cell.cell_contents)
        space = f.__globals__
        for n in names_in(code):
            if n in space:
                self.slot("dict", space, n, n, space[n])
            else:  # a built-in function, or a name that nothing has yet
                self.slot("absent", space, n, n, None)
                if n in vars(builtins):
                    self.slot("dict", vars(builtins), n, n, vars(builtins)[n])
        if f.__kwdefaults__:
            self.keys(f.__kwdefaults__, f"{name}.__kwdefaults__")
        for k, v in (f.__kwdefaults__ or {}).items():
            if not (id(f) in self.known and isinstance(v, Tensor)):
                self.slot("dict", f.__kwdefaults__, k, k, v)
        for v in f.__defaults__ or ():
            if not (id(f) in self.known and isinstance(v, Tensor)):
                self.visit(v, name)

    def _added(self, f, names, name):
        """Note attributes that the user gave to a function."""
        if names or self.any_name:
            self.container(vars(f), [n for n in names if self.any_name or n in self.names], name)

    def _module(self, name):
        """Note which module an import inside of a function gives."""
        part = ""
        for n in name.split("."):
            part = f"{part}.{n}" if part else n
            if part not in sys.modules:
                raise Untraceable(f"it imports {name or 'from its own package'}")
            self.slot("dict", sys.modules, part, part, sys.modules[part])

    def _content(self, cell, name):
        """Note what the content of a cell leads to, of which it is known that it stays or is compared."""
        if not (id(cell) in self.known and isinstance(cell.cell_contents, Tensor)):
            self.visit(cell.cell_contents, name)

    def _follow(self, code):
        """This code, and functions and comprehensions defined in it, have their variables noted."""
        self.followed.add(code)
        for c in code.co_consts:
            if isinstance(c, types.CodeType):
                self._follow(c)

    def _class(self, v, name):
        """What the code names in a user's class, and its functions that ran under whatever name."""
        for base in v.__mro__:
            if base is object or inside[_file_of(base)] or id(base) in self.seen and base is not v:
                continue
            self.seen[id(base)] = base
            self.slots.append(Slot("attribute", base, "__mro__", f"the bases of {base.__name__}", base.__mro__))
            kept = gc.get_referents(vars(base))[0]  # a new one may stand before that of a class it derives from
            self.keys(kept, f"the attributes of {base.__name__}")
            for n, got in list(kept.items()):
                if self.any_name or n in self.names or any(f.__code__ in self.codes for f in _functions(got)):
                    self.slot("class", base, n, f"{base.__name__}.{n}", got)

    def _object(self, v, name):
        """The attributes of an object: all of kobai's own and of modules, of others those that the code names."""
        own = inside[_file_of(type(v))]
        self.visit(type(v), type(v).__name__)
        self._calls(type(v))
        if not own:
            self.slots.append(Slot("attribute", v, "__class__", f"the class of {name}", type(v)))
        attributes = getattr(v, "__dict__", None)
        if isinstance(attributes, dict):
            self.slots.append(Slot("attribute", v, "__dict__", f"the attributes of {name}", attributes))
            module = "_parameters" in attributes and "_modules" in attributes
            if attributes.keys() >= {"param_groups", "defaults", "state"}:
                return self._optimizer(v, name)
            self.keys(attributes, f"the attributes of {name}")
            if isinstance(v, types.SimpleNamespace):
                everything = self.any_name or any(map(compares, self.codes))
            else:
                everything = own or module or self.any_name or isinstance(v, _KEEPERS) or _is_of_library(type(v))
            names = _LOGGER if isinstance(v, logging.Logger) else attributes if everything else self.names & attributes.keys()
            for n in list(names):
                self.slot("dict", attributes, n, f"{name}.{n}", attributes[n])
        if not own:
            for base in type(v).__mro__:
                for n, d in vars(base).items():
                    if isinstance(d, types.MemberDescriptorType) and (self.any_name or n in self.names):
                        self.slot("attribute", v, n, f"{name}.{n}", getattr(v, n, UNSET))

    def _calls(self, cls):
        """What a module or an optimiser of kobai's does when it is called, in which the user may put something else."""
        for n in ("forward", "step", "zero_grad"):
            home = next((base for base in cls.__mro__ if n in vars(base)), None)
            if home is not None and inside[_file_of(home)] and (n, cls) not in self.met:
                self.met.add((n, cls))
                for base in cls.__mro__[:cls.__mro__.index(home)]:
                    self.slots.append(Slot("absent", gc.get_referents(vars(base))[0], n, f"{base.__name__}.{n}", None))
                self.slot("class", home, n, f"{home.__name__}.{n}", vars(home)[n])

    def _reads_groups(self) -> bool:
        """Whether the user's code looks at the options of optimisers, beside kobai's own formulas, which read them each time."""
        return "param_groups" in self.names or any("lr" in c.co_consts or "lr" in c.co_names for c in self.codes)

    def _optimizer(self, v, name):
        """Its options, and which tensors its state holds; learning rates are read on each call."""
        self.keys(vars(v), f"the attributes of {name}")  # such as a `step` of its own
        for n in (vars(v).keys() if self.any_name else self.names & vars(v).keys()) - _OF_OPTIMIZERS:
            self.slot("dict", vars(v), n, f"{name}.{n}", vars(v)[n])
        for n in ("param_groups", "state"):
            self.slots.append(Slot("dict", vars(v), n, f"{name}.{n}", vars(v)[n]))
        searches = "line_search_fn" in v.defaults and "state" not in self.names  # L-BFGS, whose step is not recorded
        for p, kept in v.state.items() if not searches else ():
            self.slots.append(Slot("dict", v.state, p, f"{name}.state", kept))
            self.lengths.append((kept, f"{name}.state", len(kept)))
            self.slots += [Slot("dict", kept, k, f"{name}.state[...][{k!r}]", t) for k, t in kept.items()]
        if not searches:
            self.lengths.append((v.state, f"{name}.state", len(v.state)))
        self.lengths.append((v.param_groups, f"{name}.param_groups", len(v.param_groups)))
        for hooks in [vars(v)[n] for n in ("_optimizer_step_pre_hooks", "_optimizer_step_post_hooks") if n in vars(v)]:
            self.container(hooks, list(hooks), f"the hooks of {name}")  # else it has none, and no dict for them
        for i, group in enumerate(v.param_groups):
            where = f"{name}.param_groups[{i}]"
            self.slots.append(Slot("list", v.param_groups, i, where, group))
            self.slot("dict", group, "params", f"{where}['params']", group["params"])
            if self._reads_groups():
                for k in group.keys() - {"params"}:
                    self.slot("dict", group, k, f"{where}[{k!r}]", group[k])
                continue
            for k in group.keys() - _FREE - {k for k in MOVING if (id(group), k) in self.moving}:
                self.slot("dict", group, k, f"{where}[{k!r}]", group[k])
            for k in MOVING - {"lr"}:
                if (id(group), k) in self.moving and not _is_moving(group.get(k)):
                    self.slot("dict", group, k, f"{where}[{k!r}]", group.get(k))
            if group.get("lr").__class__ is not float:
                self.slot("dict", group, "lr", f"{where}['lr']", group.get("lr"))


# The methods that go on from objects of just these types, by name: `before.Before` has some of its own.
_WAYS = {
    functools._lru_cache_wrapper: "_cached", types.FunctionType: "_function", types.MethodType: "_method",
    **dict.fromkeys((property, staticmethod, classmethod, functools.cached_property), "_wrapper"),
    functools.partial: "_partial", types.ModuleType: "_variables", frozenset: "_frozen", set: "_set",
    **dict.fromkeys((types.BuiltinFunctionType, types.MethodWrapperType), "_bound"),
    **dict.fromkeys((types.MappingProxyType, type({}.keys()), type({}.values()), type({}.items())), "_view"),
}


def _file_of_module(v):
    """As `_file_of`; a module without a file is Python's own, kobai's, or one that the user made."""
    own = v.__name__.partition(".")[0] in _OWN or v.__name__ in sys.builtin_module_names
    return "<kobai" if own else getattr(v, "__file__", None) or ""


def _hides(cls) -> bool:
    """Whether objects of a class keep something that is neither in their attributes nor in slots."""
    while cls not in _OPEN:
        words = (cls.__basicsize__ - cls.__base__.__basicsize__) // 8
        slots = sum(isinstance(v, types.MemberDescriptorType) for v in vars(cls).values())
        if words > slots + ("__dict__" in vars(cls)) + ("__weakref__" in vars(cls)):
            return True
        cls = cls.__base__
    return False


def _is_of_library(cls) -> bool:
    """Whether a class has methods of Python's library, which look at attributes that the user's code does not name."""
    return any(_is_python[_file_of(base)] and base.__module__ not in _WITHOUT_STATE for base in cls.__mro__)


def _functions(v):
    """The Python functions in what stands in a class."""
    found = (v, getattr(v, "__func__", None), getattr(v, "fget", None), getattr(v, "fset", None), getattr(v, "func", None))
    return [f for f in found if isinstance(f, types.FunctionType)]


def _filled(cell):
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


_OWN = frozenset(("builtins", "torch", "kobai", "collections", "functools"))


def _file_of(cls):
    """A file name that says whether a class is kobai's or Python's own (as if inside), or the user's."""
    if cls.__module__.partition(".")[0] in _OWN:
        return "<kobai"
    return getattr(sys.modules.get(cls.__module__), "__file__", None) or ""
