"""Requests as our own host wants them: which route, and the JSON body."""

from typing import Any

from engine.types import ChatPrompt, GenerateRequest, InfillPrompt, Prompt, TextPrompt


def for_host(request: GenerateRequest) -> tuple[str, dict[str, Any]]:
    """The route and the body of a streamed request to our host."""
    own: dict[str, Any] = {
        "lane": str(request.lane),
        "session": request.session,
        "time_budget_s": request.time_budget_s,
        "choices": list(request.choices),
    }
    body: dict[str, Any] = {
        "max_tokens": request.max_tokens,
        "stop": list(request.stop),
        "n": request.n,
        "stream": True,
        **sampling(request),
        "r1": {key: value for key, value in own.items() if value not in (None, "", [])},
    }
    return _with_prompt(request.prompt, request.think_budget, body)


def _with_prompt(prompt: Prompt, think_budget: int | None, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    match prompt:
        case TextPrompt(text=text):
            return "/v1/completions", {**body, "prompt": text}
        case InfillPrompt():
            extra = [{"filename": "context", "text": prompt.context}] if prompt.context else []
            n_predict = {"n_predict": body.pop("max_tokens"), "input_extra": extra}
            return "/infill", {**body, **n_predict, **infill(prompt)}
        case ChatPrompt():
            own = dict(body["r1"])
            if think_budget is not None:
                own["think_budget"] = think_budget
            if prompt.prefill:
                own["prefill"] = prompt.prefill
            return "/v1/chat/completions", {**body, "messages": messages(prompt), "r1": own}


def infill(prompt: InfillPrompt) -> dict[str, Any]:
    """The prompt's part of a body for /infill, in llama.cpp's words, without the context."""
    return {"input_prefix": prompt.prefix, "input_suffix": prompt.suffix, "prompt": prompt.middle}


def messages(prompt: ChatPrompt) -> list[dict[str, Any]]:
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def sampling(request: GenerateRequest) -> dict[str, Any]:
    """All sampling fields; remote servers get fewer (see `engine.remote`)."""
    how = request.sampling
    return {
        "temperature": how.temperature,
        "top_p": how.top_p,
        "top_k": how.top_k,
        "min_p": how.min_p,
        "seed": how.seed,
    }
