"""A model's answer -> the code in it. Strict: what is not exactly one closed code block is turned down."""

import re

from r1_lsp.features.ask import Answer
from r1_lsp.features.errors import Unfit

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*$", re.MULTILINE)


def code_in(answer: Answer, think_tokens: int) -> str:
    """The code of an answer. Where we opened the block ourselves, its end has ended the answer.

    `think_tokens` is the bound on reasoning that was set. Raises Unfit with the reason.
    """
    text = answer.text.replace("\r\n", "\n")
    if not text.strip():
        spent = f" after reasoning within its {think_tokens} tokens" if answer.thought else ""
        raise Unfit(f"the model gave no answer{spent}")
    fences = list(_FENCE.finditer(text))
    if answer.cut and len(fences) % 2:
        raise Unfit("the model's answer broke off")
    if answer.opening and len(fences) == 1:
        return text[fences[0].end() + 1 :].rstrip()
    if not fences:
        raise Unfit("the model's answer held no code block")
    if len(fences) != 2:
        raise Unfit("the model's answer held more than one code block")
    return text[fences[0].end() + 1 : fences[1].start()].rstrip()
