"""What the passes made of a graph, kept on disk: `passed(graph, make)`.

The passes take a tenth of a millisecond for each op of a graph; what they made is read in a fifth of that.  The key
is the graph written out, with the bytes of its constants, and the versions of the compiler and of the ops.  What is
kept has no graph any more: values stand for memory, and know their shape only.
"""
from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kobai.compile import cache
from kobai.compile.fuse import OpStep
from kobai.compile.graph import Graph, Node, Value
from kobai.compile.kernel import Kernel, number_text
from kobai.compile.memory import Arrangement, Place
from kobai.op import Op

LEAST = 100      # ops of a graph that is worth a file
MOST = 1 << 24   # bytes of constants in one


def passed(graph: Graph, make: Callable[[], Arrangement]) -> Arrangement:
    """What `make` gives for a graph: from the disk, if the same was made before."""
    key = key_of(graph) if len(graph.nodes) >= LEAST and cache.store() is not None else None
    if key is None:
        return make()
    made: list[Arrangement] = []

    def pack() -> bytes:
        made.append(make())
        return _pack(graph, made[0])
    try:
        packed = cache.remembered(key, pack)
    except (pickle.PicklingError, AttributeError, TypeError):
        if not made:
            raise
    if made:
        return made[0]
    try:
        return _unpack(graph, packed)
    except Exception:
        return make()


def key_of(graph: Graph) -> str | None:
    """A name for all graphs that are the same but for where their inputs come from; None if there is none."""
    names: dict[Value, str] = {v: f"i{i}" for i, v in enumerate(graph.inputs)}
    parts: list = [cache.fingerprint(), _ops()]
    size = 0

    def name(v):
        nonlocal size
        if not isinstance(v, Value):
            return "-" if v is None else f"{v.dtype}{number_text(v.item())}"
        if v not in names:  # a constant
            array = np.asarray(v.constant)
            parts.append(f"{array.dtype} {array.shape} {array.strides}")
            array = array if any(array.strides) else array[(slice(0, 1),) * array.ndim]  # one number all over
            if array.nbytes > MOST:
                parts.append("")
                names[v], size = "", MOST + 1
                return ""
            parts.append(array.tobytes().hex() if array.nbytes < 64 else cache.digest(array.tobytes()))
            names[v], size = f"c{len(names)}", size + array.nbytes
        return names[v]
    parts += [f"{v!r} {v.strides}" for v in graph.inputs]
    for n, node in enumerate(graph.nodes):
        op = f"{type(node.op).__module__} {node.op!r}"
        own_text = any("__repr__" in vars(c) for c in type(node.op).__mro__ if c not in (Op, object))
        if " at 0x" in op or own_text:
            return None  # a field that is not known by its text, or not told
        args = " ".join(map(name, node.args))
        for i, v in enumerate(node.outs):
            names[v] = f"{n}.{i}"
        parts.append(f"{op} {args} {[(v.shape, v.dtype.str) for v in node.outs]}")
        if size > MOST:
            return None
    parts.append(" ".join(map(name, graph.outputs)))
    parts += [f"{name(a)} {name(b)}" for a, b in graph.writes]
    return cache.digest("plan", *parts)


_ops_version: str | None = None


def _ops() -> str:
    """A name for the version of the ops, whose rules the passes use."""
    global _ops_version
    if _ops_version is None:
        files = sorted((Path(__file__).parents[1] / "ops").glob("*.py"))
        _ops_version = cache.digest(*[f"{p.name} {p.stat().st_mtime_ns} {p.stat().st_size}" for p in files])
    return _ops_version


class _Pickler(pickle.Pickler):
    def __init__(self, file, graph: Graph):
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.inputs = {v: i for i, v in enumerate(graph.inputs)}

    def persistent_id(self, obj):
        return self.inputs.get(obj) if isinstance(obj, Value) else None

    def reducer_override(self, obj):
        if isinstance(obj, Value):
            return _value, (obj.shape, obj.dtype, obj.strides, obj.constant)
        if isinstance(obj, Kernel):  # a copy: another thread, which compiles it, may be adding what it has found out
            return _kernel, (vars(obj).copy(),)
        if isinstance(obj, OpStep):
            return _op_step, (obj.node.op, obj.node.args, obj.reads, obj.writes)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, graph: Graph):
        super().__init__(file)
        self.inputs = graph.inputs

    def persistent_load(self, number):
        return self.inputs[number]


def _value(shape, dtype, strides, constant) -> Value:
    return Value(shape, dtype, strides=strides, constant=constant)


def _kernel(state) -> Kernel:
    kernel = Kernel.__new__(Kernel)
    vars(kernel).update(state)
    return kernel


def _op_step(op, args, reads, writes) -> OpStep:
    step = OpStep.__new__(OpStep)
    step.node, step.reads, step.writes = Node(op, args, []), reads, writes
    return step


def _pack(graph: Graph, made: Arrangement) -> bytes:
    file = io.BytesIO()
    places = [(v, tuple(place)) for v, place in made.places.items()]
    _Pickler(file, graph).dump((made.steps, places, made.size))
    return file.getvalue()


def _unpack(graph: Graph, packed: bytes) -> Arrangement:
    steps, places, size = _Unpickler(io.BytesIO(packed), graph).load()
    return Arrangement(steps, {v: Place(*place) for v, place in places}, size)
