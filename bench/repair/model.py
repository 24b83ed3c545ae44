"""The default model alone, asked to repair a piece of code, on few and small cases because it is slow."""

import asyncio
import re
from dataclasses import dataclass

from ast_tools import LANGUAGES, parse
from ast_tools.scopes import path_to
from bench.repair.cases import BUDGET_S, Case
from bench.repair.judge import likeness
from engine.client import create_engine
from engine.types import ChatPrompt, Engine, EngineOptions, GenerateRequest, Lane, Message

LONGEST = 400
"""Bytes of the piece that the model is asked about."""
SHORTEST = 3
"""Lines of it."""
ANSWER_S = 20.0

_ASK = (
    "One bracket of this {language} code is missing. Repeat the code with the bracket put back and change nothing else."
)
_FENCE = re.compile(r"\n?```")


@dataclass(frozen=True, slots=True)
class Piece:
    """The broken top-level piece of a case: small enough, and the whole error is in it."""

    case: Case
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.case.broken[self.start : self.end].decode("utf-8", "replace")


def piece_of(case: Case) -> Piece | None:
    """The widest part of the clean tree around the planted error that is small enough, in whole lines; None without."""
    edit = case.planted[0]
    tree = parse(LANGUAGES[case.language], case.clean, BUDGET_S)
    for node in path_to(tree, edit.start, edit.end) if tree is not None else ():
        start = case.clean.rfind(b"\n", 0, node.start_byte) + 1
        end = case.clean.find(b"\n", node.end_byte)
        end = len(case.clean) if end < 0 else end + 1
        lines = case.clean.count(b"\n", node.start_byte, node.end_byte) + 1
        if end - start <= LONGEST and lines >= SHORTEST and start <= edit.start and edit.end <= end:
            return Piece(case, start, end - (edit.end - edit.start) + len(edit.new))
    return None


def asked(pieces: list[Piece]) -> list[bool]:
    """For each piece whether the model's answer gives the wanted file (or its tree). Raises EngineError."""
    return asyncio.run(_asked(pieces))


async def _asked(pieces: list[Piece]) -> list[bool]:
    engine = create_engine(EngineOptions())
    engine.start()
    try:
        return [_right(piece, await _answer(engine, piece)) for piece in pieces]
    finally:
        await engine.close()


async def _answer(engine: Engine, piece: Piece) -> str:
    fence = f"```{piece.case.language}\n"
    ask = _ASK.format(language=piece.case.language)
    request = GenerateRequest(
        prompt=ChatPrompt(
            messages=(Message(role="user", content=f"{ask}\n\n{fence}{piece.text.strip()}\n```"),), prefill=fence
        ),
        max_tokens=len(piece.text) // 3 + 32,
        stop=("```",),
        lane=Lane.ACTION,
        time_budget_s=ANSWER_S,
    )
    return "".join([chunk.text async for chunk in engine.generate(request)])


def _right(piece: Piece, answer: str) -> bool:
    case = piece.case
    lead = piece.text[: len(piece.text) - len(piece.text.lstrip())]
    mended = lead + _FENCE.split(answer)[0].rstrip() + "\n"
    text = case.broken[: piece.start] + mended.encode() + case.broken[piece.end :]
    return likeness(LANGUAGES[case.language], text, case.wanted).right


def first_pieces(cases: list[Case], wanted: int) -> list[Piece]:
    """The first pieces, in the order of the cases."""
    return [piece for piece in map(piece_of, cases) if piece is not None][:wanted]
