"""The model's share of a docstring: short phrases on a form. Whatever does not read like one is refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from r1_lsp.features.docstring import phrases
from r1_lsp.features.docstring.facts import Facts
from r1_lsp.features.plain_text import hostile

_LONGEST = 160
_SLOT = re.compile(
    r"[ \t]*(?:[-*\d.]+[ \t]+)?[*_`]*(?P<label>[*\w.$ ]+?)[*_`]*[ \t]*(?:\([^()]*\))?"
    r"[*_`]*[ \t]*:[*_`]*[ \t]*(?P<text>.*)"
)
_CODE = re.compile(
    r"```|[{}<>;\\\[\]]|[=!]=|\w=\w|=>|->|\w\(\w*[,)]|\b(?:def|class|return|import|const|let|var|function)\s*[\w(]*\s*[(:=]"
    r'|"""|\'\'\'|\*/|/\*|https?:|@\w|!\['
)
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\u00c0-\uffff])")
_LABELS = frozenset({"summary", "returns", "yields", "raises"})
EXAMPLE = """def clamp(value, low, high):
    if low > high:
        raise ValueError(low)
    return max(low, min(value, high))"""
EXAMPLE_FORM = """Parameter value: the number to limit
Parameter low: the smallest result allowed
Parameter high: the largest result allowed
Returns: the number, or the end of the range next to it
Raises ValueError: if the range is empty"""
"""A form filled in, which every prompt begins with: a weak model copies its manner; its words are refused.

It has no summary, because a weak model would copy that whole.
"""
_WINDUP = re.compile(
    r"(?:this|the) (?:function|method) (?:(?:is (?:designed |used |meant )to|allows you to|will|is) )?", re.I
)

_ECHO = (
    "short phrase",
    "one sentence",
    "no code",
    "as an ai",
    "these labels",
    *(line.partition(": ")[2].rstrip(".").lower() for line in EXAMPLE_FORM.splitlines()),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Every phrase a docstring needs, none missing; params and raises by bare name."""

    summary: str
    params: Mapping[str, str] = field(default_factory=dict)
    returns: str = ""
    yields: str = ""
    raises: Mapping[str, str] = field(default_factory=dict)


def labels(facts: Facts) -> list[str]:
    """The labels of the form, in the order in which they are filled in."""
    found = ["Summary", *(f"Parameter {param.name}" for param in facts.params)]
    found += ["Returns"] if facts.returns else []
    found += ["Yields"] if facts.yields else []
    return found + [f"Raises {name}" for name in facts.raises]


def filled(answer: str, facts: Facts) -> Prose:
    """The form as the model filled it; a slot that is missing or makes no sense gets a plain phrase from the name.

    Never fails and never names anything the facts do not hold.
    """
    said = _usable(answer)

    def slot(label: str) -> str:
        return said.get(label.lower()) or _bare_label(label, said) or plain(label, facts)

    return Prose(
        summary=slot("Summary"),
        params={param.name: slot(f"Parameter {param.name}") for param in facts.params},
        returns=slot("Returns") if facts.returns else "",
        yields=slot("Yields") if facts.yields else "",
        raises={name: slot(f"Raises {name}") for name in facts.raises},
    )


def plain(label: str, facts: Facts) -> str:
    """A phrase for a slot without any model."""
    what, _, name = label.partition(" ")
    if what == "Parameter":
        return next(phrases.parameter(param) for param in facts.params if param.name == name)
    if what == "Raises":
        return phrases.raised(name)
    return {"Summary": phrases.summary, "Returns": phrases.returned, "Yields": phrases.yielded}[what](facts)


def phrase_of(text: str, lines: list[str], *, whole: bool) -> str:
    """What a model wrote behind one label, or "" when it is not usable; `lines` are those filled in before.

    `whole`: the line came to its end. Of a line that broke off only its whole sentences count.
    """
    if not whole:
        text = text[: max(text.rfind(". "), 0) + 1]
    said = sensible(text)
    return said if said not in [line.partition(": ")[2] for line in lines] else ""


def sensible(text: str) -> str:
    """The first sentence of what a model said, tidied; "" when it is too long, code, repeated or not words."""
    text = _END.split(" ".join(text.replace("`", "").replace("**", "").split()))[0].strip(" \"'-")
    text = _WINDUP.sub("", text, count=1) if _WINDUP.match(text) else text
    letters = sum(char.isalpha() or char == " " for char in text)
    if not text or len(text) > _LONGEST or letters < 0.8 * len(text) or _CODE.search(text) or hostile(text):
        return ""
    if any(echo in text.lower() for echo in _ECHO) or _repeats(text) or not any(map(str.isalpha, text)):
        return ""
    return phrases.sentence(text)


def _usable(answer: str) -> dict[str, str]:
    """Phrases by label in lower case. The same words in two slots say nothing of the second, which is left out."""
    found: dict[str, str] = {}
    for line in answer.splitlines():
        match = _SLOT.match(line)
        if match is None:
            continue
        label = " ".join(match["label"].lower().replace("*", " ").split())
        text = sensible(match["text"])
        if label == "raises" or not text or label in found or text in found.values():
            continue
        if text.rstrip(".").lower() == label or text.lower().startswith(label + ":"):
            continue
        found[label] = text
    return found


def _bare_label(label: str, said: Mapping[str, str]) -> str:
    """Models drop the word "Parameter"; where the bare name is a label of the form itself, they may not."""
    bare = label.removeprefix("Parameter ").lower()
    return said.get(bare, "") if bare not in _LABELS else ""


def _repeats(text: str) -> bool:
    """A word three times in a row, or the same three words twice."""
    said = re.findall(r"\w+", text.lower())
    triples = [tuple(said[at : at + 3]) for at in range(len(said) - 2)]
    return len(set(triples)) < len(triples) or any(len(set(triple)) == 1 for triple in triples)
