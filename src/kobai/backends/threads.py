"""The pool of threads that share a kernel's first axis, written in LLVM because Python threads cannot run at once.

``parallel(code, block, n, grain)`` runs ``code(block, begin, end)`` for all chunks of ``grain`` of the ``n``
positions.  The caller works too and could finish every chunk alone: workers only take chunks that nobody has
begun, so a worker that has lost its core delays the rest by one chunk at most.  Chunks lie at fixed borders,
so results do not depend on who ran them.  Where the pool is busy (another Python thread) the caller
simply does all the work.

A caller that has nothing left to do waits for the workers' last chunks, spinning and then asleep: a worker whose core
is taken by another process can go on at the caller's.

Some schedulers wake a worker on the core of its caller and leave both there, though others are idle.  So a caller that
finds itself on another core than before (``home``) tells the workers to stay off it; while it sleeps they may go
anywhere.

A job is published by raising ``epoch``; workers wait for that spinning, then asleep in the kernel (a futex).
``ticket`` holds the job's number and the next chunk in one word, so a worker that comes late cannot take a
chunk of the wrong job: chunks are taken by compare-and-swap, and the ticket is closed before a job's fields
change.  The word counts the chunks taken from the front and from the back: a caller goes up, every other worker down,
beginning with the first.  So each of them passes through memory in one direction, and the next job on the same
arrays finds in a core's own cache what that core has left there.  Workers are Python threads that entered `worker`
and dropped the GIL for good.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading

from ..diagnose import error

GRAIN = 16384  # elements in a chunk
_SPIN = 2000  # looks at ``epoch`` before a worker goes to sleep: some 50 microseconds
_CLOSED = 0xFFFFFFFF
_MOST = 0xFFFF  # chunks of a job
FUNCTIONS = ("parallel", "worker", "dismiss")
CELLS = ("workers", "turns", "quit", "busy", "sleepers", "home", "known", "ids", "ticket")
_KNOWN = 256  # workers that can be told where to run


def text(triple: str) -> str:
    """The pool in LLVM, for a machine."""
    machine = triple.split("-")[0]
    number = _GETTID.get(machine) if sys.platform == "linux" else None
    spread = _SPREAD.replace("GETTID", str(number)) if number else _NO_SPREAD
    pause = "call void @llvm.x86.sse2.pause()" if machine in ("x86_64", "i686") else ""
    futex = _FUTEX.get(machine) if sys.platform == "linux" else None
    sleep, wake = "call i32 @usleep(i32 500)", ""
    if futex:  # wait while the number is as seen; wake all: private to this process
        call = f"call i64 (i64, ...) @syscall(i64 {futex}, ptr %number, i32"
        sleep = f"{call} 128, i32 %seen, ptr null, ptr null, i32 0)"
        wake = f"{call} 129, i32 1000, ptr null, ptr null, i32 0)"
    return spread + _TEXT.replace("PAUSE", pause).replace("SLEEP", sleep).replace("WAKE", wake)


_FUTEX = {"x86_64": 202, "aarch64": 98}  # the number of the system call
_GETTID = {"x86_64": 186, "aarch64": 178}

_CELLS_OF_SPREAD = """
@home = global i32 -1, align 64
@known = global i32 0, align 64
@ids = global [KNOWN x i32] zeroinitializer
""".replace("KNOWN", str(_KNOWN))
_NO_SPREAD = _CELLS_OF_SPREAD + """
define internal void @introduce() nounwind {
  ret void
}

define internal void @spread() nounwind {
  ret void
}

define internal void @gather() nounwind {
  ret void
}
"""
_SPREAD = _CELLS_OF_SPREAD + f"""
@allowed = internal global [16 x i64] zeroinitializer, align 64
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @sched_setaffinity(i32, i64, ptr)

; A worker says which thread of the system it is, and where such threads may run.
define internal void @introduce() nounwind {{
entry:
  %long = call i64 (i64, ...) @syscall(i64 GETTID)
  %id = trunc i64 %long to i32
  %failed = call i32 @sched_getaffinity(i32 0, i64 128, ptr @allowed)
  %good = icmp sge i32 %failed, 0
  %i = atomicrmw add ptr @known, i32 1 seq_cst
  %room = icmp ult i32 %i, {_KNOWN}
  %both = and i1 %room, %good
  br i1 %both, label %keep, label %out
keep:
  %at = getelementptr i32, ptr @ids, i32 %i
  store atomic i32 %id, ptr %at seq_cst, align 4
  store atomic i32 -1, ptr @home seq_cst, align 4
  ret void
out:
  ret void
}}

; The workers may run where they might at first, but on CPU %off; anywhere if that is -1 or leaves too few.
define internal void @confine(i32 %off) nounwind {{
entry:
  %cpus = alloca [16 x i64], align 64
  call void @llvm.memcpy.p0.p0.i64(ptr %cpus, ptr @allowed, i64 128, i1 false)
  %named = icmp ult i32 %off, 1024
  br i1 %named, label %without, label %tell
without:
  %word = lshr i32 %off, 6
  %place = getelementptr i64, ptr %cpus, i32 %word
  %low = and i32 %off, 63
  %shift = zext i32 %low to i64
  %bit = shl i64 1, %shift
  %others = xor i64 %bit, -1
  %old = load i64, ptr %place
  %new = and i64 %old, %others
  store i64 %new, ptr %place
  %all = load <16 x i64>, ptr %cpus
  %counts = call <16 x i64> @llvm.ctpop.v16i64(<16 x i64> %all)
  %left = call i64 @llvm.vector.reduce.add.v16i64(<16 x i64> %counts)
  %workers_ = load atomic i32, ptr @workers monotonic, align 4
  %wanted = zext i32 %workers_ to i64
  %few = icmp ult i64 %left, %wanted
  br i1 %few, label %restore, label %tell
restore:
  store i64 %old, ptr %place
  br label %tell
tell:
  %known_ = load atomic i32, ptr @known seq_cst, align 4
  %most = call i32 @llvm.umin.i32(i32 %known_, i32 {_KNOWN})
  br label %loop
loop:
  %i = phi i32 [0, %tell], [%next, %one], [%next, %set]
  %more = icmp ult i32 %i, %most
  br i1 %more, label %one, label %out
one:
  %at = getelementptr i32, ptr @ids, i32 %i
  %id = load atomic i32, ptr %at seq_cst, align 4
  %next = add i32 %i, 1
  %unknown = icmp eq i32 %id, 0  ; as yet; and 0 would be the caller
  br i1 %unknown, label %loop, label %set
set:
  %ignored = call i32 @sched_setaffinity(i32 %id, i64 128, ptr %cpus)
  br label %loop
out:
  ret void
}}
declare <16 x i64> @llvm.ctpop.v16i64(<16 x i64>)
declare i64 @llvm.vector.reduce.add.v16i64(<16 x i64>)
declare i32 @llvm.umin.i32(i32, i32)

; Keep the workers off the caller's CPU, where they are not already.
define internal void @spread() nounwind {{
entry:
  %cpu = call i32 @sched_getcpu()
  %home_ = load atomic i32, ptr @home monotonic, align 4
  %same = icmp eq i32 %cpu, %home_
  br i1 %same, label %out, label %move
move:
  store atomic i32 %cpu, ptr @home monotonic, align 4
  call void @confine(i32 %cpu)
  br label %out
out:
  ret void
}}

; Let the workers come to the caller's CPU too.
define internal void @gather() nounwind {{
  store atomic i32 -1, ptr @home monotonic, align 4
  call void @confine(i32 -1)
  ret void
}}
"""

_TEXT = f"""
declare i64 @syscall(i64, ...)
declare i32 @usleep(i32)

@ticket = global i64 {_CLOSED}, align 128
@done = global i32 0, align 128
@waiting = global i32 0, align 64
@epoch = global i32 0, align 128
@sleepers = global i32 0, align 64
@busy = global i32 0, align 64
@quit = global i32 0, align 64
@workers = global i32 0, align 64
@turns = global i32 0, align 64
@code = global ptr null
@block = global ptr null
@total = global i64 0
@grain = global i64 0
@chunks = global i64 0

define internal void @sleep(ptr %number, i32 %seen) nounwind {{
  SLEEP
  ret void
}}

define internal void @wake(ptr %number) nounwind {{
  WAKE
  ret void
}}

; Take chunks of the current job until none is left: from its front, or its back.
define internal void @work(i1 %back) nounwind {{
entry:
  br label %look
look:
  %have = load atomic i64, ptr @ticket seq_cst, align 8
  %front = and i64 %have, {_MOST}
  %shifted = lshr i64 %have, 16
  %behind = and i64 %shifted, {_MOST}
  %begun = add i64 %front, %behind
  %chunks_ = load atomic i64, ptr @chunks monotonic, align 8
  %left = icmp ult i64 %begun, %chunks_
  br i1 %left, label %take, label %out
take:
  %code_ = load atomic ptr, ptr @code monotonic, align 8
  %block_ = load atomic ptr, ptr @block monotonic, align 8
  %total_ = load atomic i64, ptr @total monotonic, align 8
  %grain_ = load atomic i64, ptr @grain monotonic, align 8
  %step = select i1 %back, i64 {_MOST + 1}, i64 1
  %next = add i64 %have, %step
  %pair = cmpxchg ptr @ticket, i64 %have, i64 %next seq_cst seq_cst
  %mine = extractvalue {{i64, i1}} %pair, 1
  br i1 %mine, label %run, label %look
run:
  %last = sub i64 %chunks_, 1
  %down = sub i64 %last, %behind
  %chunk = select i1 %back, i64 %down, i64 %front
  %begin = mul i64 %chunk, %grain_
  %after = add i64 %begin, %grain_
  %end = call i64 @llvm.smin.i64(i64 %after, i64 %total_)
  call void %code_(ptr %block_, i64 %begin, i64 %end)
  %before = atomicrmw add ptr @done, i32 1 seq_cst
  %waits = load atomic i32, ptr @waiting seq_cst, align 4
  %any = icmp ne i32 %waits, 0
  br i1 %any, label %tell, label %look
tell:
  call void @wake(ptr @done)
  br label %look
out:
  ret void
}}

define void @parallel(ptr %code_, ptr %block_, i64 %n, i64 %grain_) nounwind {{
entry:
  %workers_ = load atomic i32, ptr @workers monotonic, align 4
  %alone = icmp eq i32 %workers_, 0
  %short = icmp sle i64 %n, %grain_
  %whole = icmp sle i64 %grain_, 0
  %small = or i1 %short, %whole
  %serial_ = or i1 %alone, %small
  br i1 %serial_, label %serial, label %enter
enter:
  %pair = cmpxchg ptr @busy, i32 0, i32 1 seq_cst seq_cst
  %mine = extractvalue {{i32, i1}} %pair, 1
  br i1 %mine, label %publish, label %serial
serial:
  call void %code_(ptr %block_, i64 0, i64 %n)
  ret void
publish:
  %finest = udiv i64 %n, {_MOST}
  %part = udiv i64 %finest, %grain_
  %times = add i64 %part, 1
  %coarse = mul i64 %grain_, %times
  %up = add i64 %n, %coarse
  %up1 = sub i64 %up, 1
  %count = udiv i64 %up1, %coarse
  store atomic ptr %code_, ptr @code monotonic, align 8
  store atomic ptr %block_, ptr @block monotonic, align 8
  store atomic i64 %n, ptr @total monotonic, align 8
  store atomic i64 %coarse, ptr @grain monotonic, align 8
  store atomic i64 %count, ptr @chunks monotonic, align 8
  store atomic i32 0, ptr @done monotonic, align 4
  call void @spread()
  %job = load atomic i32, ptr @epoch monotonic, align 4
  %job64 = zext i32 %job to i64
  %number = shl i64 %job64, 32
  store atomic i64 %number, ptr @ticket seq_cst, align 8
  %old = atomicrmw add ptr @epoch, i32 1 seq_cst
  %asleep = load atomic i32, ptr @sleepers seq_cst, align 4
  %any = icmp sgt i32 %asleep, 0
  br i1 %any, label %rouse, label %help
rouse:
  call void @wake(ptr @epoch)
  br label %help
help:
  call void @work(i1 false)
  %last = trunc i64 %count to i32
  br label %wait
wait:
  %spins = phi i32 [0, %help], [%more, %again], [0, %nap]
  %finished = load atomic i32, ptr @done seq_cst, align 4
  %all = icmp eq i32 %finished, %last
  br i1 %all, label %close, label %again
again:
  PAUSE
  %more = add i32 %spins, 1
  %tired = icmp sgt i32 %more, {_SPIN}
  br i1 %tired, label %rest, label %wait
rest:  ; a worker may have lost its core: let it have this one
  store atomic i32 1, ptr @waiting seq_cst, align 4
  %now = load atomic i32, ptr @done seq_cst, align 4
  %still = icmp ne i32 %now, %last
  br i1 %still, label %nap, label %close
nap:
  call void @gather()
  call void @sleep(ptr @done, i32 %now)
  br label %wait
close:
  store atomic i32 0, ptr @waiting seq_cst, align 4
  store atomic i64 {_CLOSED}, ptr @ticket seq_cst, align 8
  store atomic i32 0, ptr @busy seq_cst, align 4
  ret void
}}

; What a worker thread does until it is told to quit.
define void @worker() nounwind {{
entry:
  call void @introduce()
  %turn = atomicrmw add ptr @turns, i32 1 seq_cst
  %odd = and i32 %turn, 1
  %back = icmp eq i32 %odd, 0
  br label %loop
loop:
  %seen = load atomic i32, ptr @epoch seq_cst, align 4
  %leave = load atomic i32, ptr @quit seq_cst, align 4
  %stop = icmp ne i32 %leave, 0
  br i1 %stop, label %out, label %busy_
busy_:
  call void @work(i1 %back)
  br label %spin
spin:
  %spins = phi i32 [0, %busy_], [%more, %again]
  %now = load atomic i32, ptr @epoch seq_cst, align 4
  %new = icmp ne i32 %now, %seen
  br i1 %new, label %loop, label %again
again:
  PAUSE
  %more = add i32 %spins, 1
  %tired = icmp sgt i32 %more, {_SPIN}
  br i1 %tired, label %rest, label %spin
rest:
  %up = atomicrmw add ptr @sleepers, i32 1 seq_cst
  call void @sleep(ptr @epoch, i32 %seen)
  %down = atomicrmw sub ptr @sleepers, i32 1 seq_cst
  br label %loop
out:
  ret void
}}

; Let all workers go.
define void @dismiss() nounwind {{
  store atomic i32 1, ptr @quit seq_cst, align 4
  %old = atomicrmw add ptr @epoch, i32 1 seq_cst
  call void @wake(ptr @epoch)
  ret void
}}
"""


def cores() -> int:
    """CPUs this process may use: its affinity, a container's quota, KOBAI_NUM_THREADS."""
    wanted = os.environ.get("KOBAI_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted) > 0:
        return int(wanted)
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max") as f:
            quota, period = f.read().split()
        return max(1, min(count, -(-int(quota) // int(period))))
    except (OSError, ValueError):  # no such file, or "max"
        return count


class Pool:
    """The workers of this process.  ``addresses`` are those of the functions and globals of `text`."""

    def __init__(self, addresses: dict[str, int]):
        signature = ctypes.CFUNCTYPE(None)
        self._worker, self._dismiss = signature(addresses["worker"]), signature(addresses["dismiss"])
        self._cells = {name: ctypes.c_int32.from_address(addresses[name]) for name in CELLS[:-2]}
        self._ids = (ctypes.c_int32 * _KNOWN).from_address(addresses["ids"])
        self._ticket = ctypes.c_int64.from_address(addresses["ticket"])
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        atexit.register(self.resize, 1)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def resize(self, threads: int):
        """Use this many threads, the caller's included."""
        with self._lock:
            if threads - 1 == len(self._threads):
                return
            self._cells["workers"].value = 0
            if self._threads:
                self._dismiss()
                for t in self._threads:
                    t.join()
                self._cells["quit"].value = 0
                self._nobody()
            self._threads = []
            for i in range(1, threads):
                worker = threading.Thread(target=self._worker, name=f"kobai-{i}", daemon=True)
                try:
                    worker.start()
                except RuntimeError:  # no more threads here
                    break
                self._threads.append(worker)
            self._cells["workers"].value = len(self._threads)

    @property
    def size(self) -> int:
        """Threads that share the work, the caller's included."""
        return 1 + len(self._threads)

    def _nobody(self):
        """No worker is known any more."""
        self._cells["known"].value = self._cells["turns"].value = 0
        ctypes.memset(self._ids, 0, ctypes.sizeof(self._ids))

    def _forget(self):
        """In a forked child only the forking thread lives on; it works alone until told otherwise."""
        self._threads, self._lock = [], threading.Lock()
        for cell in self._cells.values():
            cell.value = 0
        self._nobody()
        self._ticket.value = _CLOSED


_pool: Pool | None = None
_wanted: int | None = None


def start(addresses: dict[str, int]) -> Pool:
    """Make the pool of this process, as large as was asked for."""
    global _pool
    _pool = Pool(addresses)
    _pool.resize(get_num_threads())
    return _pool


def get_num_threads() -> int:
    """How many threads compute: what `set_num_threads` was given, else `cores`."""
    return cores() if _wanted is None else _wanted


def set_num_threads(threads: int) -> None:
    """Compute with this many threads from now on. Results do not depend on it.

    Raises:
        TypeError: unless it is an integer.
        RuntimeError: unless it is positive.
    """
    global _wanted
    if not isinstance(threads, int):
        raise error("argument-type", TypeError(f"set_num_threads expects an int, but got {type(threads).__name__}"),
                    what="threads", kind=type(threads), must="a positive whole number")
    if threads < 1:
        raise error("argument-value", RuntimeError(f"set_num_threads expects a positive integer, not {threads}"),
                    what="threads", value=threads, must="a positive whole number")
    _wanted = threads
    if _pool is not None:
        _pool.resize(threads)
