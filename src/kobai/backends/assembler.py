"""LLVM's way from text to object code, for one thread at a time; several threads take one each.

llvmlite has a lock around each of its functions, so that one thread can use LLVM at a time.  LLVM itself asks for no
more than that threads have contexts of their own, so the two functions that take long are called without the lock.
"""

from __future__ import annotations

import sys
import threading


class Line:
    """What one thread needs to make object code: a context, a machine to write for, and passes."""

    def __init__(self, llvm, machine):
        self.llvm, self.machine, self.context = llvm, machine, llvm.create_context()
        self.passes = llvm.create_new_module_pass_manager()
        self.passes.add_sroa_pass()
        self.tuning = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))

    def assemble(self, text: str) -> bytes:
        """Object code of LLVM text."""
        module = self.llvm.parse_assembly(text, self.context)
        module.verify()
        run, emit = _unlocked("RunNewModulePassManager"), _unlocked("TargetMachineEmitToMemory")
        if run is None or emit is None:
            self.passes.run(module, self.tuning)
            return self.machine.emit_object(module)
        run(self.passes, module, self.tuning)
        return _emitted(emit, self.machine, module)


def _unlocked(name: str):
    """A function of llvmlite's library without the lock, or None where there is none such."""
    from llvmlite.binding import ffi  # noqa: PLC0415

    return getattr(getattr(ffi.lib, f"LLVMPY_{name}"), "_cfn", None)


def _emitted(emit, machine, module) -> bytes:
    """The object code of a module, as llvmlite's `emit_object`."""
    import ctypes  # noqa: PLC0415

    from llvmlite.binding import ffi  # noqa: PLC0415

    with ffi.OutputString() as problem:
        buffer = emit(machine, module, 1, problem)
        if not buffer:
            raise RuntimeError(str(problem))  # plain: caught by its caller
    try:
        return ctypes.string_at(ffi.lib.LLVMPY_GetBufferStart(buffer), ffi.lib.LLVMPY_GetBufferSize(buffer))
    finally:
        ffi.lib.LLVMPY_DisposeMemoryBuffer(buffer)


def free_llvm() -> None:
    """In a forked child: a thread of the parent's that had llvmlite's lock is not there to give it back."""
    binding = sys.modules.get("llvmlite.binding.ffi")
    guard = getattr(getattr(binding, "lib", None), "_lock", None)
    lock = getattr(guard, "_lock", None)
    if lock is None:
        return
    if lock.acquire(blocking=False):
        lock.release()
    else:
        guard._lock = threading.RLock()
