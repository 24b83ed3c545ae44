"""Whether a word is a word of the language with a slip of the finger in it."""

from functools import cache

from ast_tools.languages import Language


def is_slip(language: Language, word: bytes) -> bool:
    """Whether a word is no keyword but one letter lost, added, changed or swapped with its neighbour makes it one.

    That is the optimal string alignment distance of 1, found without comparing with every keyword.
    """
    text = word.decode("utf-8", "replace")
    if text in language.keywords or len(text) < 2:
        return False
    swapped = {text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(text) - 1)}
    if not swapped.isdisjoint(language.keywords) or not _without_one(text).isdisjoint(language.keywords):
        return True
    return not _one_open(text).isdisjoint(_near(language.keywords)) or text in _near(language.keywords)


@cache
def _near(keywords: frozenset[str]) -> frozenset[str]:
    """All keywords with one letter lost, and with one letter left open."""
    return frozenset(form for word in keywords if len(word) > 1 for form in _without_one(word) | _one_open(word))


def _without_one(word: str) -> set[str]:
    return {word[:at] + word[at + 1 :] for at in range(len(word))}


def _one_open(word: str) -> set[str]:
    return {word[:at] + "\0" + word[at + 1 :] for at in range(len(word))}
