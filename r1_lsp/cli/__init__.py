"""The `r1-lsp` command. This module only finds the subcommand: each lives in a file of its own, imported when called.

Exit codes: 0 done, 1 failed, 2 misuse. Errors are one sentence on stderr.
"""

import importlib
import os
import sys

COMMANDS = {
    "serve": "the Language Server, on stdio (what an editor starts)",
    "demo": "the main job on a real file, in a real LSP session, with timings",
    "complete": "FILE:LINE:COL  what an editor would show there",
    "fix": "PATH...  repairs as a diff (--write makes the sure ones)",
    "check": "PATH...  syntax problems of files and folders",
    "doc": "FILE:LINE  a docstring draft (--write inserts it)",
    "context": "FILE:LINE:COL  what the model sees, with token costs",
    "models": "list, pull, add, use, verify, rm: the models on this machine",
    "doctor": "what is wrong, in words one can act on",
    "why": "why the last suggestions were or were not shown",
}


def main(argv: list[str] | None = None) -> int:
    """Runs one subcommand and returns its exit code. No subcommand, or only options, means `serve`."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] in (["--help"], ["-h"], ["help"]):
        print(_usage())
        return 0
    if words[:1] == ["--version"]:
        from r1_lsp import __version__

        print(f"r1-lsp {__version__}")
        return 0
    command, rest = (words[0], words[1:]) if words and not words[0].startswith("-") else ("serve", words)
    if command not in COMMANDS:
        from difflib import get_close_matches

        near = get_close_matches(command, COMMANDS, n=1)
        hint = f"did you mean `r1-lsp {near[0]}`?" if near else "`r1-lsp --help` lists the commands"
        print(f"r1-lsp: there is no command {command!r}; {hint}", file=sys.stderr)
        return 2
    return _run(command, rest)


def _run(command: str, arguments: list[str]) -> int:
    run = importlib.import_module(f"r1_lsp.cli.{command}").run
    if command == "serve":
        return int(run(arguments))
    from r1_lsp.cli.console import Failure, fail

    try:
        code = int(run(arguments))
        sys.stdout.flush()
    except Failure as failure:
        return fail(command, failure)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough (`r1-lsp ... | head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left has nowhere to go
        return 1
    return code


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "usage: r1-lsp COMMAND [options]\n\n" + "\n".join(lines) + "\n\n`r1-lsp COMMAND --help` says more."
