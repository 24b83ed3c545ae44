"""Plain phrases made from names alone: what stands in a docstring where the model has nothing usable to say."""

import re

from r1_lsp.features.docstring.facts import Facts, Named

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+")
_WHOLE = {"args": "Further positional arguments.", "kwargs": "Further keyword arguments."}
_SPELLED = {
    "n": "number", "num": "number", "idx": "index", "msg": "message", "ctx": "context", "cfg": "configuration",
    "cb": "callback", "fn": "function", "func": "function", "src": "source", "dst": "destination", "tmp": "temporary",
    "arr": "array", "str": "string", "val": "value", "len": "length", "pos": "position", "dir": "directory",
    "opts": "options", "params": "parameters", "req": "request", "res": "response", "err": "error", "evt": "event",
}  # fmt: skip
_YES_NO = frozenset({"is", "has", "should", "can", "use", "allow", "enable"})
_RAISED = {
    "value": "If a value is not acceptable.",
    "type": "If a value has the wrong type.",
    "key": "If a key is missing.",
    "not implemented": "If this is not implemented.",
}
_ACTIONS = {"get": "Return", "fetch": "Fetch", "set": "Set", "make": "Make", "on": "Handle", "handle": "Handle"}


def words(name: str) -> list[str]:
    """The words of an identifier, in lower case except for abbreviations: `parseHTTPHeader` is parse HTTP header."""
    found = [word if word.isupper() and len(word) > 1 else word.lower() for word in _WORD.findall(name)]
    return [_SPELLED.get(word, word) for word in found]


def summary(facts: Facts) -> str:
    """One sentence for a function, from its name."""
    if facts.owner:
        return f"Initialise the {facts.owner}."
    if facts.name == "default":
        return "The default export of this module."
    said = words(facts.name)
    if not said:
        return f"The function {facts.name}."
    if facts.attribute:
        return f"The {' '.join(said)}."
    if said[0] in _YES_NO and len(said) > 1:
        return f"Tell whether it {said[0]} {' '.join(said[1:])}."
    first = _ACTIONS.get(said[0]) if len(said) > 1 else None
    rest = said[1:] if first else said
    return sentence(f"{first} the {' '.join(rest)}" if first else " ".join(rest))


def parameter(param: Named) -> str:
    """One phrase for a parameter, from its name."""
    if param.stars and param.name in _WHOLE:
        return _WHOLE[param.name]
    said = words(param.name.rpartition(".")[2])
    if not said:
        return "The value to use."
    if said[0] in _YES_NO and len(said) > 1:
        return f"Whether it {said[0]} {' '.join(said[1:])}."
    if param.type in ("bool", "boolean") or param.guess == "boolean":
        return f"Turns {' '.join(said)} on or off."
    if said[0] == "number" and len(said) > 1:
        return f"The number of {' '.join(said[1:])}."
    return f"The {' '.join(said)}."


def returned(facts: Facts) -> str:
    """One phrase for what comes back."""
    said = words(facts.name)
    if facts.return_type in ("bool", "boolean"):
        return "Whether it is so."
    if said and said[0] in _ACTIONS and len(said) > 1:
        return f"The {' '.join(said[1:])}."
    return "The result."


def yielded(facts: Facts) -> str:
    """One phrase for what a generator gives."""
    said = words(facts.name)
    return f"The next of the {' '.join(said[1:])}." if len(said) > 1 and said[-1].endswith("s") else "The next item."


def raised(name: str) -> str:
    """One phrase for an exception, from its name: `ValueError` is "If a value is not acceptable."."""
    said = [word for word in words(name.rpartition(".")[2]) if word.lower() not in ("error", "exception")]
    if not said:
        return "If the call fails."
    return _RAISED.get(" ".join(said), f"On {' '.join(said)}.")


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    return (text[:1].upper() + text[1:]).rstrip(".:;, ") + "." if text else ""
