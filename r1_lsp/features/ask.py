"""One question to a chat model: sampling as its makers say, a bound on reasoning, the whole answer at the end."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from engine.prompt.sampling import maker_sampling
from engine.types import GREEDY, ChatPrompt, Engine, FinishReason, GenerateRequest, Lane, Message, ModelInfo, Sampling

_RETRY = Sampling(temperature=0.7, top_p=0.95)
_REASONING = Sampling(temperature=0.6, top_p=0.95)
"""For a reasoning model of unknown family: what R1's makers recommend; greedy reasoning runs in circles."""
TIME_BUDGET_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask. `opening` begins the answer of a model that does not reason, so that even a weak one keeps the form.

    `answer_tokens` bounds the answer, `think_tokens` the reasoning before it. `session` names what a newer question
    replaces.
    """

    text: str
    opening: str = ""
    stop: tuple[str, ...] = ()
    answer_tokens: int = 512
    think_tokens: int = 0
    lane: Lane = Lane.ACTION
    session: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One candidate, with the `opening` it was given put back. `thought` counts characters of reasoning."""

    text: str
    opening: str
    thought: int
    finish: FinishReason | None

    @property
    def cut(self) -> bool:
        """Whether the model was stopped before it had finished."""
        return self.finish != "stop"


Heard = Callable[[str], None]
"""Called with one line on what the model is doing."""


async def ask(engine: Engine, question: Question, *, n: int = 1, retry: bool = False, heard: Heard) -> list[Answer]:
    """All `n` answers. `retry`: the model's usual answer did not do, so even a greedy family is asked for others.

    Raises EngineError. Cancelling stops the model.
    """
    heard("Waiting for the model")
    model = await engine.info()
    request, opening = request_for(question, model, n=n, retry=retry)
    texts, thoughts = [opening] * n, [0] * n
    finishes: list[FinishReason | None] = [None] * n
    said = ""
    async for chunk in engine.generate(request):
        texts[chunk.index] += chunk.text
        thoughts[chunk.index] += len(chunk.thinking)
        finishes[chunk.index] = chunk.finish or finishes[chunk.index]
        doing = "Thinking" if chunk.thinking else "Writing"
        if doing != said and (chunk.thinking or chunk.text):
            said = doing
            heard(doing)
    return [Answer(text=texts[at], opening=opening, thought=thoughts[at], finish=finishes[at]) for at in range(n)]


def request_for(question: Question, model: ModelInfo, *, n: int, retry: bool) -> tuple[GenerateRequest, str]:
    """The request, and the opening put in the model's mouth. R1's makers want no system prompt; nobody gets one."""
    opens = question.opening if not model.reasons and not model.remote else ""
    think = question.think_tokens if model.reasons else 0
    request = GenerateRequest(
        prompt=ChatPrompt(messages=(Message(role="user", content=question.text),), prefill=opens),
        max_tokens=question.answer_tokens + think,
        stop=question.stop if opens else (),
        sampling=_sampling(model, retry=retry),
        n=n,
        lane=question.lane,
        session=question.session,
        time_budget_s=TIME_BUDGET_S,
        think_budget=think,
    )
    return request, opens


def _sampling(model: ModelInfo, *, retry: bool) -> Sampling:
    chosen = maker_sampling(model.family)
    if chosen == GREEDY and model.reasons:
        chosen = _REASONING
    if chosen == GREEDY and retry:
        chosen = _RETRY
    return replace(chosen, seed=1) if retry else chosen
