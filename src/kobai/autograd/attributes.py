"""What PyTorch's nodes show as saved (`grad_fn._saved_self`, `_saved_dim`, ...), from what kobai's nodes keep.

An op's rules save what they ask for, under their own names. Here stand PyTorch's names, read only when somebody
looks at a node: a table from the op's class to attributes and where each comes from. What PyTorch keeps and kobai
does not need (a mean that can be computed again, say) is not listed.
"""
from __future__ import annotations

import numpy as np

from ..saved import unpack
from ..tensor import Tensor, wrap

_PLAIN = {"x": "self", "a": "self", "b": "other", "y": "result", "t": "target", "w": "weight", "x_shape": "self_sym_sizes"}
_LAST = 2 ** 63 - 1
_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


def shown(node):
    """Attribute name -> function without arguments that gives its value."""
    asks = tuple(getattr(node.vjp, "asks", ()))
    rows = _TABLE.get(type(node.op).__name__)
    if rows is None:
        return {_PLAIN.get(a, a): _ask(node, a) for a in asks if a == "x_shape" or not a.endswith(("_shape", "_dtype"))}
    found = {}
    for name, source in rows.items():
        if callable(source):
            value = source(node)
            if value is not _UNKNOWN:
                found[name] = lambda value=value: value
        elif source.startswith("."):
            found[name] = lambda field=source[1:]: getattr(node.op, field)
        elif source.rstrip("?") in asks:
            found[name] = _ask(node, source.rstrip("?"))
        elif source.endswith("?"):
            found[name] = lambda: None
    return found


_UNKNOWN = object()


def _ask(node, ask):
    def get():
        value = unpack(node)[node.vjp.asks.index(ask)]
        return wrap(np.asarray(value)[()]) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    return get


def _kept(node, ask):
    """What the node saved under a rule's name, or None; also where a backward pass gave it free."""
    saved = unpack(node)
    return saved[node.vjp.asks.index(ask)] if ask in getattr(node.vjp, "asks", ()) and saved.__class__ is tuple else None


def _constant(value):
    return lambda node: value


def _count(node):
    return int(np.prod(_kept(node, "x_shape"), dtype=np.int64))


def _reduction(node):
    return _REDUCTIONS[node.op.reduction]


def _unsigned(number):
    """Whole numbers below 0 as PyTorch shows them."""
    return number % 2 ** 64


def _whole(field):
    """A field, without the point if it is a whole number."""
    def get(node):
        value = getattr(node.op, field)
        return int(value) if isinstance(value, float) and value.is_integer() else value
    return get


def _dims_or_none(node):
    kept = _kept(node, "x")
    return None if kept is not None and len(node.op.dim) == kept.ndim else node.op.dim


def _end(node):
    shape = _kept(node, "x_shape")
    return _LAST if shape and node.op.end >= shape[node.op.dim] else node.op.end


def _indices(node):
    return _kept(node, "y")[1]


def _dividend(node):
    y = _kept(node, "y")
    return None if y is None else (y * _kept(node, "b")).detach()


def _factor(ask, number, of):
    """Sizes or strides of a factor of a product, which may be saved, a leaf, or gone."""
    def get(node):
        value = _kept(node, ask)
        if value is None and len(node.edges) > number and isinstance(node.edges[number], Tensor):
            value = node.edges[number]
        if value is None:
            return _UNKNOWN
        if of == "sizes":
            return tuple(value.shape)
        return tuple(value.stride()) if node.edges[number] is not None else ()
    return get


def _weight(of):
    """Sizes or strides of a layer's weight as the product sees it: transposed."""
    sizes = _factor("weight", 1, of)

    def get(node):
        value = sizes(node)
        return value if value is _UNKNOWN else value[::-1]
    return get


def _transposed(node):
    weight = _kept(node, "weight")
    return None if weight is None else weight.t()


def _matrix(which, ask, number):
    return {which: f"{ask}?", f"{which}_sym_sizes": _factor(ask, number, "sizes"),
            f"{which}_sym_strides": _factor(ask, number, "strides")}


def _bias_sizes(node):
    bias = node.edges[2]
    return tuple(bias.shape) if isinstance(bias, Tensor) else (0,) if bias is None else _UNKNOWN


def _window(name):
    return lambda node: getattr(node.op.windows, name)


def _scores(node):
    """The scores of a loss that does not keep them: a leaf, or the result that the log_softmax before it keeps."""
    edge = node.edges[0]
    if isinstance(edge, Tensor):
        return edge
    y = _kept(edge, "y") if type(getattr(edge, "op", None)).__name__ == "LogSoftmax" else None
    return _UNKNOWN if y is None else y


def _total_weight(node):
    """The sum of the weights of the targets that count."""
    t, weight = _kept(node, "t"), _kept(node, "weight")
    counted = np.asarray(t._value).reshape(-1)
    counted = counted[counted != node.op.ignore]
    return wrap(np.float32(counted.size) if weight is None else weight._value[counted].sum())


def _normalised_over(node, x):
    """The dimensions over which mean and variance were taken."""
    dims = getattr(node.op, "dim", None)
    return tuple([d % x.ndim for d in dims]) if dims is not None else tuple([d for d in range(x.ndim) if d != 1])


def _mean(node):
    x = np.asarray(_kept(node, "x")._value)
    return wrap(x.mean(_normalised_over(node, x), keepdims=hasattr(node.op, "dim")))


def _deviation(node):
    x = np.asarray(_kept(node, "x")._value)
    var = x.var(_normalised_over(node, x), keepdims=hasattr(node.op, "dim"))
    return wrap((1 / np.sqrt(var + node.op.eps)).astype(x.dtype))


def _normalised_shape(node):
    return tuple(_kept(node, "x").shape[-len(node.op.dim):])


def _bias(node):
    return node.edges[2] if node.edges[2] is None or isinstance(node.edges[2], Tensor) else _UNKNOWN


_SIZES = {"self_sym_sizes": "x_shape"}
_DIM = {"dim": ".dim"}
_KEEP = {"dim": ".dim", "keepdim": ".keepdim"}
_SPREAD = {"correction": lambda node: None if node.op.correction == 1 else node.op.correction, "dim": _dims_or_none,
           "keepdim": ".keepdim", "self": "x"}
_CHOSEN = {**_DIM, "indices": _indices, **_SIZES}
_LOSS = {"reduction": _reduction, "self": "x", "target": "t"}
_BOTH = {"self": "a?", "other": "b?"}
_TABLE = {
    "Add": {"alpha": _constant(1)}, "Sub": {"alpha": _constant(1)}, "Rsub": {"alpha": ".alpha"},
    "Mul": _BOTH, "Div": {"self": _dividend, "other": "b"}, "Sign": {}, "Floor": {}, "Ceil": {}, "Round": {}, "Cast": {},
    "PowNumber": {"exponent": ".exponent", "self": "x"}, "Pow": {"exponent": "b", "result": "y", "self": "a"},
    "Sum": {**_KEEP, **_SIZES}, "Mean": {**_KEEP, "self_sym_numel": _count, **_SIZES},
    "MeanAll": {"self_sym_numel": _count, **_SIZES}, "Logsumexp": {**_KEEP, "result": "y", "self": "x"},
    "Std": {**_SPREAD, "result": "y"}, "Var": _SPREAD,
    "LinalgVectorNorm": {"dim": _dims_or_none, "keepdim": ".keepdim", "ord": _whole("p"), "result": "y", "self": "x"},
    "Linear": {"alpha": _constant(1), "beta": _constant(1), **_matrix("mat1", "x", 0), "mat2": _transposed,
               "mat2_sym_sizes": _weight("sizes"), "mat2_sym_strides": _weight("strides")},
    "LinearWithoutBias": {**_matrix("self", "x", 0), "mat2": _transposed, "mat2_sym_sizes": _weight("sizes"),
                          "mat2_sym_strides": _weight("strides")},
    "Addmm": {"alpha": ".alpha", "beta": ".beta", **_matrix("mat1", "a", 1), **_matrix("mat2", "b", 2)},
    "Mm": {**_matrix("self", "a", 0), **_matrix("mat2", "b", 1)}, "Bmm": {"mat2": "b?", "self": "a?"},
    "Baddbmm": {"alpha": ".alpha", "batch1": "a?", "batch2": "b?", "beta": ".beta"},
    "Mv": {"self": "a?", "vec": "b?"}, "Dot": {"self": "a?", "tensor": "b?"}, "Inv": {"inverse": "y"},
    "LeakyRelu": {"negative_slope": ".slope", "self": "x"}, "Gelu": {"approximate": _constant("none"), "self": "x"},
    "Elu": {"alpha": ".alpha", "input_scale": _constant(1), "scale": _constant(1), "self": "x"},
    "Softplus": {"beta": _whole("beta"), "self": "x", "threshold": _whole("threshold")},
    "Hardtanh": {"max_val": ".high", "min_val": ".low", "self": "x"}, "Clamp": {"max": ".high", "min": ".low", "self": "x"},
    "Softmax": {**_DIM, "result": "y"}, "LogSoftmax": {**_DIM, "result": "y"}, "Cumsum": _DIM, "Cat": _DIM, "Stack": _DIM,
    "Unbind": _DIM, "Unsqueeze": _DIM, "SqueezeDim": {"dim": lambda node: node.op.dims[0], **_SIZES},
    "Permute": {"dims": ".dims"}, "Flip": {"dims": ".dims"}, "Roll": {"dims": ".dims", "shifts": ".shifts"},
    "Transpose": {"dim0": ".dim0", "dim1": ".dim1"}, "Tril": {"diagonal": ".diagonal"}, "Triu": {"diagonal": ".diagonal"},
    "Diagonal": {"dim1": ".dim1", "dim2": ".dim2", "offset": ".offset", **_SIZES},
    "Select": {**_DIM, "index": ".index", **_SIZES},
    "Slice": {**_DIM, "end": _end, **_SIZES, "start": ".start", "step": ".step"},
    "Index": {"indices": "indices", **_SIZES}, "IndexSelect": {**_DIM, "index": "index", **_SIZES},
    "Split": {**_DIM, "split_size": lambda node: node.op.sizes[0]}, "Repeat": {"repeats": ".times", **_SIZES},
    "Max": {**_CHOSEN, "keepdim": ".keepdim"}, "Min": {**_CHOSEN, "keepdim": ".keepdim"}, "Sort": _CHOSEN, "Topk": _CHOSEN,
    "MseLoss": _LOSS, "SmoothL1Loss": {"beta": ".beta", **_LOSS}, "BinaryCrossEntropy": {**_LOSS, "weight": "weight"},
    "BinaryCrossEntropyWithLogits": {**_LOSS, "pos_weight": "pos_weight", "weight": "weight"},
    "NllLoss": {"ignore_index": lambda node: _unsigned(node.op.ignore), "reduction": _reduction, "self": _scores,
                "target": "t", "total_weight": _total_weight, "weight": "weight"},
    "Conv": {"bias_sym_sizes_opt": _bias_sizes, "dilation": ".dilation", "groups": ".groups", "input": "x?",
             "output_padding": lambda node: (0,) * len(node.op.stride), "padding": ".padding", "stride": ".stride",
             "transposed": _constant(False), "weight": "w?"},
    "MaxPool2d": {"ceil_mode": _window("ceil"), "dilation": _window("dilation"), "kernel_size": _window("kernel"),
                  "padding": _window("padding"), "self": "x", "stride": _window("stride")},
    "Embedding": {"indices": "index", "padding_idx": lambda node: _unsigned(node.op.padding),
                  "scale_grad_by_freq": ".by_frequency", "sparse": ".sparse_gradient",
                  "weight_sym_argsize_0": lambda node: _kept(node, "w_shape")[0]},
    "NativeLayerNorm": {"bias": _bias, "input": "x", "normalized_shape": _normalised_shape, "result1": _mean,
                        "result2": _deviation, "weight": "weight"},
    "NativeBatchNorm": {"eps": ".eps", "input": "x", "result1": _mean, "result2": _deviation, "training": _constant(True),
                        "weight": "weight"},
    "Addcmul": {"tensor1": "a?", "tensor2": "b?", "value": ".value"},
    "CopySlices": {},
}
