"""Modules of PyTorch that hold a few names: they are there, and are what they should be."""
import multiprocessing

import kobai


def square(i, queue):
    queue.put((i, kobai.tensor(float(i)) ** 2))


def test_compiler_marks_change_nothing():
    def f(x):
        return x
    assert kobai.compiler.disable(f) is f and kobai.compiler.disable()(f) is f and kobai.compiler.allow_in_graph(f) is f
    assert not kobai.compiler.is_compiling()
    assert kobai.compiler.compile is kobai.compile


def test_types_and_storages():
    assert isinstance(3, kobai.types.Number)
    assert isinstance(kobai.ones(2).untyped_storage(), kobai.storage.UntypedStorage)
    handle = kobai.ones(1, requires_grad=True).register_hook(lambda g: g)
    assert isinstance(handle, kobai.utils.hooks.RemovableHandle)


def test_processes_send_tensors():
    context = kobai.multiprocessing.get_context("fork")
    queue = context.Queue()
    kobai.multiprocessing.spawn(square, (queue,), nprocs=2, start_method="fork")
    assert sorted((i, v.item()) for i, v in (queue.get(timeout=20) for _ in range(2))) == [(0, 0.0), (1, 1.0)]
    assert kobai.multiprocessing.Process is multiprocessing.Process
    kobai.multiprocessing.set_sharing_strategy("file_system")
    assert kobai.multiprocessing.get_sharing_strategy() == "file_system"
