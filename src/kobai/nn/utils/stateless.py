"""Calling a module with other parameters than its own."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ...diagnose import error
from ...tensor import Tensor
from ..module import Module


def functional_call(
    module: Module, parameter_and_buffer_dicts: Mapping[str, Tensor] | tuple[Mapping[str, Tensor], ...],
    args: Any = None, kwargs: dict[str, Any] | None = None, *, tie_weights: bool = True, strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with the given tensors in place of its parameters and buffers.

    The module is as before afterwards. Gradients, vmap and jvp go to the given tensors.

    >>> layer = kobai.nn.Linear(1, 1, bias=False)
    >>> kobai.func.functional_call(layer, {"weight": kobai.tensor([[3.0]])}, kobai.tensor([[2.0]]))
    tensor([[6.]])
    """
    given = parameter_and_buffer_dicts
    if isinstance(given, (tuple, list)):
        given = _merged(given)
    if not isinstance(given, Mapping):
        raise error("argument-type",
                    ValueError("Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
                               f"{type(given)}"),
                    what="parameter_and_buffer_dicts", kind=type(given), must="a dict, or a list or tuple of dicts",
                    fix="write dict(net.named_parameters()), or several dicts in a tuple.")
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    if tie_weights:
        given = _with_tied(module, given)
    with replaced(module, given, strict):
        return module(*args, **(kwargs or {}))


def _merged(dicts) -> dict[str, Tensor]:
    merged: dict[str, Tensor] = {}
    for d in dicts:
        again = merged.keys() & d.keys()
        if again:
            raise error("argument-value",
                        ValueError(f"{sorted(again)} appeared in multiple dictionaries; behavior of functional call "
                                   "is ambiguous"),
                        names=sorted(again),
                        why="{names} is in more than one of the dicts, and they may say different things.",
                        fix="leave it in one of them, or join them yourself: a later one wins in {{**first, "
                            "**second}}.")
        merged.update(d)
    return merged


def _named(module: Module) -> Iterator[tuple[str, Tensor]]:
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _with_tied(module: Module, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Where one tensor has several names and one is given, the others get the same value."""
    by_tensor: dict[int, list[str]] = {}
    for name, t in _named(module):
        by_tensor.setdefault(id(t), []).append(name)
    everything = dict(given)
    for names in by_tensor.values():
        values = {id(given[name]): given[name] for name in names if name in given}
        if len(values) > 1:
            raise error("argument-value",
                        ValueError(f"functional_call got multiple values for keys {sorted(names)}, which are tied. "
                                   "Consider using tie_weights=False"),
                        names=sorted(names),
                        why="{names} are one shared parameter of the module, and were given different tensors.",
                        fix="give one of the names only, or write tie_weights=False.")
        for value in values.values():
            everything.update(dict.fromkeys(names, value))
    return everything


@contextmanager
def replaced(module: Module, given: Mapping[str, Tensor], strict: bool = False):
    """A context in which the module's tables hold the given tensors."""
    if strict:
        _check_names(module._get_name(), {name for name, _ in _named(module)}, set(given))
    undo = []
    try:
        for path, value in given.items():
            table, name = _table_of(module, path)
            undo.append((table, name, table[name]))
            table[name] = value
        yield module
    finally:
        for table, name, value in reversed(undo):
            table[name] = value


def _table_of(module: Module, path: str) -> tuple[dict, str]:
    parent_path, _, name = path.rpartition(".")
    parent = module.get_submodule(parent_path)
    for table in (parent._parameters, parent._buffers):
        if name in table:
            return table, name
    return {name: None}, name  # nobody reads it; `strict` is there to complain


def _check_names(name: str, own: set[str], given: set[str]) -> None:
    problems = []
    if given - own:
        problems.append("Unexpected key(s): " + ", ".join(map(repr, sorted(given - own))) + ".")
    if own - given:
        problems.append("Missing key(s): " + ", ".join(map(repr, sorted(own - given))) + ".")
    if problems:
        raise error("argument-value", RuntimeError("\n\t".join([f"Error(s) in reparametrizing for {name}:", *problems])),
                    why="strict=True asks for exactly the names of the module's parameters and buffers.",
                    fix="write dict(net.state_dict(), name=tensor), or leave strict out.")
