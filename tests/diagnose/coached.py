"""Run a program under the coach, as `import torch` and the other names give kobai; prints the kinds it found.

    python coached.py PROGRAM [OLD=NEW ...]      (replacements in its source, to make it shorter)
"""
import contextlib
import io
import linecache
import pathlib
import sys
import types

from kobai.compat import hook

hook.install()
import kobai  # noqa: E402

path = pathlib.Path(sys.argv[1]).resolve()
source = path.read_text(encoding="utf-8")
for change in sys.argv[2:]:
    old, _, new = change.partition("=>")
    assert old in source, old
    source = source.replace(old, new)
linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
sys.path.insert(0, str(path.parent))
main = types.ModuleType("__main__")  # where pickles of a worker's results find the program's classes
main.__file__ = str(path)
sys.modules["__main__"] = main
scope = vars(main)


def program():
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(source, str(path), "exec"), scope)


told = kobai.coach(program, steps=1, show=False)
print(*sorted({f.kind for f in told.facts["findings"]}))
print(told, file=sys.stderr)
