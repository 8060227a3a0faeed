"""The short ways of `kobai.op` as machine code, once a program has recorded many ops.

A short way is a page of Python whatever the op: look at the inputs, compute, make the Tensor and its node.  For small
arrays that takes several times as long as computing.  Machine code that reads and makes the same objects does it in
a fraction, for all ops alike: what it has to know of one is a record (`_record_of`), and what a rule wants saved, a page.
It makes the same calls into NumPy, so that no number changes, and what is out of the ordinary it leaves to Python.
"""
from __future__ import annotations

import ctypes
import inspect
import os
import struct
import sys
import sysconfig
import threading
import types

import numpy as np

from kobai import exact, op as ops
from kobai.autograd.mode import modes, runs
from kobai.autograd.node import Node, inside, orders
from kobai.backends import ahead, forms, llvm, pick
from kobai.backends.apply_code import text
from kobai.backends.apply_parts import (
    DTYPE,
    FILENAME,
    ITEMS,
    KNOWN_TYPES,
    NODE,
    ONCE,
    OWN,
    PLAN,
    RECORD,
    RESULT,
    SHAPE,
    VALUE,
    VARIADIC,
    WORDS,
)
from kobai.backends.entry import _looks_as_known as _looks_as_entry_knows
from kobai.backends.native import _FASTCALL, _MethodDef, _new_function
from kobai.compile.kernel import NoKernel
from kobai.dtypes import dtype, settings
from kobai.general import CONSTANT, apply_any, grad_mask, record, share
from kobai.inplace import inplace_op
from kobai.large import NEVER, Pace, backward as large_backward, small
from kobai.later import after_loading, loaded
from kobai.public import formed
from kobai.rules import compiled_rules
from kobai.tensor import Size, Tensor, refresh, wrap

_WAY1, _WAY_VIEW, _WAY2, _WAY3 = ops.short_ways
_WAYS = {**dict(zip(ops.short_ways, (1, 1, 2, 3))), ops.any_way: 0, inplace_op: 0}  # Python's: how many inputs; 0: any number
_kept: list = []                              # objects whose addresses machine code has
_pages: dict = {}                             # rule -> what it wants saved, in words
_types = np.zeros(KNOWN_TYPES, np.int64)      # plain types of tensors


# ---- what machine code knows of an op --------------------------------------------------------
def learn(op, *inputs):
    """Python's way, and from the second time on what that has found out about the op."""
    if op.view and len(inputs) > 1 or len(inputs) > 3 and not op.variadic:
        op._native = _NEVER
        return apply_any(op, inputs)
    if op.outputs != 1 or len(inputs) > 3:
        out = apply_any(op, inputs)
    else:
        out = (_WAY_VIEW if op.view else _WAY1, _WAY2, _WAY3)[len(inputs) - 1](op, *inputs)
    if getattr(op, "_native", None) is None:  # many are applied only once, such as those of x[i] in a loop
        op._native = _ONCE
        return out
    needs = grad_mask(inputs)
    if needs and not op.variadic and op.differentiable and op._plans[needs] is None:
        op._plans[needs] = compiled_rules(type(op), needs, False)
    _know(op, len(inputs))
    return out


def learn_in_place(op, a, *others):
    """The same for a change in place."""
    out = inplace_op(op, a, *others)
    if op.outputs == 1 and len(op.inputs) < 4:
        if getattr(op, "_native", None) is None:
            op._native = _ONCE
        else:
            _know(op, 1 + len(others))
    return out


def _know(op, count):
    """Have machine code know of an op what is known now; the op keeps what an earlier record points to, too."""
    with _lock:
        words, objects = _record_of(op, count)
        if op._native[0] != words:
            op._native = words, objects, op._native
    _know_types()


def _record_of(op, count):
    """The words that `RECORD` names, and for each set of inputs that require grad a plan; the objects they point to."""
    forward = inspect.getattr_static(type(op), "forward")
    is_method = type(forward) is types.FunctionType
    usable = (op.variadic or len(op.inputs) == count) and "forward" not in vars(op) and (not op.view or count == 1) \
        and (is_method or type(forward) in (types.BuiltinFunctionType, np.ufunc)) \
        and (op.outputs == 1 or not op.view or hasattr(op, "sizes"))
    ufunc = getattr(op, "ufunc", None)
    least = min(op.least, (1 << 63) - 1)
    commons = sum(1 << i for i in range(count) if op.variadic or op.inputs[i] in op.common) if op.common and usable else 0
    words = [(VARIADIC if op.variadic else count) if usable else 0, id(forward), is_method, least, op.elementwise and count > 1,
             op.differentiable, op.view, id(op.Node), id(ufunc) if type(ufunc) is np.ufunc else 0,
             -1 if op.variadic and op.common else commons, _loose(op), op.floats, op.outputs != 1, _pace(op)]
    objects = [forward, ufunc, op.Node, op.pace]
    for needs in range(1, 1 << count if not op.variadic else 1):
        words += _plan(op, needs, op._plans[needs], objects)
    return _words(words), objects


def _loose(op):
    """What an op takes but floats, as bits: 1 everything; if all of its inputs are of one dtype, 2 int64, 4 bool."""
    if op.takes is None:
        return 1
    bits = 0
    for bit, d in ((2, np.int64), (4, np.bool_)) if set(op.inputs) <= set(op.common) else ():
        try:
            op.takes([wrap(np.zeros(1, d)) for _ in op.inputs])
            bits += bit
        except Exception:
            continue
    return bits


def _pace(op):
    """The address of the words in which `kobai.large` writes what computes large arrays now."""
    if op.least == NEVER:
        return 0
    if op.pace is None:
        op.pace, op.quick = Pace(), {}  # asked anew, `attempt` sets it
    return op.pace.words.ctypes.data


def _plan(op, needs, rules, objects):
    """The words of a plan, if (save, vjp) are known."""
    if rules is None:
        return [0] * PLAN
    save, vjp = rules
    page = _pages.get(vjp)
    if page is None:
        _pages[vjp] = page = _page(op, vjp.asks)
    of_large = vjp if op.least == NEVER else large_backward(op, needs, vjp)
    objects.extend([vjp, of_large])
    return [id(vjp), ctypes.addressof(page), id(of_large)]


def _page(op, asks):
    """What a rule wants saved: how many values and version cells; what and of which value; of which tensors."""
    values, cells = [], []
    for ask in asks:
        name, what = next(((n, w) for n in (*op.inputs, "y") for end, w in (("", VALUE), ("_shape", SHAPE), ("_dtype", DTYPE))
                           if n + end == ask), None)
        number = RESULT if name == "y" else op.inputs.index(name)
        values += [what, number]
        if what == VALUE:
            cells.append(number)
    cells.sort(key=lambda c: c == RESULT)  # the result's comes last
    words = [len(asks), len(cells), *values, *cells]
    return (ctypes.c_int64 * len(words))(*words)


def _know_types():
    """Parameters and buffers are plain tensors; their module may have been imported since."""
    nn = loaded("kobai.nn.parameter")
    found = [Tensor, *([nn.Parameter, nn.Buffer] if nn else ())]
    _types[:] = id(Tensor)
    _types[:len(found)] = [id(t) for t in found]


def _words(numbers):
    return struct.pack(f"={len(numbers)}q", *map(int, numbers))


_ONCE, _NEVER = ((_words([usable, *[0] * len(RECORD)]),) for usable in (ONCE, 0))
_lock = threading.RLock()  # the collector may run a program's code, and that ops


def _parts(op):
    """The ops that make the results of a view op of many one by one."""
    return op.__dict__.get("_parts") or op.__dict__.setdefault("_parts", tuple([op.one(i) for i in range(len(op.sizes))]))


def _odd(op, a, x, y):
    """The end of an op of one input whose result has another dtype."""
    out = wrap(y)
    if op.view:
        share(op, a, out)
    record(op, (a,), (x,), out, y, 1, y.dtype.kind == "c")
    return out


# ---- in place of Python's ways ---------------------------------------------------------------
def begin():
    """Have `install` done by another thread: LLVM takes 10 milliseconds, or 50 if it has to be loaded."""
    ahead.start(_try)


def _try():
    try:
        install()
    except NoKernel:
        return


def install():
    """Have ops applied by machine code from now on; False where that is not possible."""
    with _installing:  # several threads may have recorded many ops
        return _install()


_installing = threading.Lock()
if hasattr(os, "register_at_fork"):
    for lock in (_lock, _installing):
        os.register_at_fork(after_in_child=lock._at_fork_reinit)  # another thread may have it, which is not there then


def _install():
    if natives or not _looks_as_known():
        return bool(natives)
    machine = llvm.machine()
    addresses = machine.load(machine.assemble_glue(text()), "apply", "in_place", "door")
    of_op, in_place, door = (_MethodDef(b"apply", address, _FASTCALL, None) for address in addresses)
    thread = np.array([-1, 0, 0, 0, 0], np.int64)
    names = {n: sys.intern(n) for n in ("__dict__", "grad", "pack", "shape", "dtype", "_chain", "_seen", "_rebased", "autocast")}
    _know_types()
    _kept.extend([of_op, in_place, door, thread, *names.values()])
    found = {
        "learn": learn, "modes": modes, "none": None, "true": True, "false": False, "zero": 0, "one": 1,
        "array_type": np.ndarray, "float_type": float, "int_type": int, "scalar32": np.float32, "scalar64": np.float64,
        "descr32": np.dtype(np.float32), "descr64": np.dtype(np.float64), "descr_int": np.dtype(np.int64),
        "descr_bool": np.dtype(np.bool_), "scalar_int": np.int64, "scalar_bool": np.bool_, "constant": CONSTANT._ver,
        "refresh": refresh,
        "share": share, "order": orders, "getframe": sys._getframe, "inside": inside, "tensor_type": Tensor,
        "odd_way": _odd, "parts": _parts,
        "dict_name": names["__dict__"], "grad_name": names["grad"], "pack_name": names["pack"],
        "shape_name": names["shape"], "dtype_name": names["dtype"],
        "chain_name": names["_chain"], "seen_name": names["_seen"], "rebased_name": names["_rebased"],
        "autocast_name": names["autocast"], "missing": forms.MISSING, "str_type": str, "dtype_type": dtype, "size_type": Size,
        "tuple_type": tuple, "list_type": list, "dict_type": dict,
        "slice_type": slice, "ellipsis": ...}
    words = {k: id(v) for k, v in found.items()}
    _kept.append(found)
    words |= {"watched": ops.watched.ctypes.data, "thread": thread.ctypes.data, "tensor_types": _types.ctypes.data}
    words |= {"table": forms.table.ctypes.data, "settings": settings.ctypes.data,
              "seeds": runs.seeds.buffer_info()[0], "ranks": 0, "any": 0}
    words |= {f"large{i}": id(f) for i, f in enumerate(ops.large_ways, 1)}
    for way, inputs in _WAYS.items():
        own = words | {"otherwise": id(way), "inputs": inputs}
        if way is inplace_op:
            own["learn"] = id(learn_in_place)
        block = _words([own[w] for w in WORDS])
        natives.append(_new_function(ctypes.byref(in_place if way is inplace_op else of_op), block, None))
        if way is ops.any_way:
            words["any"] = id(block)
    own = words | {"otherwise": 0, "learn": id(forms.learn), "inputs": 0}
    for ranks in (0, 1):
        doors.append(_new_function(ctypes.byref(door), _words([(own | {"ranks": ranks})[w] for w in WORDS]), None))
    natives_of_small.extend(pick.load())
    use(True)
    return True


natives: list = []  # what stands in for `_WAYS`
natives_of_small: list = []  # for `kobai.large.small`
doors: list = []    # for functions by the form of their arguments, and by the ranks of their tensors


def use(native):
    """Have all modules that use a short way use machine code, or Python again."""
    for way, other in zip(_WAYS, natives):
        _replace(way, other) if native else _replace(other, way)
    forms.open_doors(native)
    small.pick, small.top, small.unit = natives_of_small if native else (None, None, None)
    exact.few[:] = [_few_pairs] if native else []
    if native:
        _put_doors()


def _few_pairs(u1, u2):
    """Normal numbers of a few pairs of uniform ones: the code is made when it is first needed."""
    from kobai.backends import eager  # noqa: PLC0415  (few programs draw so few normal numbers)
    from kobai.compile.builder import build  # noqa: PLC0415
    run = eager.Program(build(exact.box_muller, ["f32", "f32"], "box_muller")).call
    if exact.few:
        exact.few[0] = run
    return run(u1, u2)


@after_loading
def _put_doors():
    """Doors for the functions imported so far."""
    if doors:
        forms.put_doors(formed, doors)


def _replace(way, other):
    for name, module in sys.modules.copy().items():  # copies, which are made at once: other threads import meanwhile
        if name.partition(".")[0] == "kobai" and name != __name__ and module is not None:
            for key, value in vars(module).copy().items():
                if value is way:
                    setattr(module, key, other)


def _looks_as_known():
    """Whether objects of this Python lie in memory as the machine code reads and writes them."""
    if sys.implementation.name != "cpython" or not (3, 11) <= sys.version_info[:2] <= (3, 13) \
            or sysconfig.get_config_var("Py_GIL_DISABLED") or not _looks_as_entry_knows() or not llvm.bridge().works:
        return False

    def words(thing, offset, count=1):
        return [*(ctypes.c_int64 * count).from_address(id(thing) + offset)]
    node = Node(*[object() for _ in range(6)])
    pair, code, op = (object(), object()), _words.__code__, object.__new__(ops.Op)
    op._native = pair
    return (words(op, OWN) == [id(pair)] and words(pair, ITEMS, 2) == [*map(id, pair)]
            and all(words(node, offset) == [id(getattr(node, name))] for name, offset in NODE.items())
            and words(code, FILENAME) == [id(code.co_filename)])
