"""Batches of sequences of different lengths: padded, or packed without padding."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from ... import cat, int64, tensor
from ...diagnose import error
from ...tensor import Tensor


class _Fields(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Fields):
    """Sequences in order of falling length, stored by time step: all first elements, all second ones, …

    `data` holds the elements, `batch_sizes` how many sequences reach each step, `sorted_indices` the
    order in which the sequences were given. Made by `pack_sequence` and `pack_padded_sequence`.
    """

    __slots__ = ()

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if batch_sizes is None:         # (data, batch_sizes) as one argument, as before PyTorch 1.0
            data, batch_sizes = data
        if batch_sizes.device.type != "cpu":
            raise error("not-possible",
                        ValueError("batch_sizes should always be on CPU. Instances of PackedSequence should never be "
                                   "created manually. They should be instantiated by functions like pack_sequence "
                                   "and pack_padded_sequence in nn.utils.rnn."),
                        device=batch_sizes.device,
                        why="batch_sizes is on {device}; it counts sequences and belongs on the cpu.",
                        fix="make it with pack_padded_sequence() or pack_sequence().")
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With `data` on another device or of another dtype."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else PackedSequence(data, *self[1:])

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On the CPU."""
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On a GPU."""
        return PackedSequence(self.data.cuda(*args, **kwargs), *self[1:])

    def double(self) -> PackedSequence:
        """As float64."""
        return PackedSequence(self.data.double(), *self[1:])

    def float(self) -> PackedSequence:
        """As float32."""
        return PackedSequence(self.data.float(), *self[1:])

    def half(self) -> PackedSequence:
        """As float16."""
        return PackedSequence(self.data.half(), *self[1:])

    def long(self) -> PackedSequence:
        """As int64."""
        return PackedSequence(self.data.long(), *self[1:])

    @property
    def is_cuda(self) -> bool:
        """Whether the data are on a GPU."""
        return self.data.is_cuda


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes this one.

    >>> kobai.nn.utils.rnn.invert_permutation(kobai.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    return permutation.argsort()


def pack_padded_sequence(input: Tensor, lengths: Tensor | Iterable[int], batch_first: bool = False,
                         enforce_sorted: bool = True) -> PackedSequence:
    """Pack a padded batch (time, batch, …), or (batch, time, …) with `batch_first`.

    >>> batch = kobai.tensor([[1, 2, 3], [4, 0, 0]])
    >>> packed = kobai.nn.utils.rnn.pack_padded_sequence(batch, [3, 1], batch_first=True)
    >>> packed.data, packed.batch_sizes
    (tensor([1, 4, 2, 3]), tensor([2, 1, 1]))
    """
    if not isinstance(lengths, Tensor):
        lengths = tensor(list(lengths), dtype=int64)
    if enforce_sorted:
        order = None
    else:
        lengths, order = lengths.sort(descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    sizes = lengths.tolist()
    _check_lengths(sizes, input, batch_first)
    if batch_first:
        input = input.transpose(0, 1)
    batch_sizes = [sum(1 for n in sizes if n > t) for t in range(sizes[0])]
    data = cat([input[t, :n] for t, n in enumerate(batch_sizes)], 0)
    return PackedSequence(data, tensor(batch_sizes, dtype=int64), order, None)


def _check_lengths(sizes: list[int], input: Tensor, batch_first: bool) -> None:
    batch = input.shape[0 if batch_first else 1]
    if len(sizes) != batch:
        raise error("lengths-differ",
                    RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} "
                                 f"(batch_size={batch})"),
                    what="lengths", count=len(sizes), other="input", other_count=batch, dim=0 if batch_first else 1,
                    fix="give one length for each sequence; batch_first says whether dimension 0 or 1 of input is "
                        "the batch (now {dim}).")
    if min(sizes) <= 0:
        raise error("data-range",
                    RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' "
                                 "that is <= 0"),
                    what="lengths", value=min(sizes), must="a whole number of at least {low}", low=1,
                    fix="leave empty sequences out of the batch.")
    if any(a < b for a, b in zip(sizes, sizes[1:])):
        raise error("argument-value",
                    RuntimeError("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. "
                                 "You can pass `enforce_sorted=False` to pack_padded_sequence and/or pack_sequence "
                                 "to sidestep this requirement if you do not need ONNX exportability."),
                    what="lengths", value=sizes, must="a list with the longest first",
                    fix="write pack_padded_sequence(..., enforce_sorted=False), which sorts and brings the order back.")
    time = input.shape[1 if batch_first else 0]
    if sizes[0] > time:
        raise error("data-range",
                    RuntimeError(f"Expected the longest sequence to have at most {time} steps (the input's), but got "
                                 f"a length of {sizes[0]}"),
                    what="lengths", value=sizes[0], must="a whole number of at most {high}, the steps of input",
                    high=time, fix="look at batch_first: it says whether dimension 0 or 1 of input is the time.")


def pad_packed_sequence(sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
                        total_length: int | None = None) -> tuple[Tensor, Tensor]:
    """Undo `pack_padded_sequence`: the padded batch and the lengths.

    >>> packed = kobai.nn.utils.rnn.pack_sequence([kobai.tensor([1, 2, 3]), kobai.tensor([4])])
    >>> kobai.nn.utils.rnn.pad_packed_sequence(packed, batch_first=True)
    (tensor([[1, 2, 3],
            [4, 0, 0]]), tensor([3, 1]))
    """
    if not isinstance(sequence, PackedSequence):
        raise error("argument-type",
                    AttributeError(f"'{type(sequence).__name__}' object has no attribute 'batch_sizes'"), what="sequence",
                    kind=type(sequence), must="a PackedSequence",
                    fix="pack_padded_sequence makes one; what is no PackedSequence is padded already.")
    data, batch_sizes, _, back = sequence
    sizes = batch_sizes.tolist()
    time = len(sizes) if total_length is None else total_length
    if time < len(sizes):
        raise error("argument-value",
                    ValueError("Expected total_length to be at least the length of the longest sequence in input, "
                               f"but got total_length={time} and max sequence length being {len(sizes)}"),
                    what="total_length", value=time, low=len(sizes), must="a whole number of at least {low}")
    lengths = tensor([sum(1 for n in sizes if n > i) for i in range(sizes[0])], dtype=int64)
    steps = [_filled_up(step, sizes[0], padding_value) for step in data.split(sizes, 0)]
    steps += [_filled_up(data[:0], sizes[0], padding_value)] * (time - len(sizes))
    padded = _stacked(steps, 1 if batch_first else 0)
    if back is not None:
        padded = padded.index_select(0 if batch_first else 1, back)
        lengths = lengths[back]
    return padded, lengths


def _filled_up(rows: Tensor, n: int, value: float) -> Tensor:
    missing = n - rows.shape[0]
    if missing == 0:
        return rows
    return cat([rows, rows.new_full((missing, *rows.shape[1:]), value)], 0)


def _stacked(steps: list[Tensor], dim: int) -> Tensor:
    return cat([step.unsqueeze(dim) for step in steps], dim)


def pad_sequence(sequences: Iterable[Tensor], batch_first: bool = False, padding_value: float = 0.0,
                 padding_side: str = "right") -> Tensor:
    """Stack sequences (length, …) into a batch, filling the shorter ones up.

    >>> kobai.nn.utils.rnn.pad_sequence([kobai.tensor([1, 2]), kobai.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise error("argument-type",
                    RuntimeError("pad_sequence: Expected iterable for input sequences, but got arg of type: "
                                 f"{type(sequences)}"),
                    what="sequences", kind=type(sequences), must="a list or tuple of tensors")
    if padding_side not in ("left", "right"):
        raise error("argument-choice",
                    RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}."),
                    what="padding_side", value=padding_side, choices=["left", "right"])
    sequences = list(sequences)
    if not sequences:
        raise error("argument-count", RuntimeError("received an empty list of sequences"), what="sequences", count=0,
                    need="at least {n}", n=1)
    longest = max(s.shape[0] for s in sequences)
    rows = []
    for s in sequences:
        padding = s.new_full((longest - s.shape[0], *s.shape[1:]), padding_value)
        rows.append(s if s.shape[0] == longest else cat([padding, s] if padding_side == "left"
                                                        else [s, padding], 0))
    return _stacked(rows, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Undo `pad_sequence`."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [row[:int(n)] for row, n in zip(padded_sequences, lengths)]


def pack_sequence(sequences: Iterable[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (length, …), the longest first unless `enforce_sorted` is False."""
    sequences = list(sequences)
    lengths = tensor([len(s) for s in sequences], dtype=int64)
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Undo `pack_sequence`."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
