"""`model.summary()`: a table of layers."""
from __future__ import annotations

import shutil

from .. import nest
from .layer import Layer


def show(model, line_length, positions, print_fn, expand_nested, show_trainable):
    """Print the table."""
    text = text_of(model, line_length, positions, expand_nested, show_trainable)
    if print_fn is None:
        print(text)
    else:
        for line in text.split("\n"):
            print_fn(line)


def text_of(model, line_length=None, positions=None, expand_nested=False, show_trainable=False):
    """The name of the model, the table, and the numbers of weights."""
    nodes = getattr(model, "_nodes", None)
    branched = nodes is not None and _is_branched(model)
    wide, places = (108, [0.3, 0.56, 0.74, 1.0]) if branched else (88, [0.45, 0.80, 1.0])
    places = positions or places
    header = ["Layer (type)", "Output Shape", "Param #", *["Connected to"] * branched]
    align = ["<", "<", ">", *["<"] * branched]
    if show_trainable:
        wide, places = wide + 12, [p * 0.90 for p in places] + [1.0]
        header, align = [*header, "Trainable"], [*align, "^"]
    width = line_length or min(wide, shutil.get_terminal_size().columns - 4)
    layers = model._operations if nodes is not None else model.layers
    rows = [r for layer in layers for r in _rows(layer, model, branched, expand_nested, show_trainable, 0)]
    return "\n".join([f'Model: "{model.name}"', *_table(header, rows, align, _widths(width, places)), *_counts(model)])


def _is_branched(model):
    """Whether something has several inputs, or several things have one input."""
    used = [id(t) for n in model._nodes for t in n.inputs]
    several = any(len(n.inputs) > 1 for n in model._nodes)
    return several or len(model.inputs) > 1 or len(model.outputs) > 1 or len(set(used)) < len(used) \
        or len({id(n.operation) for n in model._nodes}) < len(model._nodes)


def _rows(layer, model, branched, expand, trainable, level):
    prefix = "   " * level + "└ " if level else ""
    shape = _shape_text(layer)
    count = f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"
    row = [f"{prefix}{layer.name} ({type(layer).__name__})", shape, count]
    if branched:
        row.append(_connections(layer, model) if not level else "")
    if trainable:
        row.append(("Y" if layer.trainable else "N") if len(layer.weights) else "-")
    found = [row]
    if expand and getattr(layer, "layers", None):
        for inner in layer.layers:
            found += _rows(inner, model, branched, expand, trainable, level + 1)
    return found


def _shape_text(layer):
    if layer._inbound_nodes:
        shapes = [_tuple_text(t.shape) for t in nest.flatten(layer._inbound_nodes[0].outputs)]
    elif getattr(layer, "_build_shape", None) is not None and type(layer).compute_output_shape is not Layer.compute_output_shape:
        try:
            found = layer.output_shape if "output_shape" in vars(layer) else layer.compute_output_shape(
                **layer._build_shapes) if layer._build_shapes else layer.compute_output_shape(layer._build_shape)
        except (NotImplementedError, TypeError):  # it is not said, or not of these
            return "?"
        shapes = found if isinstance(found, str) else _texts(found)
    else:
        return "?"
    flat = nest.flatten(shapes)
    return flat[0] if len(flat) == 1 else str(shapes).replace("'", "")


def _texts(shape):
    if isinstance(shape, (list, tuple)) and any(isinstance(s, (list, tuple)) for s in shape):
        return type(shape)([_texts(s) for s in shape])
    return _tuple_text(shape)


def _tuple_text(shape):
    return "(" + ", ".join(map(str, shape)) + ")"


def _connections(layer, model):
    names = []
    for place, node in enumerate(layer._inbound_nodes):
        if node in model._nodes:
            for t in node.inputs:
                source = t.node.operation
                names.append(f"{source.name}[{source._inbound_nodes.index(t.node)}][{t.index}]")
    return ", ".join(names) or "-"


# ---- drawing ---------------------------------------------------------------------------------
def _widths(width, places):
    """The widths of columns with one blank at each side, so that the table is `width` wide."""
    ends = [int(p * width) for p in places]
    wanted = [b - a + 2 for a, b in zip([0, *ends], ends)]
    room, out, rest = sum(wanted) - (width - len(wanted) - 1), [], len(wanted)
    for w in wanted:
        less = round(room / rest)
        out.append(w - less)
        room, rest = room - less, rest - 1
    return out


def _table(header, rows, align, widths):
    def line(left, bar, middle, right):
        return left + middle.join([bar * w for w in widths]) + right

    def cells(row, side):
        columns = [_wrapped(text, w - 2) for text, w in zip(row, widths)]
        height = max(map(len, columns))
        columns = [c + [""] * (height - len(c)) for c in columns]
        return [side + side.join([f" {text:{a}{w - 2}} " for text, a, w in zip(part, align, widths)]) + side
                for part in zip(*columns)]
    lines = [line("┏", "━", "┳", "┓"), *cells(header, "┃"), line("┡", "━", "╇", "┩")]
    for i, row in enumerate(rows):
        lines += cells(row, "│")
        lines.append(line("├", "─", "┼", "┤") if i < len(rows) - 1 else line("└", "─", "┴", "┘"))
    return lines if rows else [*lines[:-1], line("└", "─", "┴", "┘")]


def _wrapped(text, width):
    """The text in lines of at most `width`, broken between words; a word that is longer ends in dots."""
    lines, now = [], ""
    blanks = len(text) - len(text.lstrip(" "))
    for word in text.lstrip(" ").split(" "):
        longer = f"{now} {word}" if now else " " * blanks * (not lines) + word
        if len(longer) <= width:
            now = longer
            continue
        if now:
            lines.append(now)
        word = word if now or lines else longer
        now = word if len(word) <= width else word[:width - 1] + "…"
    return [*lines, now]


def _counts(model):
    trained, others = [_size(ws) for ws in (model.trainable_weights, model.non_trainable_weights)]
    optimizer = getattr(model, "optimizer", None)
    states = _size(optimizer.variables) if optimizer is not None and optimizer.built else (0, 0)
    total = [sum(v) for v in zip(trained, others, states)]
    lines = [f" Total params: {_count_text(*total)}", f" Trainable params: {_count_text(*trained)}",
             f" Non-trainable params: {_count_text(*others)}"]
    return [*lines, f" Optimizer params: {_count_text(*states)}"] if optimizer is not None and optimizer.built else lines


def _size(variables):
    values = [v.numpy() for v in variables]
    return sum(v.size for v in values), sum(v.nbytes for v in values)


def _count_text(count, size):
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024 or unit == "TB":
            return f"{count:,} ({size:.2f} {unit})"
        size /= 1024


