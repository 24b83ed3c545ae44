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
_ECHO = (
    "short phrase",
    "one sentence",
    "what it is",
    "what the function does",
    "fill in",
    "no code",
    "as an ai",
    "when it happens",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """Every phrase a docstring needs, none missing; params and raises by bare name."""

    summary: str
    params: Mapping[str, str] = field(default_factory=dict)
    returns: str = ""
    yields: str = ""
    raises: Mapping[str, str] = field(default_factory=dict)


def form(facts: Facts) -> str:
    """The form as the prompt shows it, one line a slot."""
    lines = ["Summary: what the function does, one sentence"]
    lines += [f"Parameter {param.name}: what it is, a short phrase" for param in facts.params]
    lines += ["Returns: what it is, a short phrase"] if facts.returns else []
    lines += ["Yields: what it is, a short phrase"] if facts.yields else []
    lines += [f"Raises {name}: when it happens" for name in facts.raises]
    return "\n".join(lines)


def filled(answer: str, facts: Facts) -> Prose:
    """The form as the model filled it; a slot that is missing or makes no sense gets a plain phrase from the name.

    Never fails and never names anything the facts do not hold.
    """
    said = _usable(answer)
    return Prose(
        summary=said.get("summary") or phrases.summary(facts),
        params={param.name: _of_parameter(param.name, said) or phrases.parameter(param) for param in facts.params},
        returns=(said.get("returns") or phrases.returned(facts)) if facts.returns else "",
        yields=(said.get("yields") or phrases.yielded(facts)) if facts.yields else "",
        raises={name: said.get(f"raises {name.lower()}") or phrases.raised(name) for name in facts.raises},
    )


def sensible(text: str) -> str:
    """The first sentence of what a model said, tidied; "" when it is too long, code, repeated or not words."""
    text = _END.split(" ".join(text.replace("`", "").replace("**", "").split()))[0].strip(" \"'-")
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


def _of_parameter(name: str, said: Mapping[str, str]) -> str:
    """Models drop the word "Parameter"; where the bare name is a label of the form itself, they may not."""
    bare = name.lower()
    return said.get(f"parameter {bare}") or (said.get(bare, "") if bare not in _LABELS else "")


def _repeats(text: str) -> bool:
    """A word three times in a row, or the same three words twice."""
    said = re.findall(r"\w+", text.lower())
    triples = [tuple(said[at : at + 3]) for at in range(len(said) - 2)]
    return len(set(triples)) < len(triples) or any(len(set(triple)) == 1 for triple in triples)
