"""The `kobai` command: run programs, look at their graphs and at the installation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import kobai
from kobai.compat import hook, script
from kobai.doctor import doctor

USAGE = """\
usage: kobai run FILE [ARGUMENTS]       run a program; `import torch`, `torchviz`, `tensorflow` are kobai
       kobai run -m MODULE [ARGUMENTS]  the same for a module
       kobai run - [ARGUMENTS]          the same for standard input
       kobai view FILE [ARGUMENTS]      the same, and its graph opens in the browser; also -m MODULE and -
             --no-browser               only print the page's address
             --save PAGE.html           write the page to a file, serve nothing
       kobai help [CODE]                what an error such as K101 means, with a wrong and a mended program
       kobai doctor                     what is installed, what is missing and what that costs
       kobai --version

KOBAI_LANG=ja   日本語で表示
KOBAI_TRACEBACK=full   errors show the frames inside kobai too
"""


def main(arguments: list[str] | None = None) -> int:
    """Entry point of `kobai` and `python -m kobai`; returns the exit status."""
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if command in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if command in ("-V", "--version"):
        print(f"kobai {kobai.__version__}")
        return 0
    if command not in COMMANDS:
        near = get_close_matches(command, COMMANDS, n=1)
        meant = f"; did you mean `kobai {near[0]}`?" if near else ""
        return _misused(f"there is no command {command!r}{meant}")
    return COMMANDS[command](rest)


def run(arguments: list[str]) -> int:
    """`kobai run`: everything after the program's name belongs to the program."""
    match arguments:
        case ["-h" | "--help", *_]:
            print(USAGE, end="")
            return 0
        case ["-m", module, *rest]:
            return _with_names(script.run_module, module, rest)
        case ["-", *rest]:
            return _with_names(script.run_stdin, rest)
        case [path, *rest] if not path.startswith("-"):
            return _with_names(script.run_file, path, rest)
        case [] | ["-m"]:
            return _misused("`kobai run` needs a program: FILE, -m MODULE or - for standard input")
        case [option, *_]:
            return _misused(f"`kobai run` has no option {option!r}")
    raise AssertionError("every list has matched")  # plain: cannot happen


def view(arguments: list[str]) -> int:
    """`kobai view`: its own options come first, the rest is as for `kobai run`."""
    save, browser = None, True
    while True:
        match arguments:
            case ["-h" | "--help", *_]:
                print(USAGE, end="")
                return 0
            case ["--no-browser", *arguments]:
                browser = False
            case ["--save", path, *arguments]:
                save = Path(path)
            case [("-m" | "-") as option, *rest] if rest or option == "-":
                break
            case [path, *_] if not path.startswith("-"):
                break
            case [] | ["-m"] | ["--save"]:
                return _misused("`kobai view` needs a program: FILE, -m MODULE or - for standard input")
            case [option, *_]:
                return _misused(f"`kobai view` has no option {option!r}")
    watch = import_module("kobai.viewer.watch").watch  # the viewer is not needed to run a program
    title = arguments[1] if arguments[0] == "-m" else Path(arguments[0]).name
    return watch(lambda: run(arguments), title, save, browser)


def _with_names(run_program: Callable[..., int], *arguments) -> int:
    """Run a program while `import torch` and the other names give kobai."""
    try:
        hook.install()
    except RuntimeError as error:  # something imported PyTorch when Python started
        print(f"kobai: {error}", file=sys.stderr)
        return 2
    return run_program(*arguments)


def _misused(reason: str) -> int:
    print(f"kobai: {reason}\n\n{USAGE}", end="", file=sys.stderr)
    return 2


def help_(arguments: list[str]) -> int:
    """`kobai help K101`: the page of an error."""
    from kobai.diagnose.pages import help_command  # noqa: PLC0415  (it imports nn and optim)
    return help_command(arguments)


COMMANDS = {"help": help_, "run": run, "view": view, "doctor": doctor}
