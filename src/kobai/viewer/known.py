"""What is known about the tensors of a picture: their names, and the modules that made them."""

from __future__ import annotations

import inspect

from .graph import is_tensor, tensors_in


class Known:
    """Names of tensors, results of nodes and the modules they ran in, as far as they can be found out.

    ``results[node, output number]`` is a tensor, ``modules[node]`` the path of a module.
    """

    def __init__(self, variables: dict):
        self.results: dict[tuple, object] = {}
        self.modules: dict[object, str] = {}
        self._names: dict[object, str] = {}
        self._alive: list = []  # a new tensor could get the place, hence the name, of a lost one
        for name, value in variables.items():
            if not name.startswith("_"):
                self.name_variable(name, value)

    def name(self, names: dict) -> None:
        """Add names of tensors; they replace older ones."""
        for name, tensor in names.items():
            self._names[id(tensor)] = self._names[memory(tensor)] = str(name)
            self._alive += [tensor, getattr(tensor, "_data", None)]

    def name_of(self, tensor) -> str:
        """A tensor's name, also if it is only what a node saved of the tensor with that name."""
        name = self._names.get(id(tensor))
        if name is None and not tensor.requires_grad:
            name = self._names.get(memory(tensor))
        return name or ""

    def name_variable(self, name: str, value) -> None:
        """Names for what a variable of the caller holds: a tensor, or a module and so its parameters."""
        if is_tensor(value):
            self.name({name: value})
            self.learn(value)
        elif not isinstance(value, type) and hasattr(type(value), "named_parameters"):
            self.name(dict(value.named_parameters()))

    def call(self, function, inputs: tuple, options: dict) -> list:
        """Tensors that ``function`` returns; floating point inputs take part in the graph as leaves."""
        copies = [as_leaf(value) for value in inputs]
        try:
            return self._watched(function, copies, options)
        except RuntimeError:  # it writes into its input, say: then without the input in the graph
            return self._watched(function, list(inputs), options)

    def _watched(self, function, inputs: list, options: dict) -> list:
        """Tensors of one call, during which the innermost modules' results are noted."""
        for name, value in [("", function), *zip(argument_names(function), inputs)]:
            self.name_variable(name, value)
        hooks = []
        for path, module in getattr(function, "named_modules", list)():
            if path and next(iter(module.children()), None) is None:
                hooks.append(module.register_forward_hook(self._note(path)))
        try:
            return tensors_in(function(*inputs, **options))
        finally:
            for hook in hooks:
                hook.remove()

    def _note(self, path: str):
        """A forward hook that notes what the module at ``path`` returned."""

        def hook(module, arguments, result):
            for tensor in tensors_in(result):
                if tensor.grad_fn is not None:
                    self.results[tensor.grad_fn, tensor.output_nr] = tensor
                    self.modules[tensor.grad_fn] = path

        return hook

    def learn(self, tensor) -> None:
        """A tensor that somebody still has: it tells the result of the node that made it."""
        if tensor.grad_fn is not None:
            self.results.setdefault((tensor.grad_fn, tensor.output_nr), tensor)


def memory(tensor) -> tuple:
    """Where a tensor's values are: the same for what a node saved of it, which may be another object."""
    data = getattr(tensor, "_data", None)
    try:
        place = tensor.data_ptr() if data is None else id(data)
    except RuntimeError:  # no memory: a meta tensor, or a transform's
        place = id(tensor)
    return place, tuple(tensor.shape)


def as_leaf(value):
    """A floating point tensor that needs no gradient as one that does, on the same memory."""
    if not is_tensor(value) or value.requires_grad or not value.is_floating_point():
        return value
    return value.detach().requires_grad_()


def argument_names(function) -> list[str]:
    """Names of the positional arguments: those of ``forward`` for a module."""
    try:
        parameters = inspect.signature(getattr(function, "forward", function)).parameters.values()
    except (TypeError, ValueError):  # written in C
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
