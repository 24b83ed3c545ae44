"""`r1-lsp why`: why the last suggestions were or were not shown."""

import time
from dataclasses import asdict

from rich.table import Table

from r1_lsp.cli.console import Arguments, Failure, print_json, stdout
from r1_lsp.features.why import Record, read_records


def run(argv: list[str]) -> int:
    """Prints the newest records of this user's servers, newest first. They hold no source text."""
    parser = Arguments("why", "Why the last suggestions were or were not shown (no source text is kept).")
    parser.add_argument("-n", "--number", type=int, default=10, help="how many (default 10)")
    options = parser.parse_args(argv)
    if options.number < 1:
        raise Failure("--number wants a number from 1 on", code=2)
    records = read_records()[-options.number :][::-1]
    if options.json:
        print_json([{**asdict(record), "sentence": record.sentence} for record in records])
    elif records:
        stdout().print(_table(records))
    else:
        stdout().print("no suggestion was asked for yet")
    return 0


def _table(records: list[Record]) -> Table:
    table = Table("when", "where", "why", "ms", box=None, header_style="dim")
    for record in records:
        when = time.strftime("%d %b %H:%M:%S", time.localtime(record.when))
        table.add_row(when, f"{record.path}:{record.line}:{record.column}", record.sentence, f"{record.took_ms:.0f}")
    return table
