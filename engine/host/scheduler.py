"""Who gets the model next. `step()` is the whole story: schedule, run, postprocess.

One thread calls `step`; any thread submits and cancels. The first lane that has work runs, the others pause with what
they have in memory. Within a lane a step is either one token of every answer, or one slice of one prompt; the two take
turns. They are not mixed, although llama.cpp could: its attention rounds differently in batches of 64 tokens and more
(logits differ by 0.4 with SmolLM2), so that what one caller gets would depend on who else is asking.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from engine.backends.backend import Backend, Outcome, Part
from engine.errors import EngineBusy, EngineError
from engine.host.kv import KvCache
from engine.host.sequence import Job, Sequence
from engine.types import Chunk, Lane

logger = logging.getLogger(__name__)

SLICE = 128
"""Prompt tokens per step: between two steps work is cancelled or changed. Slices of 32 cost 28 % of prefill speed."""
MAX_JOBS = 64
"""Jobs at work or waiting; more are refused."""

_LANES = tuple(Lane)

Event = tuple[Job, Chunk | EngineError]
Deliver = Callable[[list[Event]], None]


@dataclass(slots=True)
class Turn:
    """One sequence's share of a step."""

    sequence: Sequence
    part: Part


class Scheduler:
    """Owns the jobs and the memory of one backend. `deliver` is called at most once per step, on the model's thread."""

    def __init__(self, backend: Backend, deliver: Deliver) -> None:
        self._backend = backend
        self._deliver = deliver
        self._kv = KvCache(backend)
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._jobs: list[Job] = []
        self._active: list[Sequence] = []
        self._read_last = False
        self._at_work: list[Job] = []
        self._reading = False
        self._changed = False
        self._closed = False
        self._crowded = False
        self._events: list[Event] = []
        self.progress = 0
        """Grows with every step; a busy scheduler whose progress stands still is stuck."""

    # -- any thread ------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def submit(self, job: Job) -> None:
        """Queues a job; an older one of the same session and lane ends "superseded". Raises EngineBusy."""
        request = job.request
        with self._lock:
            for older in self._jobs:
                if request.session and (older.request.session, older.lane) == (request.session, job.lane):
                    older.ended = older.ended or "superseded"
            if sum(older.ended is None for older in self._jobs) >= MAX_JOBS:
                raise EngineBusy(f"{MAX_JOBS} requests are already waiting for the model")
            self._jobs.append(job)
            overtaken = self._reading and any(_before(job.lane, other.lane) for other in self._at_work)
            self._notice(abort=overtaken)

    def cancel(self, job: Job) -> None:
        """Ends a job without a further word; does nothing when it is over."""
        with self._lock:
            if job in self._jobs:
                job.ended = job.ended or "cancelled"
                self._notice(abort=False)

    def close(self) -> None:
        """Ends all jobs; `wait` returns."""
        with self._lock:
            self._closed = True
            for job in self._jobs:
                job.ended = "cancelled"
            self._notice(abort=True)

    def _notice(self, *, abort: bool) -> None:
        """Something changed: wakes the model's thread, and ends the batch at work when nobody waits for it."""
        self._changed = True
        if abort or (self._at_work and all(job.ended for job in self._at_work)):
            self._backend.abort()
        self._wake.notify_all()

    # -- the model's thread ----------------------------------------------------------------------------------------

    def wait(self, timeout_s: float) -> None:
        """Sleeps until there is work, the scheduler is closed or the time is over."""
        with self._wake:
            self._wake.wait_for(lambda: self._jobs or self._closed, timeout_s)

    def step(self) -> bool:
        """One batch. False: nothing to do."""
        turns = self._schedule()
        if turns:
            outcome = self._run(turns)
            self._postprocess(turns, outcome)
        self._flush()
        return bool(turns)

    def _schedule(self) -> list[Turn]:
        with self._lock:
            self._changed = False
            jobs = list(self._jobs)
        for job in jobs:
            if job.ended:
                self._drop(job)
        for lane in _LANES:
            waiting = [s for job in jobs if job.lane is lane and not job.ended for s in job.live]
            if waiting:
                self._admit(lane, waiting)
                self._active = [s for s in waiting if s.slot is not None]
                return self._turns()
        return []

    def _turns(self) -> list[Turn]:
        writing = [s for s in self._active if s.n_pending == 1]
        reading = [s for s in self._active if s.n_pending > 1][:1]
        self._read_last = bool(reading) and not (writing and self._read_last)
        return [_turn(s) for s in (reading if self._read_last else writing)]

    def _admit(self, lane: Lane, waiting: list[Sequence]) -> None:
        """Gives slots in order of arrival, taking them from paused lanes if need be."""
        if self._crowded and any(s.slot is not None for s in waiting):
            return
        self._crowded = False
        for sequence in waiting:
            if sequence.slot is not None or not sequence.may_start:
                continue
            found = self._kv.acquire(sequence.tokens)
            while found is None and self._take_from_paused(lane):
                found = self._kv.acquire(sequence.tokens)
            if found is None:
                return
            sequence.slot, n_cached = found
            if sequence.job.n_cached is None:
                sequence.job.start(n_cached)

    def _take_from_paused(self, lane: Lane) -> bool:
        """Makes the newest sequence of the last paused lane give back its slot; it will read its tokens again."""
        paused = [s for job in self._jobs if _before(lane, job.lane) for s in job.live if s.slot is not None]
        if not paused:
            return False
        self._let_go(max(reversed(paused), key=lambda s: _LANES.index(s.job.lane)))
        return True

    def _run(self, turns: list[Turn]) -> Outcome:
        with self._lock:
            if self._changed:
                return "aborted"
            self._backend.clear_abort()
            self._reading = self._read_last
            self._at_work = [turn.sequence.job for turn in turns]
        try:
            return self._backend.run([turn.part for turn in turns])
        except EngineError as exc:
            self._fail(turns, exc)
            return "aborted"
        finally:
            self.progress += 1
            with self._lock:
                self._at_work = []

    def _postprocess(self, turns: list[Turn], outcome: Outcome) -> None:
        if outcome == "full":
            self._make_room()
        elif outcome == "aborted":
            for turn in turns:
                if turn.sequence.slot is not None:
                    self._kv.restore(turn.sequence.slot)
        else:
            for number, turn in enumerate(turns):
                self._advance(number, turn)

    def _advance(self, number: int, turn: Turn) -> None:
        sequence = turn.sequence
        if sequence.slot is None:
            raise AssertionError("a sequence without a slot was run")
        sequence.slot.append(turn.part.tokens)
        if turn.part.wants_logits:
            request = sequence.job.request
            room = self._backend.info.n_ctx - len(sequence.job.encoded.tokens)
            chunk = sequence.extend(self._backend, number, min(request.max_tokens, room))
            if chunk is not None:
                self._say(sequence, chunk)

    def _say(self, sequence: Sequence, chunk: Chunk) -> None:
        job = sequence.job
        if chunk.finish is not None:
            self._let_go(sequence)
            self._crowded = False
            if not job.live:
                chunk = job.closed(chunk)
                if len(job.sequences) == 1 and chunk.usage is not None:
                    self._backend.served(chunk.usage)
                self._forget(job)
        self._events.append((job, chunk))

    def _make_room(self) -> None:
        """The memory is full: forgets what nobody uses, then paused work, then the newest of this lane."""
        if self._kv.evict():
            return
        newest = self._active[-1]
        if self._take_from_paused(newest.job.lane):
            self._kv.evict()
        elif len(self._active) > 1:
            self._let_go(newest)
            self._kv.evict()
            self._crowded = True
        else:
            self._say(newest, newest.end("length"))

    def _drop(self, job: Job) -> None:
        """Ends a job whose caller wants no more. A superseded one is told; a cancelled one has nobody to tell."""
        for sequence in job.live:
            if job.ended == "superseded":
                self._say(sequence, sequence.end("superseded"))
            else:
                self._let_go(sequence)
                sequence.finish = "stop"
        self._crowded = False
        self._forget(job)

    def _fail(self, turns: list[Turn], error: EngineError) -> None:
        logger.error("the model failed: %s", error)
        for job in {id(turn.sequence.job): turn.sequence.job for turn in turns}.values():
            for sequence in job.live:
                self._let_go(sequence)
                sequence.finish = "stop"
            self._forget(job)
            self._events.append((job, error))
        self._kv.clear()

    def _let_go(self, sequence: Sequence) -> None:
        if sequence.slot is not None:
            self._kv.release(sequence.slot)
            sequence.slot = None

    def _forget(self, job: Job) -> None:
        with self._lock:
            if job in self._jobs:
                self._jobs.remove(job)

    def _flush(self) -> None:
        if self._events:
            events, self._events = self._events, []
            self._deliver(events)


def _turn(sequence: Sequence) -> Turn:
    slot, pending = sequence.slot, sequence.n_pending
    if slot is None:
        raise AssertionError("a sequence without a slot was scheduled")
    n = min(pending, SLICE)
    return Turn(sequence, Part(slot.number, slot.n, sequence.tokens[slot.n : slot.n + n], n == pending))


def _before(one: Lane, other: Lane) -> bool:
    return _LANES.index(one) < _LANES.index(other)
