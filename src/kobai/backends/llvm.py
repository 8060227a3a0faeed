"""Kernels as machine code: LLVM through llvmlite, SIMD, compiled in memory, remembered on disk."""

from __future__ import annotations

import atexit
import ctypes
import importlib.util
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kobai.backends import object_code
from kobai.backends.assembler import Line, free_llvm
from kobai.backends.native import Bridge
from kobai.compile import cache
from kobai.compile.kernel import Kernel, NoKernel, numpy_type
from kobai.compile.lower import Fitted, Layout, broadcast_strides, fit, lower

_found = importlib.util.find_spec("llvmlite")
available = _found is not None


def _describe_cpu(llvm):
    """(name, features, bytes of a vector register); KOBAI_CPU=x86-64-v3 and the like override the host's."""
    name = os.environ.get("KOBAI_CPU")
    if name:
        return name, "", {"x86-64-v3": 32, "x86-64-v4": 64}.get(name, 16)
    features = llvm.get_host_cpu_features()
    size = 64 if features.get("avx512dq") and features.get("avx512vl") else 32 if features.get("avx2") else 16
    return llvm.get_host_cpu_name(), features.flatten() + ",-prefer-256-bit", size


class _Tools:
    """LLVM itself, imported only where there is something to compile: that takes 50 ms and as many MB."""

    def __init__(self):
        import llvmlite.binding as llvm  # noqa: PLC0415

        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.llvm = llvm
        self.cpu, self.features, self.vector_bytes = _describe_cpu(llvm)
        self.triple = llvm.get_default_triple()
        self.hasty = self.machine(0)
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self.machine(2))
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.engine))  # its code outlives the interpreter's modules
        self.lines: list[Line] = []  # that nobody uses now

    def assemble(self, text: str) -> bytes:
        line = self.lines.pop() if self.lines else Line(self.llvm, self.machine(2))
        try:
            return line.assemble(text)
        finally:
            self.lines.append(line)

    def machine(self, level: int):
        """What writes code for this CPU: level 2 takes its time, 0 does not."""
        target = self.llvm.Target.from_triple(self.triple)
        return target.create_target_machine(cpu=self.cpu, features=self.features, opt=level, jit=True)

    def assemble_in_haste(self, text: str) -> bytes:
        module = self.llvm.parse_assembly(text)
        module.verify()
        return self.hasty.emit_object(module)

    def load(self, code: bytes, names) -> list[int]:
        self.engine.add_object_file(self.llvm.ObjectFileRef.from_data(code))
        self.engine.finalize_object()
        return [self.engine.get_function_address(name) for name in names]


def _identity() -> str:
    """A name for this CPU and this LLVM, found without asking LLVM; "" where that is not possible."""
    try:
        library = next((Path(_found.submodule_search_locations[0]) / "binding").glob("libllvmlite*"))
        status = library.stat()
        with open("/proc/cpuinfo") as f:
            first = f.read(8192).split("\n\n")[0].splitlines()
    except (OSError, StopIteration, TypeError, AttributeError):
        return ""
    varying = ("cpu MHz", "bogomips", "processor", "core id", "apicid", "initial apicid", "physical id", "cpu cores",
               "siblings", "cache size", "BogoMIPS")  # fmt: skip
    lasting = [line for line in first if not line.startswith(varying)]
    return cache.digest(library, status.st_mtime_ns, status.st_size, os.environ.get("KOBAI_CPU"), *lasting)


class Machine:
    """The CPU we run on, and what writes code for it.

    What is known of the CPU (``cpu``, ``features``, ``triple``, ``vector_bytes``) comes from the cache if it
    can: with all code in the cache too, LLVM is not even loaded.
    """

    def __init__(self):
        self._tools: _Tools | None = None
        identity = _identity() if object_code.supported else ""
        known = cache.store().get(cache.digest("machine's facts", identity)) if identity and cache.store() else None
        if known is None:
            tools = self.tools
            known = "\n".join([tools.cpu, tools.features, tools.triple, str(tools.vector_bytes)]).encode()
            if identity and cache.store():
                cache.store().put(cache.digest("machine's facts", identity), known)
        self.cpu, self.features, self.triple, width = known.decode().split("\n")
        self.vector_bytes = int(width)
        self.has_half = self.vector_bytes > 16 or "x86" not in self.triple
        self.has_tables = self.vector_bytes == 64  # finds numbers in tables within registers (`Writer._table`)
        self.name = cache.digest(identity or self._version(), known)

    @property
    def tools(self) -> _Tools:
        """LLVM, when first needed."""
        global available
        with _lock:
            if self._tools is None:
                try:
                    self._tools = _Tools()
                except (ImportError, OSError, RuntimeError) as e:
                    available = False
                    raise NoKernel(f"no machine code: {e}") from e
            return self._tools

    def _version(self) -> str:
        import llvmlite  # noqa: PLC0415

        return f"{llvmlite.__version__} {self.tools.llvm.llvm_version_info}"

    def assemble(self, text: str) -> bytes:
        """Object code of LLVM text, which must not contain addresses of this process."""
        return cache.remembered(cache.digest(self.name, text), lambda: self.compile(text))

    def assemble_glue(self, text: str) -> bytes:
        """Object code of what stands between Python and kernels, the same text on each machine.

        LLVM takes 60 ms to write all of it well and 10 ms to write it fast, so the first process on a machine
        has code of the second kind (a tenth slower) and leaves the first kind to those that follow.
        """
        kept, name = cache.store(), cache.digest(self.name, text)
        if kept is None:
            return self.compile(text)
        found = kept.get(name)
        if found is None:
            with _lock:
                found = self.tools.assemble_in_haste(text)
            atexit.register(self._keep_well, kept, name, text)
        return found

    def _keep_well(self, kept, name, text):
        if kept.writable:
            kept.put(name, self.compile(text))

    def compile(self, text: str) -> bytes:
        """Object code of LLVM text, made anew."""
        return self.tools.assemble(text)

    def remembered(self, key: str, write: Callable[[], str]) -> bytes:
        """Object code of the text that ``write`` gives for this key and version of kobai."""
        name = cache.digest(self.name, cache.fingerprint(), key)
        return cache.remembered(name, lambda: self.compile(write()))

    def load(self, code: bytes, *names: str) -> list[int]:
        """Addresses of functions in object code; a name must always stand for the same code."""
        try:
            found = object_code.load(code)
            return [found[name] for name in names]
        except (object_code.Unsupported, KeyError):
            with _lock:
                return self.tools.load(code, names)


def _after_fork():
    """In a forked child: other threads may have been compiling, and do so no more."""
    _lock.release()
    _making.clear()
    free_llvm()


_lock = threading.RLock()
if hasattr(os, "register_at_fork"):  # nobody imports LLVM, or has it but for a moment, while a process forks
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_after_fork)
_machine: Machine | None = None
_bridge: Bridge | None = None
_compiled: dict[tuple[Kernel, Layout], Compiled] = {}
_making: dict[tuple[Kernel, Layout], threading.RLock] = {}  # what some thread compiles now


def machine() -> Machine:
    """The one Machine of this process.

    Raises:
        NoKernel: if llvmlite is not there or does not work here.
    """
    global _machine
    if _machine is None:
        with _lock:
            _machine = _machine or Machine()
    return _machine


class Compiled:
    """Machine code of a kernel in a layout: call it with a `Fitted` of that layout and addresses."""

    def __init__(self, kernel: Kernel, layout: Layout):
        m = machine()
        if not m.has_half and any(n.dtype == "f16" for n in kernel.nodes):
            raise NoKernel("this CPU has no instructions for float16")
        self.kernel, self.layout = kernel, layout
        self.nest = lower(kernel, layout)  # the loops; approximations add none
        key = f"{kernel.key}\n{layout}"
        self.name = "k" + cache.digest(key)
        names = (self.name, self.name + "_finish") if self.nest.by_chunks else (self.name,)
        self.address, *finish = m.load(m.remembered(key, lambda: self.text), *names)
        self.finish = finish[0] if finish else 0
        signature = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        self._functions = [signature(a) for a in (self.address, *finish)]

    @property
    def text(self) -> str:
        """The LLVM text."""
        with _lock:  # so that nobody forks meanwhile
            from kobai.backends.llvm_loops import LoopEmitter  # noqa: PLC0415 (not needed for code in the cache)
            from kobai.compile.approximate import approximate  # noqa: PLC0415

        nest = lower(approximate(self.kernel, machine().has_tables), self.layout)
        return LoopEmitter(nest, self.name, machine().vector_bytes).text()

    def __call__(self, fitted: Fitted, addresses):
        words = [*addresses, *fitted.sizes, *[s for strides in fitted.strides for s in strides]]
        extent = self.nest.extent(fitted.sizes)
        if self.finish:
            chunks = (ctypes.c_int64 * (extent * len(self.nest.reductions)))()
            words.append(ctypes.addressof(chunks))
        block = (ctypes.c_int64 * len(words))(*words)
        for function in self._functions:
            function(ctypes.addressof(block), 0, extent)


def bridge() -> Bridge:
    """The one Bridge of this process.

    Raises:
        NoKernel: if NumPy's arrays or the C library are not what `kobai.backends.native` expects.
    """
    global _bridge
    if sys.platform == "win32":
        raise NoKernel("native calls need posix_memalign")
    if _bridge is None:
        m = machine()
        with _lock:
            if _bridge is None:
                _bridge = Bridge(m)
    if not _bridge.works:
        raise NoKernel("NumPy's arrays look different in memory")
    return _bridge


def compiled(kernel: Kernel, layout: Layout) -> Compiled:
    """Machine code, made once for each kernel and layout."""
    key = kernel, layout
    found = _compiled.get(key)
    return found if found is not None else _made(key)


def _made(key) -> Compiled:
    """As `compiled`, if it is not there yet: made here, or being made by another thread."""
    with _lock:
        making = _making.setdefault(key, threading.RLock())
    with making:
        found = _compiled.get(key)
        if found is None:
            found = _compiled[key] = Compiled(*key)
    _making.pop(key, None)
    return found


def run(kernel: Kernel, *arrays, inner: int | None = None) -> tuple[np.ndarray, ...]:
    """What `kobai.backends.numpy.run` gives, by machine code."""
    shape = np.broadcast_shapes(*[np.shape(a) for a in arrays])
    arrays = [np.asarray(a, numpy_type(o.dtype)) for a, o in zip(arrays, kernel.operands)]
    inner = len(shape) if inner is None else inner
    per_row = shape[: len(shape) - inner] + (1,) * inner
    outputs = [
        np.empty(per_row if kernel.per_row[i] else shape, numpy_type(kernel.nodes[i].dtype))
        for i in kernel.outputs
    ]
    strides = [broadcast_strides(a, shape) for a in (*arrays, *outputs)]
    fitted = fit(kernel, shape, strides, inner)
    compiled(kernel, fitted.layout)(fitted, [a.ctypes.data for a in (*arrays, *outputs)])
    return tuple(outputs)
