"""Phrases and facts of the kinds of mistakes: what is written where an error is raised, read from the source."""
import ast
import pathlib
import re
import string

import pytest

from kobai.diagnose.catalogue_kinds import KINDS
from kobai.diagnose.errors import WORDS
from kobai.diagnose.phrases import JAPANESE, NAMES, word
from kobai.diagnose.phrases.forms import FORMS

SOURCE = pathlib.Path(__file__).parents[2] / "src" / "kobai"


def places(template):
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def raised():
    """(file and line, kind, keyword arguments) of each `error("kind", exception, ...)` or `check(ok, "kind", text, ...)`."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or len(node.args) not in (2, 3):
                continue
            kind = node.args[-2]
            called = ast.unparse(node.func)
            if isinstance(kind, ast.Constant) and (called.endswith("error") if len(node.args) == 2 else called == "check"):
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", kind.value, {k.arg: k.value for k in node.keywords}


RAISED = list(raised())


def constants(node):
    """The texts that an argument can be: one, or both of `a if c else b`."""
    if isinstance(node, ast.IfExp):
        return constants(node.body) + constants(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) else []


def test_every_fact_is_given():
    for where, kind, given in RAISED:
        assert kind in KINDS, f"{where}: no kind {kind!r}"
        if None in given:  # **facts
            continue
        phrases = [c for name in NAMES if name in given for c in constants(given[name])]
        cause = "" if "why" in given else KINDS[kind].cause[0]
        fix = "" if "fix" in given else KINDS[kind].fix[0]
        needed = set().union(*map(places, [cause, fix, *phrases]))
        missing = needed - given.keys() - ({"ndim"} if "shape" in given else set())
        assert not missing, f"{where}: {kind} needs {missing}"


def test_every_phrase_has_a_japanese_side_with_the_same_facts():
    for where, _, given in RAISED:
        for name in NAMES:
            for english in constants(given.get(name)):
                assert isinstance(english, str), where
                assert english in JAPANESE, f"{where}: no Japanese for {english!r}"
    for english, japanese in JAPANESE.items():
        assert places(english) == places(japanese), english


def test_words_in_place_of_a_name_have_a_japanese_side():
    for where, _, given in RAISED:
        words = [] if "why" in given and "fix" in given else [c for key in WORDS for c in constants(given.get(key))]
        for said in words:
            if re.search(r"^(the|an?|one|no|each|every|some|something) | (or|and|of|in|for) ", str(said)):
                assert said in JAPANESE, f"{where}: no Japanese for {said!r}"


def written(node):
    """The f-strings that an argument can be, with {} for each value."""
    if isinstance(node, ast.IfExp):
        return written(node.body) + written(node.orelse)
    return ["".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)] \
        if isinstance(node, ast.JoinedStr) else []


def misfits():
    """What a Keras layer says about an input that does not fit."""
    tree = ast.parse((SOURCE / "compat/tensorflow/keras/spec.py").read_text(encoding="utf-8"))
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "_misfit")
    return [form for n in ast.walk(function) if isinstance(n, ast.Return) for form in written(n.value)]


def test_words_around_a_name_have_a_japanese_side():
    """`what=f"an entry of {name}"`: names with brackets and dots (`sizes[2]`, `mode='x'`) are code in any language."""
    for where, _, given in RAISED:
        if "why" in given and "fix" in given:
            continue
        for form in [form for key in WORDS for form in written(given.get(key))]:
            if " " in re.sub(r"[\[(].*[\])]", "", form):
                assert form in FORMS, f"{where}: no Japanese for {form!r}"
    for form in misfits():
        assert form in FORMS
    for english, japanese in FORMS.items():
        assert english.count("{}") == japanese.count("{}"), english


def test_words_around_a_name_are_said_in_japanese(monkeypatch):
    import kobai
    monkeypatch.setenv("KOBAI_LANG", "ja")
    assert [word(w) for w in ("an entry of xs", "the tensor", "sizes[2]", "the size of a or b")] == [
        "xs の要素", "テンソル", "sizes[2]", "a か b の大きさ"]
    with pytest.raises(RuntimeError, match="Expected primals to only contain Tensors") as e:
        kobai.func.jvp(lambda x: x, (3,), (1,))
    assert "primals の要素の型は" in str(e.value) and "an entry" not in str(e.value)


def test_what_is_of_the_wrong_type_is_named_in_japanese(monkeypatch):
    import kobai
    monkeypatch.setenv("KOBAI_LANG", "ja")
    with pytest.raises(TypeError, match="only floating-point types are supported as the default type") as e:
        kobai.set_default_dtype(kobai.int32)
    assert "既定の型は torch.int32 ですが、浮動小数点数の型でなければなりません" in str(e.value)
    with pytest.raises(RuntimeError, match="k.. out of range|selected number k out of range") as e:
        kobai.ones(3).kthvalue(9)
    assert "k には 1 以上 3 以下の整数を渡してください" in str(e.value)


def test_every_phrase_is_used():
    """A phrase may be passed on by a function or lie in a table: any text of the package counts."""
    texts = set()
    for path in SOURCE.rglob("*.py"):
        if "phrases" not in path.parts:
            texts |= {n.value for n in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                      if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    unused = [k for k in JAPANESE if k not in texts]
    assert not unused, "phrases that nothing says"


def test_an_error_of_a_kind_says_it_in_both_languages(monkeypatch):
    import kobai
    texts = []
    for language in ("en", "ja"):
        monkeypatch.setenv("KOBAI_LANG", language)
        with pytest.raises(RuntimeError, match="repeats can not be negative") as e:
            kobai.repeat_interleave(kobai.tensor([2, -1]))
        assert e.value.code == "K420"
        texts.append(str(e.value))
    assert "each of its numbers must be a whole number of at least 0" in texts[0]
    assert "0 以上の整数" in texts[1] and "at least" not in texts[1]
