"""The memory of reasons: bounded, without source text, readable by another process."""

import asyncio
from pathlib import Path

from r1_lsp.features.why import KEPT, Memory, Reason, Record, read_records


def record(number: int) -> Record:
    return Record(when=float(number), path="/w/é.py", line=number, column=1, reason=Reason.EMPTY, detail="x")


def remember(memory: Memory, numbers: range) -> None:
    async def main() -> None:
        for number in numbers:
            memory.add(record(number))

    asyncio.run(main())  # waits for the writing thread


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "why.jsonl"
    remember(Memory(path), range(3))
    assert read_records(path) == [record(0), record(1), record(2)]


def test_the_memory_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "why.jsonl"
    memory = Memory(path)
    remember(memory, range(20))
    for start in range(20, 1000, 7):
        remember(memory, range(start, start + 7))
    assert len(memory.records) == KEPT
    assert len(path.read_text().splitlines()) <= 2 * KEPT + 20
    assert read_records(path)[-1] == memory.records[-1]


def test_lines_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "why.jsonl"
    remember(Memory(path), range(1))
    with path.open("ab") as file:
        file.write(b'\xff\n{"when": 1}\n[]\n{"reason": "no-such"}\n')
    remember(Memory(path), range(1, 2))
    assert read_records(path) == [record(0), record(1)]
    assert read_records(tmp_path / "missing") == []


def test_a_disk_that_cannot_be_written_costs_only_the_file(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    memory = Memory(blocked / "why.jsonl")
    remember(memory, range(2))
    assert len(memory.records) == 2


def test_a_record_speaks() -> None:
    assert record(1).sentence == "The model had nothing to add. x"
