"""A scheduler on the scripted backend, driven step by step, with everything it did written down."""

from collections.abc import Mapping, Sequence
from typing import Any

from engine.backends.backend import Outcome, Part
from engine.backends.scripted import ScriptedBackend
from engine.errors import EngineError
from engine.host.scheduler import Event, Scheduler
from engine.host.sequence import Job
from engine.scripted import load_script
from engine.types import Chunk, GenerateRequest, Lane, TextPrompt, Usage


class RecordingBackend(ScriptedBackend):
    """Writes down each batch that was evaluated, and fails where it is told to."""

    def __init__(self, script: Mapping[str, Any]) -> None:
        super().__init__(load_script(script))
        self.batches: list[list[tuple[int, int]]] = []
        """Of each part: slot and number of tokens."""
        self.failures = 0

    def run(self, parts: Sequence[Part]) -> Outcome:
        if self.failures:
            self.failures -= 1
            raise EngineError("the model tripped")
        outcome = super().run(parts)
        if outcome == "done":
            self.batches.append([(part.slot, len(part.tokens)) for part in parts])
        return outcome

    @property
    def evaluated(self) -> int:
        return sum(n for batch in self.batches for _, n in batch)


class Desk:
    """Submits requests, runs the scheduler, and keeps what each job said."""

    def __init__(self, **script: Any) -> None:
        self.backend = RecordingBackend({"default": {"reply": "ok"}, **script})
        self.scheduler = Scheduler(self.backend, self._deliver)
        self.said: dict[Job, list[Chunk]] = {}
        self.errors: dict[Job, EngineError] = {}
        self.deliveries = 0

    def _deliver(self, events: list[Event]) -> None:
        self.deliveries += 1
        for job, said in events:
            if isinstance(said, Chunk):
                self.said.setdefault(job, []).append(said)
            else:
                self.errors[job] = said

    def submit(self, text: str, *, lane: Lane = Lane.TYPING, **fields: Any) -> Job:
        request = GenerateRequest(prompt=TextPrompt(text=text), lane=lane, **fields)
        job = Job(request, self.backend.encode(request))
        self.scheduler.submit(job)
        return job

    def run(self, steps: int = 100_000) -> int:
        """Steps until there is nothing to do; returns the number of steps."""
        for done in range(steps):
            if not self.scheduler.step():
                return done
        return steps

    def ask(self, text: str, **fields: Any) -> str:
        job = self.submit(text, **fields)
        self.run()
        return self.text(job)

    def text(self, job: Job, index: int = 0) -> str:
        return "".join(chunk.text for chunk in self.said.get(job, ()) if chunk.index == index)

    def scores(self, job: Job) -> list[float | None]:
        """Of each candidate what its last chunk says; None where it did not come to its end."""
        ends = {chunk.index: chunk.score for chunk in self.said.get(job, ()) if chunk.finish}
        return [ends.get(index) for index in range(len(job.sequences))]

    def thinking(self, job: Job) -> str:
        return "".join(chunk.thinking for chunk in self.said.get(job, ()))

    def finish(self, job: Job, index: int = 0) -> str | None:
        ends = [chunk.finish for chunk in self.said.get(job, ()) if chunk.index == index and chunk.finish]
        assert len(ends) <= 1, "a candidate ends once"
        return ends[0] if ends else None

    def usage(self, job: Job) -> Usage:
        usages = [chunk.usage for chunk in self.said[job] if chunk.usage]
        assert len(usages) == 1, "an answer has one usage, in its last chunk"
        assert self.said[job][-1].usage is usages[0]
        return usages[0]
