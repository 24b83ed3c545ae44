"""Words that look alike."""

from collections.abc import Sequence


def near(one: bytes, other: bytes) -> bool:
    """Whether one could be a misspelling of the other: a short word one letter away, a long one two."""
    if one == other or not word_like(other[:1]):
        return False
    if one.lower() == other.lower():
        return True
    shorter = min(len(one), len(other))
    return shorter >= 2 and distance(one, other) <= (1 if shorter < 5 else 2)


def distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Damerau and Levenshtein's distance, neighbours swapped counting one; 3 for more than two."""
    if abs(len(one) - len(other)) > 2:
        return 3
    previous: list[int] = []
    current = list(range(len(other) + 1))
    for row, left in enumerate(one, 1):
        before, previous, current = previous, current, [row, *[0] * len(other)]
        for column, right in enumerate(other, 1):
            cost = previous[column - 1] + (left != right)
            current[column] = min(cost, previous[column] + 1, current[column - 1] + 1)
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                current[column] = min(current[column], before[column - 2] + 1)
    return min(current[-1], 3)


def word_like(text: bytes) -> bool:
    """Whether characters can all be part of a word."""
    return bool(text) and all(byte >= 128 or chr(byte).isalnum() or byte == ord("_") for byte in text)
