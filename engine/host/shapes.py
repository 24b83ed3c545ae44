"""The answers' shapes: OpenAI's, with our finish reasons, and llama.cpp's `timings` beside `usage`."""

import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.types import Chunk, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How one answer is written. Chat parts reasoning (`reasoning_content`, DeepSeek's name) from content."""

    kind: Literal["text", "chat"]
    model: str
    id: str = field(default_factory=lambda: f"r1-{uuid.uuid4().hex[:16]}")
    created: int = field(default_factory=lambda: int(time.time()))

    def piece(self, chunk: Chunk) -> dict[str, Any]:
        """One event of a stream; the last one carries usage and timings."""
        body = self._head("chat.completion.chunk" if self.kind == "chat" else "text_completion")
        said: dict[str, Any]
        if self.kind == "chat":
            delta = {"content": chunk.text, "reasoning_content": chunk.thinking}
            said = {"delta": {key: text for key, text in delta.items() if text}}
        else:
            said = {"text": chunk.text}
        body["choices"] = [{"index": chunk.index, **said, "finish_reason": chunk.finish, **_score(chunk)}]
        if chunk.usage is not None:
            body |= _counts(chunk.usage)
        return body

    def whole(self, chunks: Iterable[Chunk], n: int) -> dict[str, Any]:
        """The answer in one piece. `content` (the first candidate) is llama.cpp's, for its infill clients."""
        choices = [self._choice(index) for index in range(n)]
        body = self._head("chat.completion" if self.kind == "chat" else "text_completion")
        for chunk in chunks:
            choice = choices[chunk.index]
            if self.kind == "chat":
                choice["message"]["content"] += chunk.text
                choice["message"]["reasoning_content"] += chunk.thinking
            else:
                choice["text"] += chunk.text
            choice["finish_reason"] = chunk.finish or choice["finish_reason"]
            choice.update(_score(chunk))
            if chunk.usage is not None:
                body |= _counts(chunk.usage)
        if self.kind == "text":
            body["content"] = choices[0]["text"]
        return body | {"choices": choices}

    def _head(self, name: str) -> dict[str, Any]:
        return {"id": self.id, "object": name, "created": self.created, "model": self.model}

    def _choice(self, index: int) -> dict[str, Any]:
        choice: dict[str, Any] = {"index": index, "finish_reason": None}
        if self.kind == "chat":
            return choice | {"message": {"role": "assistant", "content": "", "reasoning_content": ""}}
        return choice | {"text": ""}


def _score(chunk: Chunk) -> dict[str, float]:
    return {} if chunk.score is None else {"score": chunk.score}


def _counts(usage: Usage) -> dict[str, Any]:
    return {
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "total_tokens": usage.prompt_tokens + usage.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        },
        "timings": {
            "prefill_s": usage.prefill_s,
            "decode_s": usage.decode_s,
            "cache_n": usage.cached_tokens,
            "prompt_n": usage.prompt_tokens - usage.cached_tokens,
            "prompt_ms": usage.prefill_s * 1e3,
            "predicted_n": usage.completion_tokens,
            "predicted_ms": usage.decode_s * 1e3,
        },
    }
