"""`r1-gguf verify FILE`: exit code 0 when everything that was checked is sound, 1 when something is not."""

import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from gguf_convert.checks.findings import Tell, silent
from gguf_convert.checks.logits import Estimate, LogitsReport
from gguf_convert.checks.weights import USUAL, Compared
from gguf_convert.cli.arguments import Arguments, Misuse, count, divergence
from gguf_convert.inspect import printable
from gguf_convert.source.hub import parse_source
from gguf_convert.verify import Report, Request, verify

_WORST: Final = 8
_LONGEST: Final = 400
_MOST_FINDINGS: Final = 30


def run(words: list[str]) -> int:
    """Verifies a file and prints what was found."""
    options = _arguments().parse_args(words)
    if (options.reference is None) != (options.text is None):
        raise Misuse("logits are compared with both --reference and --text")
    if options.source and parse_source(options.source):
        raise Misuse("--source is a folder or a GGUF file on this machine; a hub is not read")
    if options.reference is None and (options.chunks is not None or options.max_kl is not None):
        raise Misuse("--chunks and --max-kl are about logits, which are compared with --reference and --text")
    if options.adapter and not options.source:
        raise Misuse("--adapter is added to a --source")
    request = Request(
        file=options.file,
        source=Path(options.source) if options.source else None,
        adapter=options.adapter,
        manifest=options.manifest,
        reference=options.reference,
        text=options.text,
        chunks=options.chunks,
        max_kl=options.max_kl,
        all_rows=options.all,
        hash_sources=not options.no_source_hash,
    )
    with _telling(options.json) as tell:
        report = verify(request, tell)
    if options.json:
        print(json.dumps(_as_json(report), indent=1))
    else:
        Console(highlight=False, width=None if sys.stdout.isatty() else 200).print(_shown(report))
    return 0 if report.sound else 1


def _arguments() -> Arguments:
    parser = Arguments(
        prog="r1-gguf verify", description="Whether a GGUF file is sound, and means what its checkpoint means."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the file, or any one of a split model")
    parser.add_argument("--source", metavar="SRC", help="what it was made of: a checkpoint or a GGUF file")
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="the LoRA adapter that was added to the source")
    parser.add_argument("--all", action="store_true", help="compare all rows with the source's, not a sample")
    parser.add_argument("--no-source-hash", action="store_true", help="no sha256 of the source's files")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="instead of NAME.gguf.manifest.json")
    parser.add_argument("--reference", type=Path, metavar="GGUF", help="compare logits with this model's")
    parser.add_argument("--text", type=Path, metavar="FILE", help="the text for that; code, best")
    parser.add_argument("--chunks", type=count, metavar="N", help="how many contexts of the text; all unless given")
    parser.add_argument("--max-kl", type=divergence, metavar="NATS", help="a greater mean divergence is a finding")
    parser.add_argument("--json", action="store_true", help="machine-readable output")
    return parser


@contextmanager
def _telling(as_json: bool) -> Iterator[Tell]:  # noqa: FBT001 - it says which of two ways
    """A bar on a terminal, nothing otherwise."""
    if as_json or not sys.stderr.isatty():
        yield silent
        return
    columns = (TextColumn("{task.percentage:5.1f} %"), BarColumn(), TextColumn("[dim]{task.fields[at]}"))
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        task = bar.add_task("", total=1.0, at="")
        yield lambda what, done: bar.update(task, completed=done, at=printable(what, 80))


def _shown(report: Report) -> Group:
    parts: list[RenderableType] = []
    if report.compared:
        parts += [_by_type(report.compared), Text(), _worst(report.compared), Text()]
    if report.logits:
        parts += [_logits(report.logits), Text()]
    parts += [Text(f"! {item.check}: {printable(item.text, _LONGEST)}") for item in report.findings[:_MOST_FINDINGS]]
    if len(report.findings) > _MOST_FINDINGS:
        parts.append(Text(f"! and {len(report.findings) - _MOST_FINDINGS} more; --json has all"))
    parts += [
        Text(f"not checked, {note.check}: {printable(note.text, _LONGEST)}", style="dim") for note in report.notes
    ]
    return Group(*parts, Text(_verdict(report)))


def _verdict(report: Report) -> str:
    name = printable(str(report.files[0]), _LONGEST)
    more = f" and {len(report.files) - 1} more" if len(report.files) > 1 else ""
    if report.sound:
        return f"{name}{more}: sound ({', '.join(report.checks)})"
    found = "one finding" if len(report.findings) == 1 else f"{len(report.findings)} findings"
    return f"{name}{more}: {found} ({', '.join(report.checks)})"


def _by_type(compared: Sequence[Compared]) -> Table:
    table = Table("type", "tensors", "error, mean", "greatest", "usual", box=None, header_style="dim")
    for name, errors in _errors(compared).items():
        mean, most = sum(errors) / len(errors), max(errors)
        table.add_row(name, f"{len(errors):,}", f"{mean:.3g}", f"{most:.3g}", f"{USUAL.get(name, 0.0):.2g}")
    return table


def _errors(compared: Sequence[Compared]) -> dict[str, list[float]]:
    errors = defaultdict(list)
    for tensor in compared:
        errors[tensor.type].append(tensor.error or 0.0)
    return errors


def _worst(compared: Sequence[Compared]) -> Table:
    """The tensors whose error is greatest beside what is usual for their types."""
    columns = ("worst tensors", "type", "error", "usual", "worst rows", "their error", "compared")
    table = Table(*columns, box=None, header_style="dim")
    for tensor in sorted(compared, key=_beside_usual, reverse=True)[:_WORST]:
        table.add_row(
            Text(printable(tensor.name)), tensor.type, f"{tensor.error or 0.0:.3g}",
            f"{USUAL.get(tensor.type, 0.0):.2g}", *_worst_rows(tensor), f"{tensor.rows:,} of {tensor.n_rows:,}",
        )  # fmt: skip
    return table


def _worst_rows(tensor: Compared) -> tuple[str, str]:
    worst = tensor.worst
    return (f"{worst.start:,}-{worst.stop - 1:,}", f"{worst.error:.3g}") if worst else ("", "")


def _beside_usual(tensor: Compared) -> float:
    return (tensor.error or 0.0) / max(USUAL.get(tensor.type, 0.0), 1e-7)


def _logits(found: LogitsReport) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in (
        ("tokens compared", f"{found.tokens:,}"),
        ("KL divergence, mean", f"{_estimate(found.kl)} nats"),
        ("99 % / greatest", f"{found.kl_99:.4g} / {found.kl_max:.4g}"),
        ("same first choice", f"{100 * found.same_top.mean:.2f} ± {100 * found.same_top.error:.2f} %"),
        ("perplexity", f"{found.perplexity:.4f}, and the reference's {found.perplexity_reference:.4f}"),
    ):
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _estimate(value: Estimate) -> str:
    return f"{value.mean:.4g} ± {value.error:.1g}"


def _as_json(report: Report) -> dict[str, Any]:
    return {
        "files": [str(path) for path in report.files],
        "sound": report.sound,
        "checks": list(report.checks),
        "findings": [asdict(item) for item in report.findings],
        "notes": [asdict(item) for item in report.notes],
        "tensors": [_tensor(tensor) for tensor in report.compared],
        "logits": asdict(report.logits) if report.logits else None,
    }


def _tensor(tensor: Compared) -> dict[str, Any]:
    """JSON has no infinity, which errors are where all weights should be zero and are not."""
    error = tensor.error if tensor.error is None or math.isfinite(tensor.error) else None
    worst = asdict(tensor.worst) if tensor.worst and math.isfinite(tensor.worst.error) else None
    return {**asdict(tensor), "error": error, "worst": worst, "usual": USUAL.get(tensor.type)}
