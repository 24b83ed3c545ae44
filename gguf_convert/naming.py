"""What the name of a model says: DeepSeek-R1-Distill-Qwen-7B is a 7B distill on Qwen of DeepSeek R1.

The same reading as llama.cpp's converter (gguf-py, metadata.py), so that `general.*` comes out the same.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_VERSION = re.compile(r"(v|iter)?\d+([.]\d+)*", re.IGNORECASE)
_STORAGE = re.compile(r"i?q\d(_\w)*|b?fp?(16|32)", re.IGNORECASE)
_SIZE = re.compile(r"((A|\d+x)?\d+([._]\d+)?[KMBT]\d?|small|mini|medium|large|x?xl)", re.IGNORECASE)
_TUNED = re.compile(r"chat|instruct|vision|lora", re.IGNORECASE)
_KEPT_IN_TITLES = re.compile(r"(v\d+(?:\.\d+)*|\d.*)$")
_SCALES = " KMBT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelName:
    """A name taken apart. `name` is the whole of it as a title."""

    name: str
    organization: str | None = None
    basename: str | None = None
    finetune: str | None = None
    version: str | None = None
    size_label: str | None = None


@dataclass(slots=True)
class _Part:
    text: str
    kinds: set[str] = field(default_factory=set)


def read_name(model_id: str, parameters: int) -> ModelName:
    """Takes `organization/name` or `name` apart. `parameters` is the size of the model, to tell sizes from contexts."""
    if " " in model_id:
        return ModelName(name=title(model_id))
    before, slash, after = model_id.partition("/")
    organization, name = (before, after) if slash else ("", model_id)
    parts = [_part(index, text, parameters) for index, text in enumerate(filter(None, name.split("-")))]
    _numbers_before_words(parts)
    _mark_basename(parts)
    size = "-".join(dict.fromkeys(part.text for part in parts if "size" in part.kinds)) or None
    finetune = _joined(part for part in parts if "finetune" in part.kinds)
    version = _joined(part for part in parts if "version" in part.kinds and "basename" not in part.kinds)
    basename = _joined(part for part in parts if "basename" in part.kinds)
    return ModelName(
        name=title(name),
        organization=title(organization) if organization and not organization.startswith(".") else None,
        basename=basename if size or finetune or version else None,  # a name of one piece says nothing
        finetune=finetune,
        version=version,
        size_label=size,
    )


def title(name: str) -> str:
    """`llama-3-instruct` as `Llama 3 Instruct`; words that have capitals keep their own."""
    words = name.strip().replace("-", " ").split()
    return " ".join(w.title() if w.islower() and not _KEPT_IN_TITLES.match(w) else w for w in words)


def size_label(total: int, shared: int, per_expert: int, experts: int) -> str:
    """`7.6B`, or `256x20B` for a mixture: parameters of one expert path, in the shortest form of two digits."""
    return f"{experts}x{_rounded(shared + per_expert)}" if experts else _rounded(total)


def _part(index: int, text: str, parameters: int) -> _Part:
    if _VERSION.fullmatch(text):
        return _Part(text, {"version"})
    if _STORAGE.fullmatch(text):
        return _Part(text.upper(), {"type"})
    if index > 0 and _SIZE.fullmatch(text):
        return _sized(_normal_size(text), parameters)
    if index > 0 and _TUNED.fullmatch(text):
        return _Part(text, {"finetune"})
    return _Part(text)


def _normal_size(text: str) -> str:
    text = text.replace("_", ".")
    if text[-1].isdecimal():  # bloom-7b1
        text = f"{text[:-2]}.{text[-1]}{text[-2]}"
    return text[:-1] + text[-1].upper() if text[-2].isdecimal() and text[-1] in "kmbt" else text


def _sized(text: str, parameters: int) -> _Part:
    """A size far from the model's own is the length of a context: Yarn-Llama-2-7b-128k."""
    try:
        said = float(text[:-1]) * 1000 ** _SCALES.find(text[-1])
    except ValueError:
        return _Part(text, {"size"})
    if parameters and abs(said - parameters) > 7 * parameters // 8:
        return _Part(text[:-1] + text[-1].lower(), {"finetune"})
    return _Part(text, {"size"})


def _numbers_before_words(parts: Sequence[_Part]) -> None:
    """A word is a size only where no number is one."""
    sizes = [part for part in parts if "size" in part.kinds]
    if any(char.isdecimal() for part in sizes for char in part.text):
        for part in sizes:
            if part.text.isalpha():
                part.kinds.discard("size")


def _mark_basename(parts: Sequence[_Part]) -> None:
    """The basename is what comes before the first part that says something else, without versions at its end."""
    at_start = True
    for part in parts:
        at_start = at_start and ("version" in part.kinds or (not part.kinds and part.text[0].isalpha()))
        if at_start:
            part.kinds.add("basename")
        elif not part.kinds:
            part.kinds.add("finetune")
    for part in reversed(parts):
        if not ("basename" in part.kinds and len(part.kinds) > 1):
            break
        part.kinds.discard("basename")


def _joined(parts: Iterable[_Part]) -> str | None:
    return "-".join(part.text for part in parts) or None


def _rounded(count: int) -> str:
    scale, suffix = next(
        ((scale, suffix) for scale, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")) if count > scale), (1e3, "K")
    )
    scaled = count * (1 / scale)
    digits = max(2 - len(str(round(scaled)).lstrip("0")), 0)
    return f"{scaled:.{digits}f}{suffix}"
