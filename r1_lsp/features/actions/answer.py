"""A model's answer -> the code in it. Strict: what is not exactly one closed code block is turned down."""

import re

from r1_lsp.features.ask import Answer
from r1_lsp.features.errors import Unfit

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[^\n`]*$", re.MULTILINE)


def code_in(answer: Answer, *, opened: bool, think_tokens: int) -> str:
    """The code of an answer. `opened`: we opened the block ourselves, and its end ended the answer.

    Raises Unfit with the reason.
    """
    if answer.cut and not answer.text.strip():
        if answer.thought:
            raise Unfit(f"the model spent its {think_tokens} tokens of reasoning and gave no answer")
        raise Unfit("the model gave no answer")
    text = answer.text.replace("\r\n", "\n")
    fences = list(_FENCE.finditer(text))
    if answer.cut and len(fences) % 2:
        raise Unfit("the model's answer broke off")
    if opened and len(fences) == 1:
        return text[fences[0].end() + 1 :].rstrip()
    if not fences:
        raise Unfit("the model's answer held no code block")
    if len(fences) != 2:
        raise Unfit("the model's answer held more than one code block")
    return text[fences[0].end() + 1 : fences[1].start()].rstrip()
