"""Tables of ast_tools.repair as they are without some of the development data, so that those can be measured.

The data are in FOLDS parts. For each part `held_out.json.gz` keeps the weights that were learnt from the others, and
the counts of a table can be had without a part's texts: they are sums. So a figure on a case says something about
cases that nothing was learnt from. What still comes from the whole data: which words are counted by themselves.
"""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from ast_tools import LANGUAGES, Language
from ast_tools.lexer import Token, tokens
from ast_tools.repair.likelihood import Counts, Occurrences, kept, occurrences
from ast_tools.repair.tables import Table, table
from ast_tools.repair.vocabulary import whole
from bench.learning import Learnt

FOLDS = 3
LEAST = (1, 2, 4, 4, 8)
"""How often a context must occur to be kept, from the least to the most that is looked at."""
STORED = Path(__file__).parent / "held_out.json.gz"

CaseRow = Mapping[str, Any]
"""One case as the data have it."""


def fold_of(row: CaseRow) -> int:
    """The part of a case; all cases of one exercise, or with the same repaired text, are in one."""
    return sha256((row.get("slug") or row["fixed"]).encode()).digest()[0] % FOLDS


def key(row: CaseRow) -> str:
    """By which a case is known."""
    return sha256(f"{row['broken']}\0{row['fixed']}".encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """For each language what was learnt without each part; and the cases that anything was learnt from."""

    cases: frozenset[str]
    learnt: dict[str, tuple[Learnt, ...]]

    def stored(self) -> bytes:
        """As the bytes of its file, always the same for the same."""
        body = {
            "about": "Weights without parts of the development data; made by bench/tables.py.",
            "cases": sorted(self.cases),
            "learnt": {name: [_dumped(one) for one in folds] for name, folds in sorted(self.learnt.items())},
        }
        return gzip.compress(json.dumps(body, ensure_ascii=False).encode(), mtime=0)


def _dumped(one: Learnt) -> dict[str, Any]:
    kept_weights = {name: round(weight, 3) for name, weight in sorted(one.weights.items()) if abs(weight) >= 0.005}
    return {"weights": kept_weights, "trusted": sorted(one.trusted)}


@cache
def held_out() -> HeldOut:
    """What is stored; nothing where nothing is."""
    if not STORED.is_file():
        return HeldOut(frozenset(), {})
    body = json.loads(gzip.decompress(STORED.read_bytes()))
    learnt = {
        name: tuple(Learnt(one["weights"], frozenset(one["trusted"])) for one in folds)
        for name, folds in body["learnt"].items()
    }
    return HeldOut(frozenset(body["cases"]), learnt)


class Tables:
    """The tables to measure the cases of some data with."""

    def __init__(self, rows: Sequence[CaseRow]) -> None:
        self._rows = [row for row in rows if key(row) in held_out().cases]
        self._made: dict[tuple[str, int], Table | None] = {}

    def table(self, row: CaseRow) -> Table | None:
        """Without the part of the data that a case is in; None where the shipped table knows nothing of the case."""
        name, fold = row["language"], fold_of(row)
        if key(row) not in held_out().cases or name not in held_out().learnt:
            return None
        if (name, fold) not in self._made:
            self._made[name, fold] = self._without(name, fold)
        return self._made[name, fold]

    def _without(self, name: str, fold: int) -> Table | None:
        shipped, one = table(LANGUAGES[name]), held_out().learnt[name][fold]
        texts = [row["fixed"].encode() for row in self._rows if row["language"] == name and fold_of(row) == fold]
        if shipped is None:
            return None
        return Table(counts_without(LANGUAGES[name], shipped.counts, texts), one.weights, one.trusted)


def counts_without(language: Language, counts: Counts, texts: Sequence[bytes]) -> Counts:
    """Counts without those of some texts that are in them."""
    gone = occurrences(language, [read(language, text) for text in texts], counts.spellings)
    return kept(counts.spellings, difference(counts.followers.occurrences(), gone), LEAST)


def read(language: Language, text: bytes) -> tuple[list[Token], bytes]:
    """The tokens of a text as they are counted, and the text."""
    return whole(language, tokens(language, text)), text


def difference(every: Occurrences, gone: Occurrences) -> Occurrences:
    """What is left of counts."""
    return {
        context: {unit: left for unit, n in some.items() if (left := n - gone.get(context, {}).get(unit, 0)) > 0}
        for context, some in every.items()
    }
