"""What the two processes cost per completion, without a model: `python -m bench.overhead`.

A real server with a real host that runs a script; a Python file of 10,000 lines; each completion has 16 tokens.
Measured from the key (a change of the document) to the answer, so it holds the incremental parse, the prompt, HTTP both
ways, the cut at each token and the judgement.
"""

import asyncio
import json
import re
import sys
import tempfile
from pathlib import Path

from bench.editor import STD_LIB, Editor, editor, percentile
from bench.report import Report

LINES = 10_000
ROUNDS = 120
WARM_UP = 10
SOURCES = ("argparse.py", "inspect.py", "subprocess.py", "typing.py", "tarfile.py", "pickle.py", "zipfile.py")
REPLY = "alpha(beta, gamma) + delta[eps] - zeta + 1\nprint(x)\n"
"""16 pieces of the script, then the line end and more that is not wanted."""
_SIMPLE = re.compile(r"    +(?:self\.\w+ = [\w.]+|return [\w.]+|\w+ = [\w.]+)$")


def main() -> int:
    """Runs the benchmark; the exit code of the report."""
    completions, typed = asyncio.run(_measure())
    report = Report("overhead")
    report.at_most("completion of 16 tokens, p50", percentile(completions, 0.5) * 1000, 15, " ms")
    report.at_most("completion of 16 tokens, p95", percentile(completions, 0.95) * 1000, 40, " ms")
    report.at_most("suggestion typed on, p50", percentile(typed, 0.5) * 1000, 5, " ms")
    report.row("suggestion typed on, p95", f"{percentile(typed, 0.95) * 1000:.3g} ms")
    report.notes.append(f"a Python file of {LINES:,} lines, {len(completions)} completions, scripted host process")
    return report.finish()


async def _measure() -> tuple[list[float], list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "script.json"
        script.write_text(json.dumps({"default": {"reply": REPLY}}), encoding="utf-8")
        options = {"engine": {"script": str(script)}, "completion": {"debounceMs": 0}}
        async with editor(options, Path(folder)) as one:
            lines = _file()
            one.open("file:///bench/big.py", "\n".join(lines))
            await one.complete(0, 0)
            return await _rounds(one, lines)


async def _rounds(one: Editor, lines: list[str]) -> tuple[list[float], list[float]]:
    completions, typed = [], []
    for number in range(WARM_UP + ROUNDS):
        # Ten suggestions in one place, then the cursor jumps.
        line, indent = _blank_line(lines, LINES // 4 + (number // 10) * 37)
        text = f"{indent}value_{number} = "
        one.change(line, 0, len(lines[line]), text)
        lines[line] = text
        items, took_s = await one.complete(line, len(text))
        if not items:
            raise SystemExit(f"no suggestion: {await one.why()}")
        completions.append(took_s)
        for letter in items[0]["insertText"][:3]:
            one.change(line, len(text), len(text), letter)
            text += letter
            lines[line] = text
            items, took_s = await one.complete(line, len(text))
            assert items, "a suggestion that is typed must stay"
            typed.append(took_s)
        one.change(line, 0, len(text), "")
        lines[line] = ""
    return completions[WARM_UP:], typed[WARM_UP:]


def _blank_line(lines: list[str], line: int) -> tuple[int, str]:
    """The next blank line after a simple statement in a block, and the block's indentation."""
    while lines[line].strip() or not _SIMPLE.match(lines[line - 1]):
        line += 1
    above = lines[line - 1]
    return line, above[: len(above) - len(above.lstrip())]


def _file() -> list[str]:
    """Real code, cut to the wanted number of lines."""
    text = "\n".join((STD_LIB / name).read_text(encoding="utf-8") for name in SOURCES)
    lines = [line for line in text.split("\n") if line.isascii()]
    assert len(lines) >= LINES, len(lines)
    return lines[:LINES]


if __name__ == "__main__":
    sys.exit(main())
