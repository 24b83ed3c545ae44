"""From the gathered parts to the prompt: what changes least stands first, the cursor's line last."""

from dataclasses import dataclass

from engine.types import InfillPrompt, ModelInfo, TextPrompt
from r1_lsp.features.completion.gather import Gathered


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A prompt, and `lead`: the blank that it leaves out at its end and the model is to say first."""

    prompt: InfillPrompt | TextPrompt
    lead: str = ""


def render(gathered: Gathered, info: ModelInfo) -> Rendered:
    """An infill prompt for a model that can infill, else the text before the cursor for any model to go on with.

    Byte-pair vocabularies hold words with the blank before them, so a prompt that ends in a blank asks for the rest of
    a token the model has hardly ever seen cut there: that one blank is left for the model to say (of indentation too).
    """
    lead = " " if gathered.line.endswith(" ") else ""
    line = gathered.line.removesuffix(" ")
    if info.can_infill:
        prompt = InfillPrompt(context=gathered.context, prefix=gathered.before, middle=line, suffix=gathered.after)
        return Rendered(prompt=prompt, lead=lead)
    return Rendered(prompt=TextPrompt(text=gathered.context + gathered.before + line), lead=lead)
