"""Which function computes in which dtype under autocast, and how it comes to do so.

The lists are PyTorch's for the CPU. A function on them has its code exchanged for a call of `_Diverted` when
autocast is first entered: so it is found under whatever name a program holds it (`F.linear`, `Tensor.matmul`, a
`from ... import`), and functions cost what they always did in a program without autocast.
"""
from __future__ import annotations

import importlib
import inspect
import os
import threading
from types import FunctionType

from .. import dtypes
from ..autograd.mode import modes
from ..lifted import m
from ..public import copies
from ..tensor import LiftedTensor, Tensor

LOWER = {
    "": "addbmm addmm baddbmm bmm matmul mm tensordot",
    "nn.functional": "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear "
                     "prelu scaled_dot_product_attention",
    "linalg": "vecdot",
}
FLOAT32 = {
    "": "cdist cholesky cholesky_inverse cholesky_solve geqrf inverse lu lu_solve nanquantile orgqr ormqr pinverse polar "
        "prod qr quantile stft svd trace triangular_solve view_as_complex",
    "nn.functional": "adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d binary_cross_entropy "
                     "binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy ctc_loss fractional_max_pool2d "
                     "fractional_max_pool3d grid_sample hinge_embedding_loss huber_loss kl_div l1_loss "
                     "linear_cross_entropy margin_ranking_loss max_unpool1d max_unpool2d max_unpool3d mse_loss "
                     "multi_margin_loss multilabel_margin_loss nll_loss poisson_nll_loss smooth_l1_loss soft_margin_loss "
                     "triplet_margin_loss",
    "fft": "fft fft2 fftn hfft hfft2 hfftn ifft ifft2 ifftn ihfft ihfft2 ihfftn irfft irfft2 irfftn rfft rfft2 rfftn",
    "linalg": "cholesky cholesky_ex cond eig eigh eigvals eigvalsh householder_product inv inv_ex lstsq matrix_rank qr "
              "solve svd svdvals tensorinv tensorsolve",
}
WIDEST = {"": "index_copy"}  # cat and stack promote anyway


class State(threading.local):
    """What autocast does in this thread, by device type, and the weights cast so far."""

    caching = True
    nesting = 0

    def __init__(self):
        self.dtype = {"cpu": dtypes.bfloat16, "cuda": dtypes.float16}
        self.wanted = {}     # device types other than the CPU: as they were set
        self.cast = {}       # id of a leaf -> (leaf, its version, the leaf in the lower dtype)

    @property
    def enabled(self):
        """Whether autocast is on for the CPU."""
        return modes.autocast

    @enabled.setter
    def enabled(self, value):
        modes.autocast = value


state = State()


# ---- what happens to the arguments ------------------------------------------------------------
def _eligible(d):
    return d.is_floating_point and d is not dtypes.float64


def _each_tensor(change, value):
    """`value` with `change` applied to the tensors in it that autocast may cast."""
    if isinstance(value, Tensor):
        return change(value) if _eligible(value.dtype) else value
    if isinstance(value, (tuple, list)):
        new = [_each_tensor(change, v) for v in value]
        return type(value)(*new) if hasattr(value, "_fields") else type(value)(new)
    return value


def _lowered(t):
    d = state.dtype["cpu"]
    if t.dtype is d:
        return t
    if not (state.caching and modes.trace is None and t.dtype is dtypes.float32 and t.requires_grad and t.is_leaf and modes.grad) \
            or t._is_view() or type(t) is LiftedTensor:
        return t.to(d)
    kept = state.cast.get(id(t))
    if kept is None or kept[1] != t._version or kept[2].dtype is not d:  # an optimizer may have changed it
        kept = state.cast[id(t)] = t, t._version, t.to(d)
    return kept[2]


def _to_float32(t):
    return t if t.dtype is dtypes.float32 else t.to(dtypes.float32)


def lower(args, kwargs):
    """All in the lower dtype; weights once per autocast."""
    return _each_tensor(_lowered, args), {k: _each_tensor(_lowered, v) for k, v in kwargs.items()}


def to_float32(args, kwargs):
    """All in float32."""
    return _each_tensor(_to_float32, args), {k: _each_tensor(_to_float32, v) for k, v in kwargs.items()}


def widest(args, kwargs):
    """All in the widest dtype that one of them has."""
    kinds = [v.dtype for v in (*args, *kwargs.values()) if isinstance(v, Tensor) and _eligible(v.dtype)]
    return to_float32(args, kwargs) if dtypes.float32 in kinds else (args, kwargs)


def padding(args, kwargs):
    """`pad`: copies of elements are made in float32."""
    mode = kwargs.get("mode", args[2] if len(args) > 2 else "constant")
    return to_float32(args, kwargs) if mode in ("reflect", "replicate") else (args, kwargs)


def recurrent(args, kwargs):
    """LSTM and plain recurrent networks in the lower dtype; GRU as it is."""
    return lower(args, kwargs) if args[0] != "GRU" else (args, kwargs)


def einsum(args, kwargs):
    """`einsum`: in the lower dtype where labels are summed over, since those are matrix products."""
    if not isinstance(args[0], str):
        return lower(args, kwargs)
    left, arrow, right = args[0].partition("->")
    letters = left.replace(",", "").replace(".", "").replace(" ", "")
    summed = any(c not in right for c in letters) if arrow else len(set(letters)) < len(letters)
    return lower(args, kwargs) if "," in left and summed else (args, kwargs)


# ---- how functions come to it ------------------------------------------------------------------
class _Diverted:
    """Calls a function as autocast wants it; what it calls in turn is left alone."""

    def __init__(self, function, policy):
        self.function, self.policy = function, policy

    def __call__(self, args, kwargs):
        if not state.enabled or not _casts(args, kwargs):
            return self.function(*args, **kwargs)
        state.enabled = False
        try:
            args, kwargs = self.policy(args, kwargs)
            return self.function(*args, **kwargs)
        finally:
            state.enabled = True


def _casts(args, kwargs):
    """Whether there is a tensor at all: rules compute with arrays."""
    return any(isinstance(v, (Tensor, tuple, list)) for v in (*args, *kwargs.values()))


_HERE = 0x0CA57


def _call(*args, **kwargs):
    diverted = 0x0CA57  # stands for an instance of _Diverted, see `divert`
    return diverted(args, kwargs)


def divert(function, policy):
    """Exchange the code of `function`, and of its copy, for one that asks autocast first."""
    for each in (function, copies.get(function)):
        if each is not None and each.__code__.co_filename != __file__:  # it may have been under another name
            _divert(each, policy)


def _divert(function, policy):
    code = function.__code__
    original = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    original.__kwdefaults__ = function.__kwdefaults__
    function.__signature__ = inspect.signature(original)
    consts = tuple([_Diverted(original, policy) if c == _HERE else c for c in _call.__code__.co_consts])
    function.__code__ = _call.__code__.replace(co_consts=consts, co_name=code.co_name, co_qualname=code.co_qualname,
                                               co_freevars=code.co_freevars)


_lock = threading.Lock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_lock._at_fork_reinit)  # another thread may have it, which is not there then


def install():
    """Divert all functions of the lists."""
    with _lock:
        for lists, policy in ((LOWER, lower), (FLOAT32, to_float32), (WIDEST, widest)):
            for space, names in lists.items():
                for name in names.split():
                    divert(_function(space, name), policy)
        divert(_function("nn.functional", "pad"), padding)
        divert(m.recurrent_layers, recurrent)
        divert(_function("", "einsum"), einsum)


def _function(space, name):
    """The function itself, below what the public one checks."""
    module = importlib.import_module("kobai" + ("." + space if space else ""))
    function = getattr(module, name)
    return getattr(function, "__wrapped__", function)
