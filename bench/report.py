"""The table every benchmark ends with, and its JSON copy under build/bench/."""

import json
import platform
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

BUILD = Path(__file__).parent.parent / "build" / "bench"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure. `wanted` is empty and `ok` None where a figure is only printed."""

    figure: str
    measured: str
    wanted: str = ""
    ok: bool | None = None
    value: float | None = None


@dataclass
class Report:
    """Collects rows; `finish` prints them and says whether all wanted figures were reached."""

    name: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def row(
        self, figure: str, measured: str, wanted: str = "", *, ok: bool | None = None, value: float | None = None
    ) -> None:
        """Adds one figure; `value` is the bare number for the JSON copy."""
        self.rows.append(Row(figure=figure, measured=measured, wanted=wanted, ok=ok, value=value))

    def at_least(self, figure: str, value: float, bound: float, unit: str = "") -> None:
        """A figure that must not fall below `bound`."""
        self.row(figure, f"{value:.3g}{unit}", f">= {bound:g}{unit}", ok=value >= bound, value=value)

    def at_most(self, figure: str, value: float, bound: float, unit: str = "") -> None:
        """A figure that must not exceed `bound`."""
        self.row(figure, f"{value:.3g}{unit}", f"<= {bound:g}{unit}", ok=value <= bound, value=value)

    def finish(self) -> int:
        """Prints the table, writes build/bench/<name>.json and returns the exit code: 1 when a figure falls short."""
        missed = [row for row in self.rows if row.ok is False]
        Console(width=None if sys.stdout.isatty() else 120).print(self._table(), *self.notes, sep="\n")
        BUILD.mkdir(parents=True, exist_ok=True)
        body = {
            "name": self.name,
            "machine": {"python": platform.python_version(), "system": platform.system(), "cpu": platform.machine()},
            "rows": [asdict(row) for row in self.rows],
            "notes": self.notes,
            "ok": not missed,
        }
        (BUILD / f"{self.name}.json").write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return 1 if missed else 0

    def _table(self) -> Table:
        table = Table("figure", "measured", "wanted", "", title=f"bench {self.name}")
        for row in self.rows:
            table.add_row(row.figure, row.measured, row.wanted, {True: "ok", False: "MISSED", None: ""}[row.ok])
        return table
