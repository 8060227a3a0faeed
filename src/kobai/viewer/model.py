"""The graph of a program as plain data (what ``json.dumps`` takes): what the page of the viewer shows.

`describe` gives a dictionary; everything in it is numbers, texts, lists, dictionaries, True, False and None.
Numbers that JSON does not have are the texts "nan", "inf" and "-inf".

    format      "kobai-graph", version 1
    title       text; the name of the program or of the model
    lang        "en" or "ja"
    notes       [code]: "freed" (the graph was freed before it was looked at, so values and the backward
                film are missing), "replayed" (values that nobody kept were computed again), "shortened"
                (the program did more than is kept: the last steps are shown), "no-film" (backward could
                not be run for the film)
    nodes       [node], inputs before those who use them; a node's place in the list is its id:
        id              its place
        kind            "op", "leaf" (requires grad), "parameter" (a leaf that is an nn.Parameter), "constant"
                        (no gradient)
        op              "mul": the operation as one calls it; "" for what no operation made
        grad_fn         "MulBackward0", or ""
        name            of the variable or parameter, or ""
        module          place of the innermost module call in `modules`, or None
        root            True for what was asked for (the loss)
        shape, dtype    [2, 3], "float32"; None where nothing is known
        value           Value or None
        outputs         number of results; if more than one, value is that of the first known one
        grad            Value or None: what backward left in `.grad`, or what passes here in the film
        bytes           of the result's memory; 0 for a view
        saved_bytes     kept for backward
        time, back_time seconds of the forward and the backward step, or None
        source          None, or {"file": place in `files`, "line": from 1, "function": name}
        formula         "a * b": what the operation computes, from its class
        numbers         "2 × 5 = 10": the same with numbers, for scalars, or ""
        settings        ["dim=1"]: the parameters of the operation
        stops           None, or why no gradient goes on from here: "detach", "no_grad", "integer",
                        "not-differentiable", "constant" (a leaf without requires_grad)
    edges       [[from, to, input number, output number]]
    modules     [module]: one for each call of a module, outer ones first. Folding one gives no cycles.
                {id, parent: id or None, name: "layer1", path: "layer1.act", type: "Linear", call: 1 for the
                second call of the same module, nodes: number of nodes in it with all below, kind: "module" or
                "run" (part of a long stretch of operations without modules)}
    files       [{"name": "train.py", "text": the source, or "" if it cannot be had}]
    forward     [node id]: the operations in the order in which they ran
    backward    [step] in the order in which they run; a step is
        node        id
        g           Value: the gradient that arrives at the node (the sum of `parts`)
        parts       [{"from": node id or None for the start, "value": Value}]: more than one meet and add
        inputs      [{"to": node id or None, "name": "a", "formula": "g * b": from the rule of the op's class,
                    "local": Value or None (dy/da of elementwise operations), "out": Value or None,
                    "stop": None or a reason as in a node's `stops`}]
        text        "1 × 5 = 5": incoming × local = outgoing with numbers, for scalars, or ""
        leaf        True where a gradient arrives in `.grad`: then `inputs` is empty
    training    None, or
        parameters  [{"name": "layer1.weight", "shape": [..], "node": id or None}]
        steps       [{"step": number of the backward(), "loss": number or None, "values": [Value or None],
                    "grads": [Value or None]}]: before the optimizer's step; at most 200, evenly over the program

    Value       {"shape": [..], "dtype": "float32",
                 "data": flat list of numbers (row by row), if there are at most 64, else missing
                 "min", "max", "mean", "std": of the finite elements, or None; only if there is no "data"
                 "nan", "inf": how many; only if there is no "data"
                 "map": {"rows": r, "columns": c, "levels": base64 of r*c bytes, 0 for `min` and 254 for
                 `max`, 255 for what is not finite}: the heat map, missing where there are too many of them
                 "corner": {"rows": r, "columns": c, "data": [..]}: the first numbers}
"""

from __future__ import annotations


def describe(what, *inputs, params: dict | None = None, film: bool = True, lang: str = "", title: str = "",
             **options) -> dict:
    """The description of a computation, in the format at the top of this file.

    Args:
        what: a tensor or tuple of tensors (their recorded graph), a module or function that is called on
            ``inputs`` and ``options``, or a `record.Recording`.
        params: names of tensors, in addition to those of the caller's variables.
        film: run backward for the film, without touching any ``.grad``.

    Raises:
        TypeError: there is nothing to show in ``what``, or in what it returned.
    """
    raise NotImplementedError("being written")
