"""`r1-lsp serve`: the Language Server. Imports nothing heavy: an editor waits for `initialize`."""

import sys

_HELP = """usage: r1-lsp serve [--stdio | --tcp HOST:PORT] [--log-level LEVEL] [--log-file FILE]

The Language Server. Without options it speaks LSP on stdin and stdout.

  --stdio               stdin and stdout (the default)
  --tcp HOST:PORT       wait for one editor on a loopback address
  --log-level LEVEL     error, warning, info (default) or debug; source text is logged only at debug
  --log-file FILE       write the log there instead of stderr
  --model NAME          a catalogue name, an installed model or a .gguf file (an editor's setting wins)"""


def run(argv: list[str]) -> int:
    """Serves until the editor ends the session; the exit code is the LSP's (0 after shutdown and exit, else 1)."""
    options: dict[str, str] = {}
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name in ("-h", "--help"):
            print(_HELP)
            return 0
        if name == "--stdio" and not equals:
            options.pop("tcp", None)
        elif name in ("--tcp", "--log-level", "--log-file", "--model"):
            given = value if equals else next(words, None)
            if given is None:
                return _misuse(f"{name} wants a value")
            options[name[2:].replace("-", "_")] = given
        elif name == "--clientProcessId":  # some editors' clients add it; `initialize` says the same
            _ = value or next(words, None)
        else:
            return _misuse(f"there is no option {word!r}; `r1-lsp serve --help` lists them")
    if options.get("log_level", "info") not in ("error", "warning", "info", "debug"):
        return _misuse(f"--log-level {options['log_level']!r} is none of error, warning, info, debug")

    if "tcp" not in options and sys.stdin.isatty():
        hint = "this is for an editor, which speaks LSP on standard input; Ctrl-C ends it, `r1-lsp --help` says more"
        print(f"r1-lsp serve: {hint}", file=sys.stderr)

    from r1_lsp.server import serve

    return serve(**options)


def _misuse(sentence: str) -> int:
    print(f"r1-lsp serve: {sentence}", file=sys.stderr)
    return 2
