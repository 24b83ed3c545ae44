"""The words of the ACTIONS table: what a row is asked, what it offers, what it computes when an offer is taken."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from ast_tools import Edit, Repair
from engine.types import Engine
from r1_lsp.features.ask import Heard
from r1_lsp.features.broken import NOTHING, Broken
from r1_lsp.features.checkers import Reported
from r1_lsp.settings import Settings
from r1_lsp.snapshot import Snapshot

QUICK_FIX = "quickfix"
REWRITE = "refactor.rewrite"
FIX_ALL = "source.fixAll.r1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """What a diagnostic says of another place. `line` is 1-based, in the same document, or None elsewhere."""

    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Reported):
    """A diagnostic the editor shows at the place in question. `unnecessary`: it says that the code can go."""

    related: tuple[Related, ...] = ()
    unnecessary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a row may look at when the editor asks what can be done at [start, end).

    `repairs` are those the tree alone can find (r1_lsp.features.repairing), wherever in the text they are; `whole` are
    the sure ones of the whole text, where they are wanted.
    """

    snapshot: Snapshot
    start: int
    end: int
    reports: tuple[Report, ...] = ()
    repairs: tuple[Repair, ...] = ()
    whole: Broken = NOTHING
    settings: Settings
    can_resolve: bool = True
    edit_command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One entry of the editor's menu: with its `edits` at once, or a `command`, or else computed when it is taken.

    `report` is what it would fix, `start` where it stands, `choices` what is to be chosen among, as edits; all of them
    come back with the Task.
    """

    title: str
    edits: tuple[Edit, ...] | None = None
    command: tuple[str, tuple[object, ...]] | None = None
    report: Report | None = None
    start: int = 0
    choices: tuple[tuple[Edit, ...], ...] = ()
    preferred: bool = False
    by_model: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """An offer that was taken. `root` is the workspace folder, `sentence` what the user wants, if anything was said."""

    snapshot: Snapshot
    start: int
    end: int
    report: Report | None = None
    choices: tuple[tuple[Edit, ...], ...] = ()
    sentence: str = ""
    settings: Settings
    engine: Engine
    root: str | None = None
    heard: Heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One row. `applies` takes milliseconds and asks no model; `compute` answers edits or raises Refused.

    `kind` is the protocol's name for what it does.
    """

    name: str
    kind: str
    applies: Callable[[Place], Iterable[Offer]]
    compute: Callable[[Task], Awaitable[tuple[Edit, ...]]] | None = None
