"""Words of the language with a slip of the finger in them."""

from functools import cache

from ast_tools.languages import Language
from ast_tools.spelling import distance


def is_slip(language: Language, word: bytes) -> bool:
    """Whether a word is no keyword but one letter lost, added, changed or swapped with its neighbour makes it one.

    That is the optimal string alignment distance of 1, found without comparing with every keyword.
    """
    text = word.decode("utf-8", "replace")
    if text in language.keywords or not 2 <= len(text) <= _LONGEST:
        return False
    swapped = {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(text) - 1)}
    if not swapped.isdisjoint(language.keywords) or not _without_one(text).isdisjoint(language.keywords):
        return True
    return not _one_open(text).isdisjoint(_near(language.keywords)) or text in _near(language.keywords)


def corrections(language: Language, word: bytes) -> tuple[str, ...]:
    """The keywords that a slip makes of a word, in alphabetical order; none for a keyword."""
    if not is_slip(language, word):
        return ()
    text = word.decode("utf-8", "replace")
    near = [one for one in language.keywords if abs(len(one) - len(text)) <= 1]
    return tuple(sorted(one for one in near if distance(one, text) == 1))


_LONGEST = 24
"""Letters; no language has a longer keyword."""


@cache
def _near(keywords: frozenset[str]) -> frozenset[str]:
    """All keywords with one letter lost, and with one letter left open."""
    return frozenset(form for word in keywords if len(word) > 1 for form in _without_one(word) | _one_open(word))


def _without_one(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def _one_open(word: str) -> set[str]:
    return {word[:at] + "\0" + word[at + 1 :] for at in range(len(word))}
