"""The way out: whole frames in order, bounded while the editor does not read."""

import os
import threading

from r1_lsp.wire.outbox import ROOM_BYTES, Outbox, write_all

MB = 1024 * 1024


def test_order_and_room() -> None:
    outbox = Outbox()
    for number in range(100):
        outbox.post(b"%d" % number, key="same")
    taken = [outbox.take(0) for _ in range(100)]
    assert taken == [b"%d" % number for number in range(100)], "below 1 MiB nothing is replaced"
    assert outbox.take(0) is None


def test_an_editor_that_does_not_read() -> None:
    outbox = Outbox()
    outbox.post(b"x" * 2 * MB)
    for number in range(10_000):
        outbox.post(b"p" * 1000 + b"%d" % number, key="progress")
        outbox.post(b"d" * 1000 + b"%d" % number, key=("diagnostics", number % 3))
    outbox.post(b"answer")
    assert outbox.backlog < 2 * MB + 10_000
    taken = [outbox.take(0) for _ in range(6)]
    assert [frame[:1] for frame in taken if frame] == [b"x", b"p", b"d", b"d", b"d", b"a"]
    assert taken[1] is not None
    assert taken[1].endswith(b"9999")


def test_reading_pauses_while_too_much_waits() -> None:
    outbox = Outbox()
    outbox.post(b"x" * (ROOM_BYTES + 1))
    reader = threading.Thread(target=outbox.wait_for_room)
    reader.start()
    reader.join(0.05)
    assert reader.is_alive()
    frame = outbox.take(0)
    assert frame is not None
    outbox.done(frame)
    reader.join(10)
    assert not reader.is_alive()


def test_many_threads_one_stream() -> None:
    outbox = Outbox()
    read_end, write_end = os.pipe()
    writer = threading.Thread(target=write_all, args=(outbox, write_end, lambda: None))
    writer.start()
    sizes = [1, 100, 70_000, 300_000]

    def post(letter: bytes) -> None:
        for number in range(50):
            outbox.post(b"%d:" % sizes[number % 4] + letter * sizes[number % 4])

    posters = [threading.Thread(target=post, args=(bytes([65 + n]),)) for n in range(8)]
    for poster in posters:
        poster.start()
    counts: dict[bytes, int] = {}
    with os.fdopen(read_end, "rb") as stream:
        for _ in range(8 * 50):
            size = b""
            while (byte := stream.read(1)) != b":":
                size += byte
            body = stream.read(int(size))
            assert body == body[:1] * int(size)
            counts[body[:1]] = counts.get(body[:1], 0) + 1
    outbox.flush(10)
    outbox.close()
    writer.join(10)
    os.close(write_end)
    assert set(counts.values()) == {50}


def test_a_broken_pipe_is_told() -> None:
    outbox = Outbox()
    read_end, write_end = os.pipe()
    os.close(read_end)
    told: list[bool] = []
    outbox.post(b"x")
    write_all(outbox, write_end, lambda: told.append(True))
    os.close(write_end)
    assert told == [True]
    outbox.post(b"y")
    assert outbox.take(0) is None
