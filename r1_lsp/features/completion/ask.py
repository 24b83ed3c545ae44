"""What an editor asks, and what it gets back: records without editor types."""

from dataclasses import dataclass, field

from r1_lsp.features.why import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """The entry selected in an open completion menu: it would replace [start, end) with `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How a suggestion was asked for. `waited_s`: how long the editor itself pauses before it asks. `single`: it shows
    no more than one.
    """

    invoked: bool = False
    single: bool = False
    selected: Selected | None = None
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An offer: put `new` in place of the bytes [start, end), which lie on one line and hold the cursor.

    `text` is the part of `new` that comes after what already stands before the cursor.
    """

    id: str
    start: int
    end: int
    new: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to one request: suggestions, or the reason for silence. `source`: "model", "cache" or "joined"."""

    reason: Reason
    suggestions: tuple[Suggestion, ...] = field(default=())
    source: str = ""
    detail: str = ""


def silent(reason: Reason, detail: str = "") -> Outcome:
    return Outcome(reason=reason, detail=detail)
