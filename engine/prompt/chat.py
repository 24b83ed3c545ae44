"""Chat templates as our own code. The Jinja template in a model file is somebody else's program and is never run.

One row per family says how turns are marked; `render` writes a conversation with it, `after_thinking` ends a reasoning
block that the model leaves open. The beginning-of-sequence token is added by the tokeniser, not here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engine.prompt.pieces import Piece, joined
from engine.types import Message

THINK_OPEN, THINK_CLOSE = "<think>", "</think>"

Mark = tuple[Piece, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFormat:
    """How one family marks a conversation.

    `before` and `after` are the scaffold around a turn of each role. `system` says what becomes of a system message:
    a turn of its own, plain text at the very start, or folded into the first user turn (R1's makers advise against a
    system prompt). `default_system` is what the makers' template says when the conversation has none.
    """

    before: Mapping[str, Mark]
    after: Mapping[str, Mark]
    system: Literal["turn", "lead", "fold"] = "turn"
    default_system: str = ""
    reasons: bool = False


def format_for(family: str) -> ChatFormat:
    """The chat format of a family. A family without one gets plain text: turns separated by an empty line."""
    return _FORMATS.get(family, _PLAIN)


def can_chat(family: str) -> bool:
    """Whether a chat template of this family is known."""
    return family in _FORMATS


def reasons(family: str) -> bool:
    """Whether models of this family think in a `<think>` block before they answer."""
    return format_for(family).reasons


def opens_thinking(family: str, prefill: str, think_budget: int | None) -> bool:
    """Whether the rendered prompt ends inside an open reasoning block, i.e. the answer begins with reasoning.

    A prefill closes the block as a budget of 0 does: an answer that has begun is past its reasoning.
    """
    return reasons(family) and think_budget != 0 and not prefill


def render(family: str, messages: Sequence[Message], prefill: str = "", think_budget: int | None = None) -> list[Piece]:
    """A conversation up to the point where the assistant speaks.

    A reasoning family gets `<think>\\n` opened, or an empty closed block when `think_budget` is 0 or the answer has
    already begun (`prefill`). Reasoning in earlier assistant turns is left out, as the makers' templates do.
    """
    form = format_for(family)
    pieces: list[Piece] = []
    for message in _with_system(form, messages):
        text = without_thinking(message.content) if form.reasons and message.role == "assistant" else message.content
        pieces += (*form.before[message.role], _content(text), *form.after[message.role])
    pieces += form.before["assistant"]
    if form.reasons:
        pieces += (_mark(THINK_OPEN), _content("\n"))
        if not opens_thinking(family, prefill, think_budget):
            pieces += (_content("\n"), _mark(THINK_CLOSE), _content("\n\n"))
    return joined([*pieces, _content(prefill)])


def after_thinking(family: str) -> list[Piece]:
    """What ends an open reasoning block from outside, when its budget is spent. Empty where nobody reasons."""
    return [_content("\n"), _mark(THINK_CLOSE), _content("\n\n")] if reasons(family) else []


def without_thinking(text: str) -> str:
    """An assistant's answer without the reasoning before it."""
    return text.rsplit(THINK_CLOSE, 1)[-1].lstrip("\n") if THINK_CLOSE in text else text


def stops(family: str) -> tuple[str, ...]:
    """Strings that end an answer besides the vocabulary's own end tokens."""
    return _STOPS.get(family, ())


def _with_system(form: ChatFormat, messages: Sequence[Message]) -> Iterator[Message]:
    """The messages with the system text where the family wants it."""
    spoken = [m for m in messages if m.role != "system"]
    system = "\n\n".join(m.content for m in messages if m.role == "system") or form.default_system
    if system and form.system == "fold":
        first = spoken[0] if spoken else Message(role="user", content="")
        if first.role == "user":
            rest = spoken[1:]
            folded = f"{system}\n\n{first.content}" if first.content else system
            spoken = [replace(first, content=folded), *rest]
        else:
            spoken = [Message(role="user", content=system), *spoken]
    elif system:
        yield Message(role="system", content=system)
    yield from spoken


def _mark(text: str) -> Piece:
    return Piece(text, special=True)


def _content(text: str) -> Piece:
    return Piece(text, special=False)


def _roles(user: Mark, assistant: Mark, system: Mark = ()) -> dict[str, Mark]:
    return {"user": user, "assistant": assistant, "system": system}


_PLAIN = ChatFormat(before=_roles((), ()), after=_roles((_content("\n\n"),), (_content("\n\n"),), (_content("\n\n"),)))


def _chatml(default_system: str = "", *, think: bool = False) -> ChatFormat:
    def start(role: str) -> Mark:
        return (_mark("<|im_start|>"), _content(f"{role}\n"))

    end = (_mark("<|im_end|>"), _content("\n"))
    return ChatFormat(
        before=_roles(start("user"), start("assistant"), start("system")),
        after=_roles(end, end, end),
        default_system=default_system,
        reasons=think,
    )


def _llama3() -> ChatFormat:
    def start(role: str) -> Mark:
        return (_mark("<|start_header_id|>"), _content(role), _mark("<|end_header_id|>"), _content("\n\n"))

    end = (_mark("<|eot_id|>"),)
    return ChatFormat(before=_roles(start("user"), start("assistant"), start("system")), after=_roles(end, end, end))


def _deepseek(system: Literal["fold", "lead"], *, think: bool) -> ChatFormat:
    return ChatFormat(
        before=_roles((_mark("<｜User｜>"),), (_mark("<｜Assistant｜>"),)),
        after=_roles((), (_mark("<｜end▁of▁sentence｜>"),)),
        system=system,
        reasons=think,
    )


_R1 = _deepseek("fold", think=True)

_DEEPSEEK_CODER = ChatFormat(
    before=_roles((_content("### Instruction:\n"),), (_content("### Response:\n"),)),
    after=_roles((_content("\n"),), (_content("\n"), _mark("<|EOT|>"), _content("\n")), (_content("\n"),)),
    system="lead",
    default_system=(
        "You are an AI programming assistant, utilizing the Deepseek Coder model, developed by Deepseek Company, "
        "and you only answer questions related to computer science."
    ),
)

_DEEPSEEK_V2 = ChatFormat(
    before=_roles((_content("User: "),), (_content("Assistant:"),)),
    after=_roles((_content("\n\n"),), (_mark("<｜end▁of▁sentence｜>"),), (_content("\n\n"),)),
    system="lead",
)

# Sources: `chat_template` in each maker's tokenizer_config.json, default system texts included.
_FORMATS: Mapping[str, ChatFormat] = {
    "deepseek-r1": _R1,
    "r1-distill-qwen": _R1,
    "r1-distill-llama": _R1,
    "r1-0528-qwen3": _R1,
    "deepseek-v3": _deepseek("lead", think=False),
    "deepseek-v2": _DEEPSEEK_V2,
    "deepseek-coder-v2": _DEEPSEEK_V2,
    "deepseek-coder": _DEEPSEEK_CODER,
    "smollm2": _chatml("You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
    "qwen2.5": _chatml("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
    "qwen2.5-coder": _chatml("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
    "qwen3": _chatml(think=True),
    "qwen3-coder": _chatml(),
    "chatml": _chatml(),
    "llama3": _llama3(),
}

_STOPS: Mapping[str, tuple[str, ...]] = {
    "deepseek-coder": ("<|EOT|>", "### Instruction:"),
    "deepseek-coder-v2": ("\n\nUser:",),
    "deepseek-v2": ("\n\nUser:",),
}
