"""What cutting alone is worth: model outputs that were never cut, against the text people wrote.

    python -m bench.cut fim_outputs_dev.jsonl.gz

The file holds JSON lines: language, prefix, middle, suffix, outputs {model: raw text}.
"""

import gzip
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ast_tools import LANGUAGES, Cutter, Language, parse
from bench.report import Report

PIECE = 4
"""Characters fed at once, about a token."""


def raw(_language: Language, row: dict[str, str], output: str) -> str:
    return output


def first_line(_language: Language, row: dict[str, str], output: str) -> str:
    head, newline, _ = output.partition("\n")
    return head + newline


def cut(language: Language, row: dict[str, str], output: str, *, multiline: bool, spent: list[float]) -> str:
    prefix, suffix = row["prefix"].encode(), row["suffix"].encode()
    text = prefix + suffix
    cutter = Cutter(parse(language, text), language, text, len(prefix), multiline=multiline)
    for at in range(0, len(output), PIECE):
        started = time.thread_time()
        result = cutter.feed(output[at : at + PIECE])
        spent.append(time.thread_time() - started)
        if result.done:
            break
    return cutter.finish().text


def accepted(language: Language, text: str) -> bool:
    if language.accepts is not None:
        return language.accepts(text.encode())
    tree = parse(language, text.encode())
    return tree is not None and tree.n_errors == 0


def main(path: str) -> int:
    report = Report("cut")
    rows = [json.loads(line) for line in gzip.decompress(Path(path).read_bytes()).splitlines()]
    spent: list[float] = []
    arms: dict[str, Callable[[Language, dict[str, str], str], str]] = {
        "raw": raw,
        "first line": first_line,
        "single": lambda language, row, output: cut(language, row, output, multiline=False, spent=spent),
        "block": lambda language, row, output: cut(language, row, output, multiline=True, spent=spent),
    }
    for model in rows[0]["outputs"]:
        exact_raw = 0.0
        chars_raw = 0.0
        for arm, function in arms.items():
            exact, parses, chars = [], [], []
            for row in rows:
                language = LANGUAGES[row["language"]]
                text = function(language, row, row["outputs"][model])
                exact.append(text.strip("\n").rstrip() == row["middle"].strip("\n").rstrip())
                parses.append(accepted(language, row["prefix"] + text + row["suffix"]))
                chars.append(len(text))
            percent = 100 * statistics.mean(exact)
            if arm == "raw":
                exact_raw, chars_raw = percent, statistics.mean(chars)
            measured = f"exact {percent:.1f} %, parses {100 * statistics.mean(parses):.1f} %"
            measured += f", {statistics.mean(chars):.0f} characters"
            if arm == "single":
                gain, fewer = percent - exact_raw, chars_raw / statistics.mean(chars)
                report.row(f"{model}: {arm}", measured, "exact +9", ok=gain >= 9, value=gain)
                report.at_least(f"{model}: characters raw / {arm}", fewer, 3)
            else:
                report.row(f"{model}: {arm}", measured, value=percent)
    spent.sort()
    report.row("feed, p99 of processor time", f"{spent[len(spent) * 99 // 100] * 1e3:.3f} ms")
    report.row("feed, maximum of processor time", f"{spent[-1] * 1e3:.2f} ms")
    return report.finish()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "usage: python -m bench.cut FIM_OUTPUTS.jsonl.gz")
