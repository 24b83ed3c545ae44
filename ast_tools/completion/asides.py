"""Leaves out what a completion says besides code: comments before it or after it, and repetitions."""

from ast_tools.completion.brackets import ASIDE, read
from ast_tools.completion.site import Site


def without_preamble(text: str, here: Site) -> str:
    """Without blank lines and lines of comment that come before a statement: a single line has no room for them."""
    language = here.language
    if language is None or not here.spot.blank_before or here.prose:
        return text
    data = text.encode("utf-8", "replace")
    first = next((token.start for token in read(language, data) if token.kind not in ASIDE), len(data))
    return data[data.rfind(b"\n", 0, first) + 1 :].decode() if first < len(data) else ""


def without_last_comments(text: str, here: Site) -> str:
    """Without lines of comment at the end, about code that did not come."""
    if here.language is None or here.prose:
        return text
    data = text.encode("utf-8", "replace")
    last = next((token for token in reversed(read(here.language, data)) if token.kind not in ASIDE), None)
    line_end = data.find(b"\n", last.end) if last is not None else -1
    return data[:line_end].decode() if line_end >= 0 else text


def said_once(text: str, here: Site) -> str:
    """What a model said before it began to repeat itself.

    Without last lines that only repeat the line before them, and without a last line that ends inside a comment or a
    string: said once, that is no sentence either.
    """
    kept = text.rpartition("\n")[0] if _ends_inside(text, here) else text
    lines = kept.rstrip().split("\n")
    while len(lines) > 1 and lines[-1].strip() and lines[-2].strip().endswith(lines[-1].strip()):
        lines.pop()
    return "\n".join(lines)


def _ends_inside(text: str, here: Site) -> bool:
    if here.prose or here.language is None:
        return here.prose
    found = read(here.language, text.encode("utf-8", "replace"))
    return bool(found) and found[-1].kind in ("comment", "unclosed") and bool(text.rpartition("\n")[2].strip())
