"""What the code of a function names: globals, modules that it imports, whether it looks at all attributes of objects."""
from __future__ import annotations

import dis
import functools
import types


@functools.lru_cache(4096)
def names_in(code):
    """Global names in the code of a function and of those defined in it: names of attributes may be globals, too."""
    found = {i.argval for i in dis.get_instructions(code) if "GLOBAL" in i.opname or i.opname == "LOAD_NAME"}
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            found |= names_in(c)
    return found


@functools.lru_cache(4096)
def compares(code):
    """Whether it looks at objects in a way that may be a look at all of their attributes."""
    return any(i.opname == "COMPARE_OP" and i.argval in ("==", "!=") or i.opname == "CONTAINS_OP" or "FORMAT" in i.opname
               for i in dis.get_instructions(code))


@functools.lru_cache(4096)
def matches_classes(code):
    """Whether it has a `case Class(...)`, whose patterns name attributes where no name is seen."""
    return any(i.opname == "MATCH_CLASS" for i in dis.get_instructions(code))


@functools.lru_cache(4096)
def imported(code):
    """The modules that a function, or one defined in it, imports; an empty name for a relative import."""
    found, before = set(), []
    for i in dis.get_instructions(code):
        if i.opname == "IMPORT_NAME":
            relative = len(before) > 1 and before[-2].argval not in (0, None)
            found.add("" if relative else i.argval)
        before.append(i)
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            found |= imported(c)
    return found
