"""Notes everything a program computes while it runs: operations, modules, backward, training steps.

Nothing of kobai looks whether somebody records. Instead a `Recording` replaces, while it lasts, the `forward` of
each op class and `engine.propagate`; so a program that is not viewed pays nothing.
"""

from __future__ import annotations

import sys
import threading
from sys import _getframe
from time import perf_counter

import numpy as np

from .. import general, inplace, large, op as core
from ..autograd import engine, function
from ..autograd.mode import modes
from ..autograd.node import Freed, Node, Port, here, inside, next_order
from ..compile.compiled import Compiled
from ..nn import hooks as nn_hooks
from ..nn.blame import name_in
from ..op import Op, registry
from ..saved import raw_saved
from ..tensor import Tensor
from .film import Onlooker, filmed
from .graph import tensors_in
from .trace import Call, ModuleCall, Source, Trace, Training, kept, name_results
from .values import FEW, summary

MOST_CALLS = 100_000  # of one step; what comes later is not noted
MOST_STEPS = 200
MOST_BYTES = 1 << 30  # of arrays of one step
EARLIER = 2  # steps whose operations are kept if no backward has gone through them

# Where an operation is applied to tensors -> the names of the tensors in that function.
SITES = {
    **dict(zip([way.__code__ for way in core.short_ways], (("a",), ("a",), ("a", "b"), ("a", "b", "c")))),
    general.apply_any.__code__: "inputs", general.compute.__code__: "tensors",
}


class Recording:
    """``with Recording() as r:`` notes what is computed inside, in this thread; `trace` is the result.

    A training loop is noted step by step, a step ending with ``backward()``: the trace has the whole graph of
    the last step, and loss, parameters and gradients of up to 200 steps evenly over the program.

    >>> import kobai
    >>> w = kobai.tensor(2.0, requires_grad=True)
    >>> with Recording() as r:
    ...     y = w * 3
    ...     y.backward()
    >>> [(call.label, call.name) for call in r.trace().calls]
    [('mul', 'y')]
    """

    def __init__(self):
        self.thread = threading.get_ident()
        self.on = False
        self.busy = 0  # inside an op, or in backward: what is computed there is not the program's
        self.names: dict[int, tuple] = {}  # id of a tensor -> (name, tensor)
        self.models: dict[int, object] = {}  # id of a parameter -> the outermost module that was called
        self.training: list[Training] = []
        self.stride, self.passes = 1, 0
        self.shortened = False
        self.done: Trace | None = None
        self._undo: list = []
        self._forwards: dict[type, object] = {}  # what watched op classes really compute
        self._module: list[ModuleCall] = []
        self._roots: list = []
        self._earlier: list[list[Call]] = []  # of the last steps, what a later backward may still go through
        self._new_step()

    def _new_step(self) -> None:
        """Forget a step, but for the operations whose graph is still there: a second loss, a generator's pictures."""
        earlier = [call for step in self._earlier for call in step]
        self.calls: list[Call] = []
        self._held = 0  # bytes of arrays that are kept
        self._made: dict[int, tuple] = {  # id of an array -> (Call, output number, the array)
            id(v): (c, i, v) for c in earlier for i, v in enumerate(c.outs)}
        self._by_order: dict[int, Call] = {c.order: c for c in earlier}
        self._by_node: dict[Node, Call] = {c.node: c for c in earlier if c.node is not None and c.op is None}
        self._cut: dict[int, tuple] = {}  # id of a detached tensor -> (Call, the tensor)
        self._sources: dict[int, Source] = {id(made[0].tensor): made[0] for c in earlier for made in c.inputs
                                            if made and isinstance(made[0], Source) and made[0].tensor is not None}
        self._paths: dict[tuple, int] = {}

    # ---- begin and end -----------------------------------------------------------------------
    def __enter__(self):
        self.thread, self.on = threading.get_ident(), True
        core.leave_to_python(True)
        self._undo.append(lambda: core.leave_to_python(False))
        for cls in [*registry.here()]:  # those that are not imported yet are watched once they are
            self._watch_class(cls)
        self._replace(Op, "__init_subclass__", classmethod(self._new_class(vars(Op)["__init_subclass__"])))
        for owner in (core, large):  # all ways to compute large arrays, under whatever name they were imported
            for name, value in list(vars(owner).items()):
                home, called = getattr(value, "__module__", ""), getattr(value, "__name__", "")  # not all are functions
                if home == large.__name__ and called.startswith("forward"):
                    self._replace(owner, name, self._large(value))
        self._replace(large, "attempt", self._attempt(large.attempt))
        for cls in (Compiled, *Compiled.__subclasses__()):  # compiled functions run op by op
            if "__call__" in vars(cls):
                self._replace(cls, "__call__", lambda compiled, *args, **kwargs: compiled.fn(*args, **kwargs))
        propagate = self._propagate(engine.propagate)
        for owner in (engine, sys.modules.get("kobai.compat.tensorflow.tape")):
            if owner is not None:
                self._replace(owner, "propagate", propagate)
        self._replace(function, "_run_forward", self._function(function._run_forward))
        self._replace(inplace, "write", self._write(inplace.write))
        self._replace(inplace, "record", self._record(inplace.record))
        self._replace(Tensor, "detach", self._detach(Tensor.detach))
        self._look_on()
        before = nn_hooks.Hooks._hooked
        self._undo.append(lambda: setattr(nn_hooks.Hooks, "_hooked", before))
        for handle in (nn_hooks.register_module_forward_pre_hook(self._enter_module),
                       nn_hooks._add_global("forward", self._leave_module, (False, True))):
            self._undo.append(handle.remove)
        return self

    def __exit__(self, *exc):
        self.on = False  # what was imported meanwhile may have taken a replaced function
        self._forwards = {}
        while self._undo:
            self._undo.pop()()

    def _look_on(self) -> None:
        """Have passes and functions go from op to op that would otherwise run as one program."""
        before = modes.look
        modes.look = before or Onlooker()
        self._undo.append(lambda: setattr(modes, "look", before))

    def _replace(self, owner, name, new) -> None:
        old = vars(owner)[name]
        self._undo.append(lambda: setattr(owner, name, old))
        setattr(owner, name, new)

    def _listens(self) -> bool:
        return self.on and not self.busy and threading.get_ident() == self.thread

    # ---- operations --------------------------------------------------------------------------
    def _new_class(self, original):
        """Classes of op that are made while we record are watched too.

        They are made from the signature of the `forward` they inherit, so that has to be the real one meanwhile.
        """
        def init_subclass(cls, **options):
            bases = [base for base in cls.__mro__[1:] if base in self._forwards]
            watched = [vars(base)["forward"] for base in bases]
            for base in bases:
                base.forward = self._forwards[base]
            try:
                original.__get__(None, cls)(**options)
            finally:
                for base, forward in zip(bases, watched):
                    base.forward = forward
            self._watch_class(cls)
        return init_subclass

    def _watch_class(self, cls) -> None:
        if "forward" in vars(cls) and cls is not Op:
            self._forwards[cls] = vars(cls)["forward"]
            self._replace(cls, "forward", self._forward(vars(cls)["forward"]))

    def _forward(self, original):
        bind = getattr(type(original), "__get__", None)  # NumPy's and C functions take no self

        def forward(op, *arrays):
            run = original if bind is None else bind(original, op, type(op))
            return self._timed(op, arrays, run, _getframe(1))
        return forward

    def _timed(self, op, arrays, run, frame):
        """``run(*arrays)``, noted if ``frame`` is where an op is applied to tensors."""
        names = SITES.get(frame.f_code)
        if names is None or not self._listens():
            return run(*arrays)
        tensors = self._tensors(frame, names)
        self.busy += 1
        begin = perf_counter()
        try:
            y = run(*arrays)
        finally:
            seconds = perf_counter() - begin
            self.busy -= 1
        if y is not None:
            self._note(op, label_of(op), tensors, arrays, y, seconds)
        return y

    def _large(self, original):
        """Large arrays may be computed by machine code instead of `forward`."""
        return lambda op, *arrays: self._timed(op, arrays, lambda *values: original(op, *values), _getframe(1))

    def _attempt(self, original):
        return lambda op, arrays: self._timed(op, arrays, lambda *values: original(op, values), _getframe(1))

    def _tensors(self, frame, names) -> list:
        """The tensors that an op is being applied to."""
        if names == "tensors":
            return list(frame.f_back.f_locals[names])
        local = frame.f_locals
        return list(local[names]) if isinstance(names, str) else [local[n] for n in names]

    def _note(self, op, label, tensors, arrays, y, seconds, node=None):
        if len(self.calls) >= MOST_CALLS:
            self.shortened = True
            return
        outs = y if isinstance(y, tuple) else (y,)
        call = Call(op, label, [], tuple([kept(v) for v in outs]), here(3), next_order(), seconds, modes.grad)
        call.inputs = [self._producer(t, a) for t, a in zip(tensors, arrays)]
        call.numbers = {i: t for i, t in enumerate(tensors) if isinstance(t, (int, float, complex))}
        call.needs = any(isinstance(t, Tensor) and t._rg for t in tensors)
        call.module = self._module[-1] if self._module else None
        call.view, call.node = bool(getattr(op, "view", False)), node
        self.calls.append(call)
        self._by_order[call.order] = call
        for number, array in enumerate(outs):
            self._made[id(array)] = call, number, array
            self._held += 0 if call.view else getattr(array, "nbytes", 0)
        if self._held > MOST_BYTES:
            self._make_room()

    def _make_room(self) -> None:
        """Of what was computed long ago in this step only the summaries are kept, not the arrays."""
        for call in self.calls[:-100]:
            call.outs = tuple([v if isinstance(v, dict) else snapshot(v) for v in call.outs])
        old = {id(call) for call in self.calls[:-100]}
        self._made = {key: made for key, made in self._made.items() if id(made[0]) not in old}
        self._held = 0

    def _producer(self, tensor, array):
        """(Call or Source, output number) of an input; None for a Python number."""
        if not isinstance(tensor, Tensor):
            if not isinstance(array, np.ndarray):
                return None
            tensor = None
        elif id(tensor) in self._cut:
            return self._cut[id(tensor)][0], 0
        else:
            made = self._made_by(tensor._node)
            if made is not None:
                return made
        found = self._made.get(id(array)) or self._made.get(id(getattr(tensor, "_data", None)))
        return found[:2] if found else (self._source(tensor, array), 0)

    def _source(self, tensor, array) -> Source:
        key = id(array) if tensor is None else id(tensor)
        if key not in self._sources:
            source = Source(tensor, kept(array), self._name(tensor))
            self._sources[key] = source
            self._made.setdefault(key, (source, 0, array)) if tensor is None else None
        return self._sources[key]

    def _name(self, tensor) -> str:
        """What the program calls a tensor: a parameter's path, or a variable of the frame that runs."""
        if tensor is None:
            return ""
        if id(tensor) not in self.names:
            frame = _getframe(4)
            while frame is not None and inside[frame.f_code.co_filename]:
                frame = frame.f_back
            name = ""
            while frame is not None and not name:
                name = variable(tensor, frame.f_locals) or variable(tensor, frame.f_globals)
                frame = frame.f_back
            self.names[id(tensor)] = name, tensor
        return self.names[id(tensor)][0]

    def _function(self, original):
        """A Function of the user's is one operation, whatever it computes inside."""
        def run_forward(cls, ctx, args, kwargs):
            if not self._listens():
                return original(cls, ctx, args, kwargs)
            self.busy += 1
            begin = perf_counter()
            try:
                out = original(cls, ctx, args, kwargs)
            finally:
                self.busy -= 1
            tensors = [a for a in args if isinstance(a, Tensor)]
            outs = tuple([o._value for o in (out if isinstance(out, (tuple, list)) else (out,))
                          if isinstance(o, Tensor)])
            modes_before, modes.grad = modes.grad, any(ctx.needs_input_grad) or modes.grad
            self._note(None, cls.__name__, tensors, [t._value for t in tensors], outs, perf_counter() - begin, ctx)
            modes.grad = modes_before
            self._by_node[ctx] = self.calls[-1]
            return out
        return run_forward

    def _detach(self, original):
        def detach(tensor):
            before = tensor._value
            out = original(tensor)
            if self._listens() and tensor._rg and not inside[_getframe(1).f_code.co_filename]:
                if id(before) in self._made:  # a scalar became an array
                    self._made[id(tensor._value)] = (*self._made[id(before)][:2], tensor._value)
                self._note(None, "detach", [tensor], [tensor._value], (), 0.0)
                call = self.calls[-1]
                call.outs, call.view = (kept(out._value),), True
                self._cut[id(out)] = call, out
            return out
        return detach

    def _write(self, original):
        """An in-place change: the memory now holds what another operation made."""
        def write(a, new):
            array = new._value
            out = original(a, new)
            if self._listens() and id(array) in self._made:
                self._made[id(a._value)] = (*self._made[id(array)][:2], a._value)
            return out
        return write

    def _record(self, original):
        """The base of a view that was written: `CopySlices`, which is recorded without being computed."""
        def record(op, tensors, values, out, y, mask, is_complex):
            if self._listens():
                self._note(op, "copy_slices", tensors, values, y, 0.0)
            original(op, tensors, values, out, y, mask, is_complex)
        return record

    # ---- modules -----------------------------------------------------------------------------
    def _enter_module(self, module, args) -> None:
        if threading.get_ident() != self.thread:
            return
        parent = self._module[-1] if self._module else None
        if parent is None:
            for name, parameter in module.named_parameters():
                self.names[id(parameter)] = name, parameter
                self.models[id(parameter)] = module
            name = type(module).__name__
        else:
            name = name_in(parent.module, module)
        path = f"{parent.path}.{name}" if parent is not None and parent.parent is not None else name
        key = (id(parent), path)
        self._paths[key] = call = self._paths.get(key, 0) + 1
        entered = ModuleCall(name, path, type(module).__name__, parent, call, module, tuple(tensors_in(args)))
        self._module.append(entered)

    def _leave_module(self, module, args, output) -> None:
        if self._module and threading.get_ident() == self.thread:
            self._module.pop()

    # ---- backward ----------------------------------------------------------------------------
    def _propagate(self, original):
        def propagate(roots, **options):
            if not self._listens() or options.get("graph") and options.get("wanted") is not None:
                return original(roots, **options)  # gradients that are computed with: part of the graph themselves
            for edge in engine.reached(roots):
                self._made_by(edge)
            self.busy += 1
            try:
                found, film = filmed(original, roots, **options)
            finally:
                self.busy -= 1
            if film:
                self._end_step(roots, film, found)
            return found
        return propagate

    def _made_by(self, edge):
        """(Call, output number) of a node or one of its outputs. A node is numbered right after its op ran."""
        node, number = (edge.node, edge.number) if type(edge) is Port else (edge, 0)
        if not isinstance(node, Node):
            return None
        call = self._by_node.get(node)
        if call is None:
            call = self._by_order.get(node._order + 1)
            if call is None or call.op is not node.op:
                return None
            call.node = node
        return call, number

    def _end_step(self, roots, film, found) -> None:
        passed = {back.node for back in film}
        before = [call for step in self._earlier for call in step if call.node in passed]
        trace = Trace([*before, *self.calls], film=film, start=list(roots))
        trace.roots = [made for made in (self._made_by(edge) for edge, _ in roots) if made]
        leaves = {leaf: g for leaf, g in found.items() if isinstance(leaf, Tensor)}
        for leaf, g in leaves.items():
            source = self._source(leaf, leaf._value)
            old, g = leaf._grad, getattr(g, "_value", g)
            source.array, source.grad = copied(leaf._value), copied(g if old is None else old._value + g)
        trace.parameters = self._full_names(list(leaves))
        self._note_training(trace, leaves)
        self.done, self._roots = trace, []
        self._earlier = [list(filter(_lives, step)) for step in [*self._earlier, self.calls][-EARLIER:]]
        self._new_step()

    def _full_names(self, leaves: list) -> dict:
        """The names of leaves; of parameters of one name in different models, with the models' variables."""
        names = [self._name(leaf) for leaf in leaves]
        return {leaf: f"{self._variable_of(self.models[id(leaf)])}.{name}"
                if id(leaf) in self.models and names.count(name) > 1 else name for leaf, name in zip(leaves, names)}

    def _variable_of(self, module) -> str:
        frame, name = _getframe(1), ""
        while frame is not None and not name:
            if not inside[frame.f_code.co_filename]:
                name = variable(module, frame.f_locals) or variable(module, frame.f_globals)
            frame = frame.f_back
        return name or type(module).__name__

    def _note_training(self, trace, leaves) -> None:
        """Loss, parameters and gradients of every so many steps: at most `MOST_STEPS` in the end."""
        self.passes += 1
        if (self.passes - 1) % self.stride:
            return
        call, number = trace.roots[0] if trace.roots else (None, 0)
        loss = call.outs[number] if call is not None and number < len(call.outs) else None
        self.training.append(Training(self.passes, loss, {leaf: snapshot(leaf._value) for leaf in leaves},
                                      {leaf: snapshot(getattr(g, "_value", g)) for leaf, g in leaves.items()}))
        if len(self.training) > MOST_STEPS:
            del self.training[1::2]
            self.stride *= 2

    # ---- the result --------------------------------------------------------------------------
    def result(self, outputs: list) -> None:
        """Say which tensors the program is about: the trace is then that of the open step."""
        self._roots = outputs

    def trace(self) -> Trace:
        """The last step that ended with backward; without any, all that was computed."""
        trace = self.done
        if trace is None or self._roots:
            trace = Trace(self.calls)
            trace.roots = [self._producer(t, t._value) for t in self._roots]
            if not self._roots:  # all that nothing else was computed from
                used = {made[0] for call in self.calls for made in call.inputs if made is not None}
                trace.roots = [(call, 0) for call in self.calls if call not in used]
        trace.training = self.training if len(self.training) > 1 else []
        trace.notes = ["shortened"] if self.shortened else []
        name_results(trace.calls)
        return trace


def label_of(op) -> str:
    """The name of an op as one calls it: that of its backward node.

    >>> label_of(core.registry[0]) != ""
    True
    """
    name = getattr(op, "grad_name", "") or type(op).__name__
    name = name.split("Backward")[0] or name
    out = [("_" if c.isupper() and i and (name[i - 1].islower() or name[i - 1] == "D") else "") + c.lower()
           for i, c in enumerate(name)]
    label = "".join(out)
    return CALLED.get(label, label)


# Where a backward node has the name of what computes it, not that of the function one calls.
CALLED = {"mkldnn_rnn_layer": "lstm", "scaled_dot_product_flash_attention_for_cpu": "scaled_dot_product_attention",
          "max_pool2d_with_indices": "max_pool2d", "max_pool3d_with_indices": "max_pool3d", "smooth_l1loss": "smooth_l1_loss"}


def variable(tensor, names: dict) -> str:
    """The variable that holds a tensor, or one of TensorFlow's around it."""
    for name, value in list(names.items()):
        if not name.startswith("_") and (value is tensor or inner_tensor(value) is tensor):
            return name
    return ""


def inner_tensor(value):
    """The tensor in one of TensorFlow's tensors or variables."""
    if "tensorflow" not in type(value).__module__:
        return None
    return getattr(value, "_t", None) if hasattr(type(value), "_t") else vars(value).get("_leaf")


def _lives(call: Call) -> bool:
    """Whether a later backward may go through an operation: it was recorded, and none has freed it."""
    freed = call.node is not None and isinstance(raw_saved(call.node), Freed)
    return call.recording and call.needs and call.label != "detach" and not freed


def snapshot(array):
    """What is remembered of an array that will change: all of few numbers, of many the summary."""
    small = isinstance(array, np.generic) or isinstance(array, np.ndarray) and array.size <= FEW
    return kept(array) if small else summary(array, 0)


def copied(array):
    """A copy: parameters and gradients are changed in place by what follows."""
    return array.copy() if type(array) is np.ndarray else array
