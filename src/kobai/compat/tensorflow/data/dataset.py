"""`tf.data.Dataset`."""
from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np

from ....diagnose import error
from ....tensor import wrap
from .. import dtypes, nest
from ..control import TensorSpec
from ..errors import InvalidArgumentError, OutOfRangeError, invalid
from ..philox import seeded
from ..random_ops import has_seed, operation_seeds
from ..shapes import TensorShape
from ..tensors import box, number_or_array
from ..values import convert_to_tensor
from .elements import (
    END,
    as_arrays,
    as_tensors,
    call_with,
    filled_up,
    fitting,
    groups,
    in_turns,
    key_of,
    parts_of,
    shuffled,
    spec_of,
    stacked,
    traced,
    wider,
)

AUTOTUNE = -1
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2


class Dataset:
    """Elements in order. Its methods give other datasets; nothing is computed before someone iterates.

    >>> import kobai.compat.tensorflow as tf
    >>> list(tf.data.Dataset.range(5).map(lambda x: x * x).batch(2).as_numpy_iterator())
    [array([0, 1]), array([4, 9]), array([16])]
    """

    _is_dataset = True

    def __init__(self, make, count, spec, kind="Dataset"):
        self._make, self._count, self._kind = make, count, kind
        self._spec_of, self._known_spec = spec, None

    # ---- sources -------------------------------------------------------------------------
    @staticmethod
    def from_tensor_slices(tensors, name=None):
        """The slices of tensors (nested as you like) along their first dimension."""
        arrays = as_arrays(tensors if isinstance(tensors, (dict, tuple)) else convert_to_tensor(tensors))
        flat = nest.flatten(arrays)
        for a in flat:
            if not np.ndim(a):
                raise error("tensor-dims", ValueError("Unbatching a tensor is only supported for rank >= 1"),
                            what="a component", shape=(), need="at least {n}", n=1,
                            fix="tf.data.Dataset.from_tensors(x) is a dataset of one element.")
        n = len(flat[0])
        if any(len(a) != n for a in flat):
            sizes = [len(a) for a in flat]
            raise error("lengths-differ",
                        ValueError(f"Dimensions {sizes[0]} and {next(s for s in sizes if s != n)} are not compatible"),
                        what="the first component", count=n, other="another",
                        other_count=next(s for s in sizes if s != n))

        def make():
            for i in range(n):
                yield nest.map_structure(lambda a: a[i], arrays)
        return Dataset(make, n, lambda: nest.map_structure(
            lambda a: TensorSpec(a.shape[1:], dtypes.of(a.dtype)), arrays), "_TensorSliceDataset")

    @staticmethod
    def from_tensors(tensors, name=None):
        """One element."""
        arrays = as_arrays(tensors if isinstance(tensors, (dict, tuple)) else convert_to_tensor(tensors))
        return Dataset(lambda: iter([arrays]), 1, lambda: nest.map_structure(spec_of, arrays), "_TensorDataset")

    @staticmethod
    def from_generator(generator, output_types=None, output_shapes=None, args=None, output_signature=None, name=None):
        """What a generator function yields."""
        spec = output_signature
        if spec is None and output_types is not None:
            shapes = output_shapes if output_shapes is not None else nest.map_structure(lambda _: None, output_types)
            one = isinstance(shapes, (TensorShape, list)) or not isinstance(output_types, (tuple, list, dict))
            flat = [shapes] if one else nest.flatten(shapes)
            spec = nest.pack_sequence_as(output_types, [TensorSpec(s, d) for s, d in zip(
                flat, nest.flatten(output_types))])
        given = [convert_to_tensor(a).numpy() for a in args or ()]

        def make():
            for element in generator(*given):
                if spec is None:
                    yield as_arrays(element)
                else:
                    values = parts_of(spec, element)
                    yield nest.pack_sequence_as(spec, [fitting(v, s) for v, s in zip(values, nest.flatten(spec))])
        return Dataset(make, UNKNOWN_CARDINALITY, lambda: spec, "_FlatMapDataset")

    @staticmethod
    def range(*args, **kwargs):
        """Whole numbers, as Python's range."""
        d = dtypes.as_dtype(kwargs.get("output_type") or dtypes.int64)
        numbers = range(*[int(a) for a in args])
        return Dataset(lambda: (d.np.type(i) for i in numbers), len(numbers), lambda: TensorSpec((), d), "_RangeDataset")

    @staticmethod
    def zip(*args, datasets=None, name=None):
        """Elements of several datasets side by side."""
        nested = datasets if datasets is not None else args[0] if len(args) == 1 else args
        flat = nest.flatten(nested)

        def make():
            return (nest.pack_sequence_as(nested, row) for row in zip(*[d._make() for d in flat]))
        known = [d._count for d in flat]
        count = UNKNOWN_CARDINALITY if UNKNOWN_CARDINALITY in known else min(
            [c for c in known if c != INFINITE_CARDINALITY], default=INFINITE_CARDINALITY)
        return Dataset(make, count, lambda: nest.map_structure(lambda d: d.element_spec, nested), "_ZipDataset")

    @staticmethod
    def choose_from_datasets(datasets, choice_dataset, stop_on_empty_dataset=True):
        """The next element of the dataset that each number of `choice_dataset` names."""
        def make():
            return _chosen([d._make() for d in datasets], (int(i) for i in choice_dataset._make()), stop_on_empty_dataset)
        return datasets[0]._like(make, UNKNOWN_CARDINALITY, "_DirectedInterleaveDataset")

    @staticmethod
    def sample_from_datasets(datasets, weights=None, seed=None, stop_on_empty_dataset=False, rerandomize_each_iteration=None):
        """The next element of a dataset drawn at random."""
        def make():
            shares = np.full(len(datasets), 1.0) if weights is None else np.asarray(as_arrays(convert_to_tensor(weights)), float)
            draw = np.random.default_rng(None if seed is None else int(seed))
            return _sampled([d._make() for d in datasets], shares, draw, stop_on_empty_dataset)
        return datasets[0]._like(make, UNKNOWN_CARDINALITY, "_DirectedInterleaveDataset")

    @staticmethod
    def random(seed=None, rerandomize_each_iteration=None, name=None):
        """Whole numbers without end."""
        def make():
            stream = seeded(*operation_seeds(seed))
            while True:
                yield from (np.int64(w) for w in stream.skip(64).words(256))
        return Dataset(make, INFINITE_CARDINALITY, lambda: TensorSpec((), dtypes.int64), "_RandomDataset")

    # ---- functions of elements -----------------------------------------------------------
    def map(self, map_func, num_parallel_calls=None, deterministic=None, name=None, **kwargs):
        """`map_func` of each element."""
        if not callable(map_func):
            raise error("argument-type",
                        ValueError(f"Argument `func` must be a callable. Received func={map_func} (of type {type(map_func)})"),
                        what="map_func", kind=type(map_func), must="a function")
        def make():
            streams = {}
            return (as_arrays(call_with(map_func, element, streams)) for element in self._make())
        kind = "_MapDataset" if num_parallel_calls is None else "_ParallelMapDataset"
        return Dataset(make, self._count, lambda: traced(map_func, self.element_spec), kind)

    def filter(self, predicate, name=None):
        """The elements for which the predicate holds."""
        def make():
            streams = {}
            return (e for e in self._make() if bool(call_with(predicate, e, streams)))
        return self._like(make, UNKNOWN_CARDINALITY, "_FilterDataset")

    def flat_map(self, map_func, name=None):
        """The elements of the datasets that `map_func` gives, one after the other."""
        def make():
            streams = {}
            return (inner for element in self._make() for inner in call_with(map_func, element, streams)._make())
        return Dataset(make, UNKNOWN_CARDINALITY, lambda: self._first_of(map_func).element_spec, "_FlatMapDataset")

    def interleave(self, map_func, cycle_length=None, block_length=1, num_parallel_calls=None, deterministic=None,
                   name=None):
        """The elements of the datasets that `map_func` gives, in turns of `block_length`."""
        width = cycle_length if cycle_length and cycle_length > 0 else 1

        def make():
            streams = {}
            return in_turns((call_with(map_func, e, streams)._make() for e in self._make()), width, block_length)
        return Dataset(make, UNKNOWN_CARDINALITY, lambda: self._first_of(map_func).element_spec, "_InterleaveDataset")

    def _first_of(self, map_func):
        return call_with(map_func, next(iter(self._make())), {})

    def scan(self, initial_state, scan_func, name=None):
        """Elements from a function of state and element: it returns the next state and the output."""
        def make():
            return run(self._make(), nest.map_structure(convert_to_tensor, initial_state))

        def run(source, state):
            for element in source:
                state, out = scan_func(state, as_tensors(element))
                yield as_arrays(out)
        return Dataset(make, self._count, lambda: nest.map_structure(spec_of, next(iter(make()))), "_ScanDataset")

    def reduce(self, initial_state, reduce_func, name=None):
        """One value from all elements: `state = reduce_func(state, element)`."""
        state = nest.map_structure(convert_to_tensor, initial_state)
        for element in self:
            state = nest.map_structure(convert_to_tensor, reduce_func(state, element))
        return state

    def apply(self, transformation_func):
        """`transformation_func` of this dataset."""
        return transformation_func(self)

    # ---- batches -------------------------------------------------------------------------
    def batch(self, batch_size, drop_remainder=False, num_parallel_calls=None, deterministic=None, name=None):
        """`batch_size` elements as one with a dimension more."""
        n = _batch_size(batch_size)

        def make():
            return map(stacked, groups(self._make(), n, drop_remainder))
        count = self._count if self._count < 0 else self._count // n if drop_remainder else -(-self._count // n)
        lead = n if drop_remainder else None
        return Dataset(make, count, lambda: wider(self.element_spec, lead), "_BatchDataset")

    def padded_batch(self, batch_size, padded_shapes=None, padding_values=None, drop_remainder=False, name=None):
        """As `batch`, with elements of different sizes filled up."""
        n = int(batch_size)

        def make():
            return (filled_up(rows, padded_shapes, padding_values)
                    for rows in groups(self._make(), n, drop_remainder))
        count = self._count if self._count < 0 else self._count // n if drop_remainder else -(-self._count // n)
        return Dataset(make, count, lambda: wider(self.element_spec, n if drop_remainder else None),
                       "_PaddedBatchDataset")

    def unbatch(self, name=None):
        """The slices of each element."""
        def make():
            return (nest.map_structure(lambda a: a[i], element) for element in self._make()
                    for i in range(len(nest.flatten(element)[0])))
        return Dataset(make, UNKNOWN_CARDINALITY, lambda: nest.map_structure(
            lambda s: TensorSpec(s.shape[1:], s.dtype), self.element_spec), "_UnbatchDataset")

    def window(self, size, shift=None, stride=1, drop_remainder=False, name=None):
        """Datasets of `size` elements each, beginning at every `shift`-th."""
        step = size if shift is None else shift

        def make():
            return _windows(self._make(), size, step, stride, drop_remainder)
        return Dataset(make, UNKNOWN_CARDINALITY, lambda: self.element_spec, "_WindowDataset")

    def group_by_window(self, key_func, reduce_func, window_size=None, window_size_func=None, name=None):
        """Elements of one key together, `window_size` at a time: `reduce_func(key, dataset)` makes a dataset of them."""
        def make():
            return run(self._make())

        def run(source):
            waiting: dict = {}
            for element in source:
                key = np.int64(int(call_with(key_func, element, {})))
                size = window_size if window_size is not None else window_size_func(convert_to_tensor(key))
                rows = waiting.setdefault(int(key), [])
                rows.append(element)
                if len(rows) >= int(size):
                    yield from reduced(key, waiting.pop(int(key)))
            for key, rows in waiting.items():
                yield from reduced(np.int64(key), rows)

        def reduced(key, rows):
            part = Dataset(lambda: iter(rows), len(rows), lambda: self.element_spec, "_VariantDataset")
            return reduce_func(convert_to_tensor(key), part)._make()
        return Dataset(make, UNKNOWN_CARDINALITY, lambda: nest.map_structure(spec_of, next(iter(make()))),
                       "_GroupByWindowDataset")

    # ---- order and number ----------------------------------------------------------------
    def shuffle(self, buffer_size, seed=None, reshuffle_each_iteration=None, name=None):
        """Elements in random order, each drawn from the next `buffer_size`; in another order each time."""
        size = max(int(buffer_size), 1)
        seeds = operation_seeds(seed) if has_seed(seed) else None
        again = reshuffle_each_iteration is not False
        if seeds is None and not again:
            seeds = operation_seeds(None)
        turns = itertools.count()

        def make():
            mine = seeds or operation_seeds(None)
            if seeds is not None and again:  # two words of the dataset's stream are the seeds of each turn
                mine = seeded(*seeds).words(2 * next(turns) + 2)[-2:].tolist()
            return shuffled(self._make(), size, seeded(*mine))
        return self._like(make, self._count, "_ShuffleDataset")

    def repeat(self, count=None, name=None):
        """All elements `count` times; without end if it is None or -1."""
        endless = count is None or int(count) < 0

        def make():
            return run(self._make() if endless or int(count) else None)

        def run(source):
            for turn in itertools.count(1) if endless else range(1, int(count) + 1):
                some = False
                for element in source:
                    some = True
                    yield element
                if not some or turn == count:
                    return
                source = self._make()
        total = self._count if self._count in (0, UNKNOWN_CARDINALITY, INFINITE_CARDINALITY) and not endless else \
            INFINITE_CARDINALITY if endless and self._count else self._count * int(count or 0)
        return self._like(make, total, "_RepeatDataset")

    def take(self, count, name=None):
        """The first elements."""
        n = int(count)
        left = self._count if n < 0 else min(self._count, n) if self._count >= 0 else n if \
            self._count == INFINITE_CARDINALITY else UNKNOWN_CARDINALITY
        return self._like(lambda: itertools.islice(self._make(), None if n < 0 else n), left, "_TakeDataset")

    def skip(self, count, name=None):
        """All but the first elements."""
        n = int(count)
        return self._like(lambda: itertools.islice(self._make(), n, None),
                          max(self._count - n, 0) if self._count >= 0 else self._count, "_SkipDataset")

    def take_while(self, predicate, name=None):
        """The elements before the first for which the predicate does not hold."""
        return self._like(lambda: itertools.takewhile(lambda e: bool(call_with(predicate, e, {})), self._make()),
                          UNKNOWN_CARDINALITY, "_TakeWhileDataset")

    def shard(self, num_shards, index, name=None):
        """Every `num_shards`-th element, from `index` on."""
        count = len(range(index, self._count, num_shards)) if self._count >= 0 else self._count
        return self._like(lambda: itertools.islice(self._make(), index, None, num_shards), count, "_ShardDataset")

    def concatenate(self, dataset, name=None):
        """These elements, and then those of another dataset."""
        counts = self._count, dataset._count
        total = INFINITE_CARDINALITY if INFINITE_CARDINALITY in counts else UNKNOWN_CARDINALITY \
            if UNKNOWN_CARDINALITY in counts else sum(counts)
        return self._like(lambda: itertools.chain(self._make(), dataset._make()), total, "_ConcatenateDataset")

    def enumerate(self, start=0, name=None):
        """Pairs of number and element."""
        return Dataset(lambda: ((np.int64(i), e) for i, e in enumerate(self._make(), start)), self._count,
                       lambda: (TensorSpec((), dtypes.int64), self.element_spec), "_ZipDataset")

    def unique(self, name=None):
        """Each element once."""
        def make():
            seen = set()
            return (e for e in self._make() if not (key_of(e) in seen or seen.add(key_of(e))))
        return self._like(make, UNKNOWN_CARDINALITY, "_UniqueDataset")

    def cache(self, filename="", name=None):
        """The elements, kept in memory after the first time."""
        kept = []

        def make():
            if kept:
                return iter(kept[0])
            return keeping(self._make())

        def keeping(source):
            rows = []
            for element in source:
                rows.append(element)
                yield element
            kept[:] = [rows]
        return self._like(make, self._count, "CacheDataset")

    def prefetch(self, buffer_size, name=None):
        """The same elements: they are made when they are needed."""
        return self._like(self._make, self._count, "_PrefetchDataset")

    def with_options(self, options, name=None):
        """The same elements."""
        return self._like(self._make, self._count, "_OptionsDataset")

    def ignore_errors(self, log_warning=False, name=None):
        """Without the elements whose computation fails."""
        def make():
            return run(self._make())

        def run(source):
            while True:
                try:
                    yield next(source)
                except StopIteration:
                    return
                except (InvalidArgumentError, ValueError):
                    continue
        return self._like(make, UNKNOWN_CARDINALITY, "_IgnoreErrorsDataset")

    def _like(self, make, count, kind):
        return Dataset(make, count, lambda: self.element_spec, kind)

    # ---- looking at it -------------------------------------------------------------------
    @property
    def element_spec(self):
        """The shapes and dtypes of the elements, nested as they are."""
        if self._known_spec is None:
            self._known_spec = self._spec_of()
        return self._known_spec

    def cardinality(self, name=None):
        """The number of elements as a tensor; -1: without end, -2: not known."""
        return box(wrap(np.int64(self._count)))

    def cardinality_or_none(self):
        """The number of elements, or None."""
        return self._count if self._count >= 0 else None

    def __len__(self):
        if self._count == INFINITE_CARDINALITY:
            raise TypeError("The dataset is infinite.")  # plain: list() tries it
        if self._count == UNKNOWN_CARDINALITY:
            raise TypeError("The dataset length is unknown.")  # plain: list() tries it
        return self._count

    def __bool__(self):
        return True

    def __iter__(self):
        return Iterator(self)

    def as_numpy_iterator(self):
        """The elements as NumPy arrays."""
        return (nest.map_structure(lambda v: v if isinstance(v, Dataset) else number_or_array(wrap(v), True), e)
                for e in self._make())

    def get_single_element(self, name=None):
        """The only element."""
        rows = list(itertools.islice(self._make(), 2))
        if len(rows) != 1:
            raise error("not-possible", InvalidArgumentError(
                None, None, "Dataset had more than one element." if rows else "Dataset was empty."),
                why="the dataset has more than one element." if rows else "the dataset has no element.",
                fix="next(iter(dataset)) gives the first of several." if rows else
                    "look which filter(), skip() or take() leaves nothing.")
        return as_tensors(rows[0])

    def __repr__(self):
        return f"<{self._kind} element_spec={self.element_spec}>"


Dataset.__module__ = "tensorflow.python.data.ops.dataset_ops"


class Iterator:
    """The elements of one turn."""

    def __init__(self, dataset):
        self._source, self.element_spec = dataset._make(), None
        self._dataset = dataset

    def __iter__(self):
        return self

    def __next__(self):
        return as_tensors(next(self._source))

    def get_next(self):
        """The next element. Raises OutOfRangeError at the end."""
        try:
            return next(self)
        except StopIteration:
            raise OutOfRangeError(None, None, "End of sequence") from None  # plain: it ends a loop


Iterator.__name__ = Iterator.__qualname__ = "OwnedIterator"
Iterator.__module__ = "tensorflow.python.data.ops.iterator_ops"


def _windows(source, size, step, stride, drop_remainder):
    """Datasets of `size` elements, every `stride`-th, beginning `step` elements after each other."""
    rows, gone, span = [], False, (size - 1) * stride + 1
    while True:
        while not gone and len(rows) < span:
            row = next(source, END)
            gone = row is END
            if not gone:
                rows.append(row)
        part = rows[:span:stride]
        if not part or drop_remainder and len(part) < size:
            return
        yield _of_rows(part, rows[0])
        for _ in range(step - len(rows)):
            next(source, None)
        rows = rows[step:]


def _chosen(sources, choices, stop):
    gone = set()
    for i in choices:
        element = next(sources[i], END)
        if element is not END:
            yield element
        elif stop:
            return
        else:
            gone.add(i)
        if len(gone) == len(sources):
            return


def _sampled(sources, shares, draw, stop):
    left = [i for i, share in enumerate(shares) if share > 0]
    while left:
        some = shares[left] / shares[left].sum()
        i = left[int(draw.choice(len(left), p=some))]
        element = next(sources[i], END)
        if element is not END:
            yield element
        elif stop:
            return
        else:
            left.remove(i)


def _of_rows(rows, first):
    """A small dataset of a window; windows of tuples are tuples of datasets."""
    def one(column):
        return Dataset(lambda: iter(column), len(column), lambda: spec_of(column[0]), "_VariantDataset")
    if isinstance(first, (tuple, dict)):
        columns = zip(*[nest.flatten(r) for r in rows])
        return nest.pack_sequence_as(first, [one(list(c)) for c in columns])
    return one(rows)


class Options:
    """Accepted, and of no effect."""

    def __init__(self):
        self.experimental_distribute = self.threading = self.experimental_optimization = SimpleNamespace()
        self.deterministic = None


def _text_lines(filenames, compression_type=None, buffer_size=None, num_parallel_reads=None, name=None):
    """The lines of text files."""
    names = [filenames] if isinstance(filenames, (str, bytes)) else [
        v.decode() if isinstance(v, bytes) else v for v in np.atleast_1d(as_arrays(filenames)).tolist()]

    def make():
        for path in names:
            with open(path, "rb") as file:
                for line in file:
                    yield np.array(line.rstrip(b"\r\n"), object)
    return Dataset(make, UNKNOWN_CARDINALITY, lambda: TensorSpec((), dtypes.string), "TextLineDatasetV2")


TextLineDataset = _text_lines
experimental = SimpleNamespace(AUTOTUNE=AUTOTUNE, cardinality=lambda d: d.cardinality(),
                               INFINITE_CARDINALITY=INFINITE_CARDINALITY, UNKNOWN_CARDINALITY=UNKNOWN_CARDINALITY)


def _batch_size(size):
    if isinstance(size, (str, float)):
        raise error("argument-type", TypeError(f"Cannot convert {size!r} to EagerTensor of dtype int64"), what="batch_size",
                    kind=type(size), must="a positive whole number")
    if int(size) < 1:
        raise error("argument-value", invalid("BatchDatasetV2", "Batch size must be greater than zero."), what="batch_size",
                    value=size, must="a positive whole number")
    return int(size)
