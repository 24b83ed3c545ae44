"""Closes what a completion opened."""

from collections import Counter
from collections.abc import Iterator

from ast_tools.completion.brackets import Brackets, closer_of
from ast_tools.completion.indent import lead
from ast_tools.completion.site import Site
from ast_tools.lexer import PARTNER, tokens
from ast_tools.wordpairs import unmatched_words


def closed(text: str, here: Site) -> Iterator[str]:
    """The text with what it opened closed at its end; then with what its line had opened before it, too."""
    for before in dict.fromkeys(("", here.spot.before)):
        whole = (before + text).encode("utf-8", "replace")
        missing = sorted(_missing(whole, here), reverse=True)
        # Right after these, something else is missing than a bracket.
        if missing and not (missing[0][1] == ")" and text.rstrip().endswith((":", "=", "."))):
            yield text.rstrip() + "".join(_closer(whole, end, mark, here) for end, mark in missing)


def _missing(data: bytes, here: Site) -> Iterator[tuple[int, str]]:
    """(end of an opener, what would close it) of all that a text leaves open."""
    if here.language is None:
        return
    found = tokens(here.language, data)
    for opener in Brackets().then(found, len(data)).open:
        yield opener.end, PARTNER[opener.text].decode()
    if here.language.pairs:
        for word in unmatched_words(here.language, found)[1]:
            yield word.end, closer_of(here.language, word).decode()


def _closer(data: bytes, end: int, mark: str, here: Site) -> str:
    """What closes the opener that ends at `end`; that of a block goes on a line of its own, under the opener's line."""
    first, _, rest = data[end:].partition(b"\n")
    if mark in ")]" or (mark == "}" and first.strip() and not rest):
        return mark
    line_start = data.rfind(b"\n", 0, end) + 1
    indent = lead(data[line_start:end].decode("utf-8", "replace")) if line_start else here.spot.indent
    return f"\n{indent}{mark}"


def opens_for_good(text: str, here: Site) -> bool:
    """Whether a text opens what neither it nor, as far as that is free there, the text after the caret closes.

    Asked where the file was broken before: the tree does not show one error more among others.
    """
    language = here.language
    if language is None or here.prose:
        return False
    data = text.encode("utf-8", "replace")
    found = tokens(language, data)
    opened = Counter(token.text for token in Brackets().then(found, len(data)).open)
    if language.pairs:
        opened.update(closer_of(language, word) for word in unmatched_words(language, found)[1])
    return any(count > max(0, here.around.free[mark]) for mark, count in opened.items())
