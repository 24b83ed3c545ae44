"""What clients may send, checked by pydantic, and the one way from there to a `GenerateRequest`.

Accepted are OpenAI's fields, llama.cpp's names for the same things, and our own under `r1`. Fields that OpenAI's and
llama.cpp's clients send as a matter of course and that mean nothing here are ignored; any other unknown field is
refused, so that a mistake is seen. Grammars are refused always: bad ones kill llama.cpp.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import BadRequest, Unsupported
from engine.types import ChatPrompt, GenerateRequest, InfillPrompt, Lane, Message, Prompt, Sampling, TextPrompt

MAX_CANDIDATES = 8
MAX_TOKENS = 1 << 20

_IGNORED = frozenset({
    "model", "user", "echo", "best_of", "logprobs", "top_logprobs", "presence_penalty", "frequency_penalty",
    "logit_bias", "stream_options", "store", "metadata", "service_tier", "parallel_tool_calls", "tool_choice",
    "reasoning_effort", "safety_identifier", "prompt_cache_key", "cache_prompt", "id_slot", "samplers",
    "t_max_prompt_ms", "t_max_predict_ms", "n_indent", "n_keep", "n_cache_reuse", "response_fields", "repeat_penalty",
    "repeat_last_n", "penalize_nl", "typical_p", "mirostat", "mirostat_tau", "mirostat_eta", "n_probs", "min_keep",
    "timings_per_token", "lora", "dry_multiplier", "dry_base", "dry_allowed_length", "dry_penalty_last_n",
    "xtc_probability", "xtc_threshold", "dynatemp_range", "dynatemp_exponent", "return_tokens", "post_sampling_probs",
    "return_progress",
})  # fmt: skip
_REFUSED = frozenset({"grammar", "json_schema", "grammar_lazy", "tools", "functions", "suffix"})

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
StopText = Annotated[str, Field(max_length=256)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Extras(_Strict):
    """Our own fields, the same for all routes."""

    lane: Annotated[Lane, Field(strict=False)] = Lane.TYPING
    session: Annotated[str, Field(max_length=256)] = ""
    time_budget_s: Amount | None = None
    think_budget: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = None
    prefill: str = ""
    choices: Annotated[tuple[str, ...], Field(max_length=MAX_CANDIDATES, strict=False)] = ()


class _Body(_Strict):
    """Fields of every route. `max_tokens` 0 only reads the prompt; -1 (llama.cpp) is as many as fit."""

    max_tokens: Annotated[int, Field(ge=-1, le=MAX_TOKENS)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=-1, le=MAX_TOKENS)] | None = None
    n_predict: Annotated[int, Field(ge=-1, le=MAX_TOKENS)] | None = None
    stop: StopText | Annotated[list[StopText], Field(max_length=32)] | None = None
    temperature: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] | None = None
    top_p: Share | None = None
    top_k: Annotated[int, Field(ge=-1, le=MAX_TOKENS)] | None = None
    min_p: Share | None = None
    seed: Annotated[int, Field(ge=-(1 << 63), lt=1 << 64)] | None = None
    n: Annotated[int, Field(ge=1, le=MAX_CANDIDATES)] | None = None
    stream: bool | None = None
    r1: Extras = Extras()

    @model_validator(mode="before")
    @classmethod
    def _known_fields(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        for name in _REFUSED & raw.keys():
            if raw[name]:
                raise Unsupported(f"this host has no {name}")
        wanted = raw.get("response_format")
        if wanted is not None and wanted != {"type": "text"}:
            raise Unsupported("this host answers in text only")
        return {key: value for key, value in raw.items() if key not in _IGNORED | _REFUSED | {"response_format"}}

    def request(self, prompt: Prompt, default: Sampling) -> GenerateRequest:
        """The request this body makes; `default` is how to sample when the body does not say."""
        given = next((n for n in (self.max_tokens, self.max_completion_tokens, self.n_predict) if n is not None), 128)
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return GenerateRequest(
            prompt=prompt,
            max_tokens=MAX_TOKENS if given < 0 else given,
            stop=tuple(text for text in stop if text),
            sampling=Sampling(
                temperature=default.temperature if self.temperature is None else self.temperature,
                top_p=default.top_p if self.top_p is None else self.top_p,
                top_k=default.top_k if self.top_k is None else max(self.top_k, 0),
                min_p=default.min_p if self.min_p is None else self.min_p,
                seed=self.seed or 0,
            ),
            n=self.n or 1,
            lane=self.r1.lane,
            session=self.r1.session,
            time_budget_s=self.r1.time_budget_s,
            think_budget=self.r1.think_budget,
            choices=self.r1.choices,
        )


class CompletionBody(_Body):
    prompt: str

    def rendered(self) -> Prompt:
        return TextPrompt(text=self.prompt)


class OtherCode(_Strict):
    filename: str = ""
    text: str
    time: Any = None


class InfillBody(_Body):
    """`prompt` stands after the middle marker: the cursor's line up to the cursor."""

    input_prefix: str = ""
    input_suffix: str = ""
    input_extra: Annotated[list[OtherCode], Field(max_length=1024)] = []
    prompt: str = ""

    def rendered(self) -> Prompt:
        context = "".join(extra.text for extra in self.input_extra)
        return InfillPrompt(prefix=self.input_prefix, suffix=self.input_suffix, middle=self.prompt, context=context)


class _TextPart(_Strict):
    type: Literal["text"]
    text: str


class _MessageBody(BaseModel):
    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True
    )  # clients send earlier answers back as they came

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_TextPart] | None = None

    def message(self) -> Message:
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content or ())
        return Message(role="system" if self.role == "developer" else self.role, content=text)


class ChatBody(_Body):
    messages: Annotated[list[_MessageBody], Field(min_length=1, max_length=4096)]

    def rendered(self) -> Prompt:
        return ChatPrompt(messages=tuple(body.message() for body in self.messages), prefill=self.r1.prefill)


class TokenizeBody(_Strict):
    content: str


Body = TypeVar("Body", bound=BaseModel)


def parse(kind: type[Body], raw: bytes) -> Body:
    """Reads a JSON body. Raises BadRequest with one sentence: where and what."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadRequest(f"the request's {where or 'body'}: {first['msg']}") from exc
