"""Words that enclose statements (`do` ... `end`, `if` ... `fi`): which have no other half."""

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from ast_tools.languages import Language
from ast_tools.languages.record import Words
from ast_tools.lexer import Token


def unmatched_words(language: Language, found: list[Token]) -> tuple[list[Token], list[Token]]:
    """(closing words without an opener, openers without a closing word), in the order of the text."""
    state = _State(found)
    for number, token in enumerate(found):
        if token.kind == "newline":
            state.fresh = True
            state.swallow = [waits for waits in state.swallow if not waits.pair.same_line]
        elif token.kind != "comment":
            if token.kind == "word" and not _is_name(found, number):
                _word(language, state, number)
            state.fresh = False
            state.before = token
    return state.closers, [waits.token for waits in state.stack]


@dataclass(frozen=True, slots=True)
class _Waits:
    token: Token
    pair: Words


@dataclass(slots=True)
class _State:
    """What is open while the words are read. `swallow`: openers whose own `do` may still come."""

    found: list[Token]
    stack: list[_Waits] = field(default_factory=list)
    closers: list[Token] = field(default_factory=list)
    swallow: list[_Waits] = field(default_factory=list)
    fresh: bool = True
    before: Token | None = None


def _word(language: Language, state: _State, number: int) -> None:
    token = state.found[number]
    word = token.text.decode("utf-8", "replace")
    for pair in language.pairs:
        if word in pair.openers and _opens(pair, word, state):
            if word == pair.swallowed[1] and state.swallow:
                state.swallow.pop()
            elif not _excepted(pair, state.found, number):
                state.stack.append(_Waits(token, pair))
                if word in pair.swallowed[0]:
                    state.swallow.append(state.stack[-1])
            return
    if any(word == pair.closer for pair in language.pairs):
        if state.stack and state.stack[-1].pair.closer == word:
            gone = state.stack.pop()
            state.swallow = [waits for waits in state.swallow if waits is not gone]
        else:
            state.closers.append(token)


def _opens(pair: Words, word: str, state: _State) -> bool:
    """Whether the word stands where it opens: for some only where a statement begins."""
    before = state.before
    if word not in pair.leading or state.fresh or before is None or before.kind in ("op", "open"):
        return True
    return before.kind == "word" and before.text.decode("utf-8", "replace") in pair.after


def _is_name(found: list[Token], number: int) -> bool:
    """Whether a word is a member, a key or a symbol that happens to be spelt like a word of the language."""
    token = found[number]
    before = found[number - 1] if number else None
    after = found[number + 1] if number + 1 < len(found) else None
    if before is not None and before.end == token.start and before.text in (b".", b":", b"&.", b"?.", b"::", b"-"):
        return True
    if before is not None and before.text == b"def":
        return True
    return after is not None and after.start == token.end and after.text in (b":", b"-", b"=")


def _excepted(pair: Words, found: list[Token], number: int) -> bool:
    if not pair.except_:
        return False
    ahead = found[number : number + 40]
    line = b"".join(
        one.text if one.end == other.start else one.text + b" " for one, other in pairwise([*ahead, ahead[-1]])
    )
    return _exception(pair.except_).match(line) is not None


@cache
def _exception(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())
