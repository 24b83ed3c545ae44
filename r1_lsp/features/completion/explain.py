"""What the model would see at a cursor, piece by piece, with what each piece costs."""

import time
from dataclasses import dataclass

from engine.types import Engine, InfillPrompt, ModelInfo
from r1_lsp.features.completion.ask import Ask
from r1_lsp.features.completion.complete import wants_lines
from r1_lsp.features.completion.gather import gather, room_for
from r1_lsp.features.completion.outline import NOTHING, read_outline
from r1_lsp.features.completion.render import render
from r1_lsp.features.completion.trigger import why_not, why_not_here
from r1_lsp.features.why import Reason
from r1_lsp.settings import CompletionSettings
from r1_lsp.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedPiece:
    """A part of the prompt: what it is ("import", "signature", "before", ...), its text, its length in tokens."""

    kind: str
    text: str
    tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDescription:
    """The prompt in the order the model reads it. `silence`: why nothing would be suggested here while typing."""

    layout: str
    pieces: tuple[PricedPiece, ...]
    multiline: bool
    room_bytes: int
    model: ModelInfo
    silence: Reason | None
    gather_ms: float

    @property
    def tokens(self) -> int:
        return sum(piece.tokens for piece in self.pieces)


async def describe_prompt(
    snapshot: Snapshot, offset: int, settings: CompletionSettings, engine: Engine
) -> PromptDescription:
    """Builds the prompt as a request without history would, and counts its tokens. Raises EngineError.

    `snapshot` must have its tree already, where its language has one.
    """
    info = await engine.info()
    ask, room = Ask(), room_for(info, settings.max_tokens)
    began = time.perf_counter()
    outline = await read_outline(snapshot.tree) if snapshot.tree is not None else NOTHING
    gathered = gather(snapshot, offset, room, outline)
    took_s = time.perf_counter() - began
    infill = isinstance(render(gathered, info).prompt, InfillPrompt)
    parts = sorted(gathered.pieces(), key=lambda piece: piece.kind == "line") if infill else gathered.pieces()
    priced = [
        PricedPiece(kind=part.kind, text=part.text, tokens=await engine.count_tokens(part.text))
        for part in parts
        if infill or part.kind != "after"
    ]
    return PromptDescription(
        layout="infill: prefix, suffix, middle" if infill else "text before the cursor",
        pieces=tuple(priced),
        multiline=wants_lines(snapshot, offset, ask, settings),
        room_bytes=room.total,
        model=info,
        silence=why_not(snapshot, offset, ask, settings) or why_not_here(snapshot, offset, ask, settings),
        gather_ms=round(took_s * 1000, 2),
    )
