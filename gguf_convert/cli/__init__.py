"""The `r1-gguf` command. This module only finds the subcommand: each lives in a file of its own, imported when called.

Exit codes: 0 done, 1 failed, 2 misuse. Errors are one sentence on stderr.
"""

import importlib
import os
import sys

from engine.models.gguf_header import GgufError
from gguf_convert.cli.arguments import Misuse
from gguf_convert.errors import ConversionError

COMMANDS = {
    "inspect": "FILE  what a GGUF file says about itself; nothing in it is run or loaded",
    "plan": "SRC  what a conversion would write, need and refuse, from the headers alone",
    "convert": "SRC DST  a checkpoint (safetensors) as a quantised GGUF file, in one pass, resumable",
    "lora": "ADAPTER DST  a LoRA adapter (PEFT) as a GGUF file for llama.cpp to add while it runs",
    "quantize": "SRC DST  a GGUF file again, with other types for its tensors, resumable",
    "verify": "FILE  whether a GGUF file is sound, and means what its checkpoint means",
}


def main(argv: list[str] | None = None) -> int:
    """Runs one subcommand and returns its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] in (["--help"], ["-h"], ["help"]):
        print(_usage())
        return 0
    try:
        code = _run(words)
        sys.stdout.flush()
    except (Misuse, GgufError, ConversionError) as exc:
        print(f"r1-gguf: {exc}", file=sys.stderr)
        return 2 if isinstance(exc, Misuse) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left has nowhere to go
        return 1
    return code


def _run(words: list[str]) -> int:
    if not words:
        raise Misuse("a command is missing; `r1-gguf --help` lists them")
    if words[0] not in COMMANDS:
        raise Misuse(f"there is no command {words[0]!r}; `r1-gguf --help` lists them")
    return int(importlib.import_module(f"gguf_convert.cli.{words[0]}").run(words[1:]))


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()]
    return "usage: r1-gguf COMMAND [options]\n\n" + "\n".join(lines) + "\n\n`r1-gguf COMMAND --help` says more."
