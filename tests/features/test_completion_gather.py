"""The prompt stays the same from key to key, holds what the cursor's surroundings mention, and fits its room."""

import asyncio

import pytest

from engine.scripted import ScriptedEngine
from engine.types import ModelInfo
from r1_lsp.features.completion import describe_prompt
from r1_lsp.features.completion.gather import Gathered, Room, gather, room_for
from r1_lsp.features.completion.outline import NOTHING, Outline, read_outline
from r1_lsp.settings import CompletionSettings
from r1_lsp.snapshot import Snapshot
from tests.features.desk import snapshot_of

ROOM = Room(total=900, suffix=120)
HEAD = (
    "import os\nfrom pathlib import Path\n\n\ndef helper(path: Path, depth: int = 3) -> list[str]:\n    return []\n\n\n"
)
BODY = "".join(f"    value_{number} = {number} + len('é😀')\n" for number in range(60))
TAIL = "\n\ndef below(x: int) -> int:\n    return x\n"


def at(line: str) -> tuple[Snapshot, int]:
    """The cursor at the end of a line in a long function."""
    before = f"{HEAD}def long(home: Path) -> None:\n{BODY}    {line}"
    return snapshot_of(before + TAIL), len(before.encode())


def outline(snapshot: Snapshot) -> Outline:
    return asyncio.run(read_outline(snapshot.tree)) if snapshot.tree is not None else NOTHING


def parts(line: str, room: Room = ROOM, previous: Gathered | None = None) -> Gathered:
    snapshot, offset = at(line)
    return gather(snapshot, offset, room, outline(snapshot), previous.frame if previous else None)


def test_what_is_mentioned_stands_above_in_the_files_order() -> None:
    assert parts("names = helper(").context == (
        "import os\n"
        "from pathlib import Path\n"
        "def helper(path: Path, depth: int = 3) -> list[str]:\n"
        "def long(home: Path) -> None:\n"
    )


def test_what_is_defined_below_goes_to_the_very_top() -> None:
    assert parts("n = below").context.startswith("def below(x: int) -> int:\n")


def context_of(head: str, line: str) -> str:
    before = f"{head}\n\ndef long(home: Path) -> None:\n{BODY}    {line}"
    snapshot = snapshot_of(before + TAIL)
    return gather(snapshot, len(before.encode()), ROOM, outline(snapshot)).context


def test_members_stand_under_the_header_of_their_class() -> None:
    head = (
        "class Item:\n    price: float\n    name: str\n\n    def total(self) -> float:\n        return self.price\n\n\n"
        "class Box:\n    size: int\n\n    def total(self) -> float:\n        return 0\n"
    )
    assert context_of(head, "x = price + total + ") == (
        "class Item:\n    price: float\n    def total(self) -> float:\n"
        "class Box:\n    def total(self) -> float:\n"
        "def long(home: Path) -> None:\n"
    )


@pytest.mark.parametrize(
    "member",
    ["end_re = re.compile(r'[a-z]'  # one\n        r'[.]')", 'end_re = """\n    a"""', "end_re = 1 + \\\n        2"],
)
def test_half_a_statement_is_no_signature(member: str) -> None:
    assert "end_re" not in context_of(f"class Text:\n    {member}\n", "x = end_re")


def test_a_member_defined_below_brings_its_class_along() -> None:
    body = BODY.replace("    value", "        value")
    before = f"class A:\n    def long(self) -> None:\n        pass\n{body}        below("
    snapshot = snapshot_of(before + "\n\n    def below(self) -> int:\n        return 1\n")
    context = gather(snapshot, len(before.encode()), ROOM, outline(snapshot)).context
    assert context == "class A:\n    def below(self) -> int:\nclass A:\n    def long(self) -> None:\n"


def test_while_a_line_is_typed_nothing_before_it_changes() -> None:
    first = parts("n")
    for typed in ("na", "names", "names = ", "names = helper(home"):
        now = parts(typed, previous=first)
        assert (now.context, now.before, now.after) == (first.context, first.before, first.after)
        first = now


def test_on_a_later_line_a_name_defined_out_of_sight_is_worth_reading_anew() -> None:
    first = parts("x = 1")
    assert "helper" not in first.context
    again = parts("x = 1\n    y = helper", previous=first)
    assert "def helper(" in again.context


def test_the_window_moves_in_big_steps() -> None:
    starts, last = [], None
    text = "x = 1\n" * 400
    for line in range(100, 300):
        snapshot = snapshot_of(text[: line * 6], "a.txt")
        last = gather(snapshot, line * 6, ROOM, NOTHING, last.frame if last else None)
        starts.append(last.frame.start)
        assert len(last.before) + len(last.line) <= ROOM.total
    assert len(set(starts)) <= 6


def test_a_change_above_the_window_is_noticed() -> None:
    first = parts("x = ")
    snapshot, offset = at("x = ")
    changed = snapshot_of(snapshot.text.replace(b"value_3 ", b"value_333 "))
    now = gather(changed, offset + 2, ROOM, outline(changed), first.frame)
    assert now.before.startswith("    value_")


def test_everything_fits_its_room() -> None:
    for total in (60, 300, 900, 5000):
        room = Room(total=total, suffix=total // 8)
        found = parts("names = helper(home, ", room)
        size = sum(len(text.encode()) for text in (found.context, found.before, found.after))
        assert size <= total + 60  # a suffix is at least the rest of its line


@pytest.mark.parametrize("text", ["", "\n", "é😀" * 3000, "\x00" * 3000, "x\r" * 2000])
def test_any_text_will_do(text: str) -> None:
    snapshot = snapshot_of(text)
    for offset in (0, len(snapshot.text) // 8 * 4, len(snapshot.text)):
        gather(snapshot, offset, ROOM, outline(snapshot))


def test_the_room_follows_the_measured_speed() -> None:
    slow = room_for(ModelInfo(id="m", prefill_tps=100.0), 96)
    fast = room_for(ModelInfo(id="m", prefill_tps=1000.0, can_infill=True), 96)
    tiny = room_for(ModelInfo(id="m", prefill_tps=1000.0, n_ctx=256), 96)
    assert slow.total < fast.total
    assert slow.suffix == 0 < fast.suffix
    assert tiny.total <= 160 * 3
    assert room_for(ModelInfo(id="m", prefill_tps=1004.0), 96) == room_for(ModelInfo(id="m", prefill_tps=1000.0), 96)
    assert room_for(ModelInfo(id="m", remote=True, n_ctx=65_536), 96).total == 2048 * 3


def test_the_prompt_is_explained_piece_by_piece() -> None:
    async def main() -> None:
        engine = ScriptedEngine({"info": {"can_infill": True}})
        snapshot, offset = at("names = helper(")
        described = await describe_prompt(snapshot, offset, CompletionSettings(), engine)
        kinds = [piece.kind for piece in described.pieces]
        assert kinds[-2:] == ["after", "line"]
        assert {"import", "signature", "scope", "before"} <= set(kinds)
        assert described.tokens == sum(piece.tokens for piece in described.pieces) > 0
        assert described.silence is None
        await engine.close()

    asyncio.run(main())
