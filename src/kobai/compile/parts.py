"""A function of which one statement cannot be recorded, cut there: `cut(fn, place, compile)`.

What stands before and after that statement becomes functions of their own, which are compiled; the statement itself
runs as always.  In a loop or a `with` of torch's, or one branch of an `if`, the statements inside are cut.

    def step(x):                          def step(x):
        loss = update(x)                      loss = part_1(x)
        losses.append(loss.item())            losses.append(loss.item())
        return loss                           return loss

A part gets the local variables that it reads and returns those that are read later.  The place is (line, column),
"return" for all statements that return, ("names", arguments) for all that read one of these arguments, or ("reads",
names) for all that mention variables, attributes or items of these names.  Code is made from the function's source, and
only where compiling that source gives the very code that the function has.
"""
from __future__ import annotations
import __future__

import ast
import copy
import inspect
import linecache
import sys
import types

from kobai.autograd.node import inside
from kobai.compile.guards import is_another
from kobai.compile.watch import position

_WITHS = frozenset("""no_grad enable_grad inference_mode set_grad_enabled autocast record_function profile
detect_anomaly""".split())
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Delete, ast.Yield, ast.YieldFrom,
           ast.Await, ast.AsyncFor, ast.AsyncWith, ast.NamedExpr, *([ast.Match] if hasattr(ast, "Match") else []))
_DECLARATIONS = (ast.Global, ast.Nonlocal)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# With these a function looks at its own variables or frames.
_OWN_VARIABLES = frozenset("locals vars dir eval exec super _getframe currentframe".split())
_NUMBERS = frozenset("item tolist numpy cpu".split())
_AT_ONCE = frozenset("all any dict extend frozenset fsum join list max min prod set sorted sum tuple update".split())  # generators
_TRIVIAL = frozenset("""abs bool dict enumerate float format getattr int isinstance len list max min print range repr round set
str sum tuple type zip append item tolist perf_counter time numpy update""".split())
_FUTURE = sum(getattr(__future__, n).compiler_flag for n in __future__.all_feature_names if n != "nested_scopes")
_KIND = 0xFF & ~inspect.CO_NESTED
_trees: dict = {}  # {id(code): (code, its tree, what its file imports)} of parts, which have no source of their own


class Uncut(Exception):
    """A function that cannot be cut."""


def cut(fn, place, compile):
    """The function with what stands around a place compiled by `compile`, or None if that cannot be."""
    try:
        return _cut(fn, place, compile)
    except (Uncut, OSError, SyntaxError, TypeError, ValueError, RecursionError):  # no source, or none that fits
        return None


def _cut(fn, place, compile):
    if isinstance(fn, types.MethodType):
        return types.MethodType(_cut(fn.__func__, place, compile), fn.__self__)
    if not isinstance(fn, types.FunctionType):
        raise Uncut
    if inside[fn.__code__.co_filename]:  # such as what no_grad() makes of a function
        return _around(fn, _cut(fn.__wrapped__ if hasattr(fn, "__wrapped__") else None, place, compile))
    code = fn.__code__
    cells = dict(zip(code.co_freevars, fn.__closure__ or ()))
    tree, imported = _tree(code)
    work = _Work(fn, tree, place, cells, imported, compile)
    body = work.block(tree.body, frozenset(), work.arguments(), top=True)
    left = work.local & set().union(*map(_read, body))
    if not work.made or left - work.arguments().union(*map(_set, body)):  # what is only set in parts would be a global
        raise Uncut
    return work.function(_with_body(tree, body), {**cells, **work.made}, fn)


def _around(wrapper, new):
    """A wrapper of kobai's around another function."""
    old = wrapper.__wrapped__
    cells = tuple([types.CellType(new) if c.cell_contents is old else c for c in wrapper.__closure__ or ()])
    if all(a is b for a, b in zip(cells, wrapper.__closure__ or ())):
        raise Uncut
    made = types.FunctionType(wrapper.__code__, wrapper.__globals__, wrapper.__name__, wrapper.__defaults__, cells)
    made.__wrapped__ = new
    return made


# ---- source -------------------------------------------------------------------------------------
def _tree(code):
    """(tree, names): that of a function's source, which is known to be that of the code, and what its file imports."""
    if id(code) in _trees:
        return _trees[id(code)][1:]
    lines, first = inspect.getsourcelines(code)
    inner = lines[0][:1].isspace()
    tree = ast.parse("".join(["if 1:\n", *lines] if inner else lines)).body[0]
    tree = tree.body[0] if inner else tree
    if not isinstance(tree, ast.FunctionDef) or tree.name != code.co_name:
        raise Uncut
    ast.increment_lineno(tree, first - 2 if inner else first - 1)
    imported = _imported("".join(linecache.getlines(code.co_filename))) & {*code.co_names}
    if any(isinstance(n, _SCOPES) or isinstance(n, _DECLARATIONS) and n is not s for s in tree.body for n in ast.walk(s)) \
            or not _are_alike(_compiled(tree, code.co_freevars, imported, code), code):
        raise Uncut
    _look_at_names(tree, code)
    return tree, imported


def _imported(source) -> set:
    """The names that a module imports, not those that functions in it do."""
    found, left = set(), [ast.parse(source)]
    while left:
        node = left.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= _set(node)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.expr)):
            left.extend(ast.iter_child_nodes(node))
    return found


def _look_at_names(tree, code):
    """Refuse what looks at its own variables, or keeps functions that do, and names that are gone after an `except`."""
    direct = {id(v) for n in ast.walk(tree) if isinstance(n, ast.Call) and _last_name(n.func) in _AT_ONCE for v in n.args}
    local = {*code.co_varnames, *code.co_cellvars}
    caught = {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)}
    set_too = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    if not caught.isdisjoint(set_too | {n.arg for n in ast.walk(tree.args) if isinstance(n, ast.arg)}):
        raise Uncut
    for n in ast.walk(tree):
        if isinstance(n, ast.Name) and n.id in _OWN_VARIABLES \
                or isinstance(n, ast.Attribute) and n.attr in ("_getframe", "currentframe") \
                or isinstance(n, ast.GeneratorExp) and id(n) not in direct \
                or isinstance(n, ast.Lambda) and any(isinstance(v, ast.Name) and v.id in local for v in ast.walk(n)):
            raise Uncut


def _compiled(tree, free, imported, like):
    """The code of a function with these free variables; what is called in something imported, Python calls by other code."""
    plain = copy.copy(tree)
    plain.args = copy.copy(tree.args)
    plain.args.defaults, plain.args.kw_defaults = [], [None] * len(tree.args.kwonlyargs)
    plain.decorator_list, plain.returns = [], None
    arguments = ast.arguments([], [ast.arg(n) for n in free], None, [], [], None, [])
    outer = ast.FunctionDef("outer", arguments, [plain], [])
    outer.type_params = plain.type_params = []  # type: ignore[attr-defined]
    imports = [ast.copy_location(ast.Import([ast.alias(n)]), tree) for n in sorted(imported)]
    module = ast.fix_missing_locations(ast.Module([*imports, ast.copy_location(outer, tree)], []))
    found = compile(module, like.co_filename, "exec", like.co_flags & _FUTURE, dont_inherit=True)
    for name in ("outer", tree.name):
        found = next(c for c in found.co_consts if isinstance(c, types.CodeType) and c.co_name == name)
    return found


def _are_alike(a, b) -> bool:
    """Whether two codes do the same."""
    return (a.co_code, a.co_names, a.co_varnames, a.co_freevars, a.co_cellvars, len(a.co_consts), a.co_flags & _KIND) \
        == (b.co_code, b.co_names, b.co_varnames, b.co_freevars, b.co_cellvars, len(b.co_consts), b.co_flags & _KIND) \
        and all(_are_alike(x, y) if isinstance(x, types.CodeType) and isinstance(y, types.CodeType)
                else type(x) is type(y) and repr(x) == repr(y) for x, y in zip(a.co_consts, b.co_consts))


def _with_body(tree, body):
    new = copy.copy(tree)
    new.body = body
    return new


# ---- variables ----------------------------------------------------------------------------------
def _read(node) -> set:
    """The names that are read somewhere in a statement or expression, without those that are a comprehension's own."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Load) else set()
    found = set().union(*map(_read, ast.iter_child_nodes(node)))
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        found.add(node.target.id)
    if isinstance(node, _COMPREHENSIONS):
        found = found.difference(*[_set(g.target) for g in node.generators]) | _read(node.generators[0].iter)
    return found


def _set(node) -> set:
    """The names that a statement may set."""
    if isinstance(node, _COMPREHENSIONS):
        return set()
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, ast.alias):
        return {node.asname or node.name.partition(".")[0]}
    found = {node.name} if isinstance(node, ast.ExceptHandler) and node.name else set()
    return found.union(*[_set(n) for n in ast.iter_child_nodes(node)])


def _surely(statements) -> set:
    """The names that are set when these statements have run."""
    found: set = set()
    for s in statements:
        if isinstance(s, (ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom)) or isinstance(s, ast.AnnAssign) and s.value:
            found |= _set(s)
        elif isinstance(s, ast.With) and all(_is_of_torch(i.context_expr) for i in s.items):  # others may end it early
            found |= _surely(s.body).union(*[_set(i.optional_vars) for i in s.items if i.optional_vars])
        elif isinstance(s, ast.If):
            found |= _surely(s.body) & _surely(s.orelse)
    return found


def _needed(statements) -> set:
    """The names that are read before these statements have set them, on some way through them."""
    found, known = set(), set()
    for s in statements:
        if isinstance(s, ast.If):
            new = _read(s.test) | _needed(s.body) | _needed(s.orelse)
        elif isinstance(s, ast.For):
            new = _read(s.iter) | _read(s.target) | _needed(s.body) - _set(s.target) | _needed(s.orelse)
        elif isinstance(s, ast.With):
            as_ = set().union(*[_set(i.optional_vars) for i in s.items if i.optional_vars])
            new = set().union(*[_read(i) for i in s.items]) | _needed(s.body) - as_
        else:
            new = _read(s)
        found |= new - known
        known |= _surely([s])
    return found


# ---- cutting ------------------------------------------------------------------------------------
class _Work:
    """Cuts one function; `made` are the cells of its parts."""

    def __init__(self, fn, tree, place, cells, imported, compile):
        self.fn, self.tree, self.place, self.cells, self.imported, self.compile = fn, tree, place, cells, imported, compile
        self.made: dict = {}
        self.declared = [s for s in tree.body if isinstance(s, _DECLARATIONS)]
        self.local = self.arguments().union(*map(_set, tree.body)).difference(*[s.names for s in self.declared])

    def arguments(self) -> set:
        a = self.tree.args
        return {v.arg for v in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if v is not None}

    def block(self, statements, live, bound, top=False):
        """Statements with parts in the place of some; `live` is read after them, `bound` set before."""
        stays = self._that_stay(statements)
        last = max([i for i, s in enumerate(stays) if s], default=-1)
        if top and last < 0:
            return statements
        new, run, bound = [], [], set(bound)
        for i, s in enumerate(statements):
            after = _needed(statements[i + 1:]) | live
            if s in self.declared:
                new.append(s)
            elif stays[i] or _leaves(s) and not (top and i > last):
                new += self._part(run, _needed(statements[i:]) | live, bound)
                bound |= _surely(run)
                new += self._within(s, after, bound) if stays[i] else [s]
                bound |= _surely([s])
                run = []
            else:
                run.append(s)
        # What is returned as it is, such as a loss, need not go through the part.
        if top and run and _gives_names(run[-1]) and not any(map(_leaves, run[:-1])):
            return new + self._part(run[:-1], _needed(run[-1:]), bound) + run[-1:]
        return new + self._part(run, live, bound, top)

    def _that_stay(self, statements) -> list[bool]:
        """Which statements cannot be recorded; of those that read an argument, the ones before it is set to something else."""
        found, whole = [], self.place
        for s in statements:
            found.append(self._stays(s))
            if self.place[0] == "names":
                self.place = "names", self.place[1] - _surely([s])
        self.place = whole
        return found

    def _stays(self, s) -> bool:
        if self.place == "return":
            return any(isinstance(n, ast.Return) for n in ast.walk(s))
        if self.place[0] == "names":
            return not self.place[1].isdisjoint(_read(s))
        if self.place[0] == "reads":
            return any(_mentions(n, self.place[1]) for n in ast.walk(s))
        line, column = self.place
        if column is None:
            return s.lineno <= line <= s.end_lineno
        return (s.lineno, s.col_offset) <= (line, column) < (s.end_lineno, s.end_col_offset)

    def _within(self, s, after, bound):
        """A statement that cannot be recorded as a whole, as statements: parts of what stands inside it may be."""
        new = copy.copy(s)
        taken = _operand(s)
        if taken is not None and isinstance(self.place[0], int):
            return self._taken_out(s, taken, bound)
        if isinstance(s, ast.If):
            new.body = self.block(s.body, after, bound)
            new.orelse = self.block(s.orelse, after, bound)
        elif isinstance(s, ast.For) and not s.orelse:
            again = _needed([s])
            new.body = self.block(s.body, after | again, bound | _set(s.target))
        elif isinstance(s, ast.While) and not s.orelse:
            new.body = self.block(s.body, after | _read(s), bound)
        elif isinstance(s, ast.With) and all(_is_of_torch(i.context_expr) for i in s.items):
            new.body = self.block(s.body, after, bound | set().union(*[_set(i.optional_vars) for i in s.items if i.optional_vars]))
        return [new]

    def _taken_out(self, s, path, bound):
        """`return f(model(x).tolist())` as statements, the last of which takes numbers out of what another computed.

        What is called with the numbers is looked up before: computing may change what its name means.
        """
        name, first = f"_kobai_value_{len(self.made)}", []
        new = at = copy.copy(s)
        for field in path[:-1]:  # a copy of each node on the way
            if field == "args":
                called = f"_kobai_called_{len(first)}"
                first.append(_at(at, ast.Assign([ast.Name(called, ast.Store())], at.func)))
                at.func = _at(at.func, ast.Name(called, ast.Load()))
                at.args = [copy.copy(at.args[0])]
                at = at.args[0]
            else:
                setattr(at, field, copy.copy(getattr(at, field)))
                at = getattr(at, field)
        operand = getattr(at, path[-1])
        setattr(at, path[-1], _at(operand, ast.Name(name, ast.Load())))
        value = _at(s, ast.Assign([ast.Name(name, ast.Store())], operand))
        self.local.add(name)
        return [*first, *self._part([value], {name}, bound), new]

    def _part(self, run, live, bound, tail=False):
        """The call of a part that does what these statements do, or they themselves if that is not worth it."""
        if not any(map(_does_much, run)):
            return run
        changed = set().union(*map(_set, run))
        results = set() if tail else changed & self.local & live
        needed = _needed(run) & self.local | results - _surely(run)
        if needed - bound:  # some may not be set
            return run
        arguments, results = sorted(needed), sorted(results)
        at = run[0]
        body = [_at(at, type(s)(names)) for s in self.declared if (names := [n for n in s.names if n in changed])] + run
        if not tail:
            body.append(_at(run[-1], ast.Return(_tuple(results, ast.Load()))))
        plain = ast.arguments([], [_at(at, ast.arg(n)) for n in arguments], None, [], [], None, [])
        name = f"_kobai_part_{len(self.made)}"
        tree = _at(at, ast.FunctionDef(self.tree.name, plain, body, []))
        self.made[name] = types.CellType(self.compile(self.function(tree, self.cells, None)))
        call = _at(at, ast.Call(ast.Name(name, ast.Load()), [ast.Name(n, ast.Load()) for n in arguments], []))
        if tail:
            return [_at(at, ast.Return(call))]
        return [_at(at, ast.Assign([_tuple(results, ast.Store())], call) if results else ast.Expr(call))]

    def function(self, tree, cells, like):
        """A function of this tree, with these cells for its free variables."""
        code = _compiled(tree, tuple(cells), self.imported, self.fn.__code__)
        made = types.FunctionType(code, self.fn.__globals__, self.fn.__name__, None, tuple([cells[n] for n in code.co_freevars]))
        made.__qualname__, made.__module__ = self.fn.__qualname__, self.fn.__module__
        if like is None:
            _trees[id(code)] = code, tree, self.imported
        else:
            made.__defaults__, made.__kwdefaults__ = like.__defaults__, like.__kwdefaults__
        return made


def _operand(s):
    """The path to what a statement takes numbers out of, such as `model(x)` in `return model(x).tolist()`; None if it is simple."""
    path, node = ["value"], getattr(s, "value", None)
    if not isinstance(s, (ast.Return, ast.Expr, ast.Assign)) or not all(isinstance(t, ast.Name) for t in getattr(s, "targets", ())):
        return None
    while isinstance(node, ast.Call) and not node.keywords:
        f = node.func
        if isinstance(f, ast.Attribute) and f.attr in _NUMBERS and not node.args:
            path, node = [*path, "func", "value"], f.value
            if _does_much(node) and not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                                         and node.func.attr in _NUMBERS):
                return path
        elif len(node.args) == 1 and _is_dotted(f) and not isinstance(node.args[0], ast.Starred):
            path, node = [*path, "args"], node.args[0]
        else:
            return None
    return None


def _is_dotted(node) -> bool:
    """Whether it is a name, or attributes of one."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


def _gives_names(s) -> bool:
    """Whether a statement returns variables as they are."""
    return isinstance(s, ast.Return) and (s.value is None or all(isinstance(n, (ast.Name, ast.Tuple, ast.expr_context))
                                                                 for n in ast.walk(s.value)))


def _mentions(node, names) -> bool:
    """Whether it reads a variable, an attribute or an item of one of these names."""
    return isinstance(node, ast.Name) and node.id in names or isinstance(node, ast.Attribute) and node.attr in names \
        or isinstance(node, ast.Constant) and type(node.value) is str and node.value in names


def _at(place, node):
    """A new node, in the place of another."""
    return ast.fix_missing_locations(ast.copy_location(node, place))


def _tuple(names, ctx):
    nodes = [ast.Name(n, ctx) for n in names]
    return nodes[0] if len(nodes) == 1 else ast.Tuple(nodes, ctx)


def _leaves(s) -> bool:
    """Whether a statement may end more than itself: the function, or a loop around it."""
    if isinstance(s, (ast.Return, ast.Break, ast.Continue)):
        return True
    if isinstance(s, (ast.For, ast.While)):
        return any(isinstance(n, ast.Return) for n in ast.walk(s))
    return any(_leaves(n) for n in ast.iter_child_nodes(s) if isinstance(n, (ast.stmt, ast.ExceptHandler)))


def _is_of_torch(context) -> bool:
    """Whether a context manager is one that lets exceptions pass."""
    f = context.func if isinstance(context, ast.Call) else context
    return _last_name(f) in _WITHS


def _last_name(f):
    """`sum` of `math.sum`."""
    return f.attr if isinstance(f, ast.Attribute) else getattr(f, "id", None)


def _does_much(s) -> bool:
    """Whether a statement calls something that may compute."""
    names = [_last_name(n.func) for n in ast.walk(s) if isinstance(n, ast.Call)]
    return any(n not in _TRIVIAL for n in names)


def place_of_change(fn, code, slot, args, kwargs):
    """(fn(*args, **kwargs), the place in the code of the function itself where a variable became another)."""
    found, last = [], [0]

    def see(frame, event, arg):
        if not found and is_another(slot):
            found.append(position(code, last[0]))
        last[0] = frame.f_lasti
        return see

    def enter(frame, event, arg):
        if frame.f_code is not code:
            return None
        frame.f_trace_opcodes = True
        return see
    before = sys.gettrace()
    sys.settrace(enter)
    try:
        result = fn(*args, **kwargs)
    finally:
        sys.settrace(before)
    if not found and is_another(slot):
        found.append(position(code, last[0]))
    return result, found[0] if found else None
