"""Which module of kobai stands for which import name of a program, and the other way round."""

from __future__ import annotations

# A name stands for everything below it too, unless a longer one is listed.
SERVED = {
    "torch": "kobai",
    "torch._C": "kobai.compat.torch_c",
    "torch._dynamo": "kobai.compat.torch_dynamo",
    "torch._inductor": "kobai.compat.torch_inductor",
    "torch._logging": "kobai.compat.torch_logging",
    "torch.backends": "kobai.compat.torch_backends",
    "torch.version": "kobai.compat.torch_version",
    "torchviz": "kobai.compat.torchviz",
    "tensorflow": "kobai.compat.tensorflow",
}
# Second names of the same modules.
_ALSO = {"keras": "kobai.compat.tensorflow.keras", "functorch": "kobai.func"}
# `torch` itself is a module of its own: its version is not kobai's.
_TORCH = "kobai.compat.torch"

ROOTS = frozenset(name for name in [*SERVED, *_ALSO] if "." not in name)


def kobai_name(name: str) -> str:
    """The module of kobai that stands for an import name.

    >>> kobai_name("torch"), kobai_name("torch.nn.functional"), kobai_name("keras.layers")
    ('kobai.compat.torch', 'kobai.nn.functional', 'kobai.compat.tensorflow.keras.layers')
    """
    return _TORCH if name == "torch" else _translate(name, SERVED | _ALSO)


def program_name(name: str) -> str:
    """The name under which a program knows a module of kobai.

    >>> program_name("kobai.nn.functional"), program_name("kobai.compat.tensorflow.keras")
    ('torch.nn.functional', 'tensorflow.keras')
    """
    return _translate(name, {ours: theirs for theirs, ours in SERVED.items()} | {_TORCH: "torch"})


def _translate(name: str, table: dict[str, str]) -> str:
    """Replace the longest listed prefix of a dotted name."""
    prefix = name
    while prefix:
        if prefix in table:
            return table[prefix] + name[len(prefix) :]
        prefix = prefix.rpartition(".")[0]
    return name
