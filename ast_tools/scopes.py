"""Where an offset stands: what kind of place, in which scopes, in which statement."""

import re
from dataclasses import dataclass
from enum import StrEnum

import tree_sitter

from ast_tools.grammar import matches
from ast_tools.languages import Language
from ast_tools.lexer import tokens
from ast_tools.tree import SyntaxTree
from ast_tools.wordpairs import unmatched_words


class Place(StrEnum):
    """What an offset stands in."""

    CODE = "code"
    COMMENT = "comment"
    STRING = "string"
    INSIDE_WORD = "inside_word"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A function, class, ... around an offset. `header` is the range up to its body, `body_start` where that begins."""

    kind: str
    name: str
    start: int
    end: int
    header: tuple[int, int]
    body_start: int


_WORD_BEFORE = re.compile(rb"[\w$\x80-\xff]\Z")
_WORD_AFTER = re.compile(rb"[\w$\x80-\xff]")


def place(tree: SyntaxTree | None, text: bytes, offset: int) -> Place:
    """What an offset stands in. Without a tree only words are told from code.

    The end of a line comment and of an unclosed string still belong to it; right after a closing quote is code.
    """
    kind = _literal_at(tree, offset) if tree is not None and tree.text == text else None
    if kind is not None:
        return kind
    if _WORD_AFTER.match(text, offset) and _WORD_BEFORE.search(text, max(0, offset - 1), offset):
        return Place.INSIDE_WORD
    return Place.CODE


def _literal_at(tree: SyntaxTree, offset: int) -> Place | None:
    language = tree.language
    for node in reversed(path_to(tree, max(0, offset - 1), offset)):
        if node.type in language.string_holes:
            return None
        if node.type in language.comments:
            return Place.COMMENT if _inside_comment(tree, node, offset) else None
        if node.type in language.strings and node.start_byte < offset < node.end_byte:
            return Place.STRING
    return None


def _inside_comment(tree: SyntaxTree, node: tree_sitter.Node, offset: int) -> bool:
    block = tree.language.block_comment
    closed = block is not None and tree.text[node.start_byte : node.end_byte].endswith(block[1].encode())
    return node.start_byte < offset and (offset < node.end_byte or not closed)


def path_to(tree: SyntaxTree, start: int, end: int) -> list[tree_sitter.Node]:
    """The nodes that contain [start, end), outermost first. Cost: the depth of the tree there.

    From above, because `Node.parent` costs the depth of the tree at each step.
    """
    found = []
    cursor = tree.root.walk()
    while True:
        node = cursor.node
        if node is None or node.start_byte > start or node.end_byte < end:
            break
        found.append(node)
        if not _enter(cursor, start, end):
            break
    return found


def _enter(cursor: tree_sitter.TreeCursor, start: int, end: int) -> bool:
    """Moves to the child that contains [start, end); at a border to the one that begins there, if it is not empty."""
    if not first_child_from(cursor, start):
        return False
    while (node := cursor.node) is not None and node.end_byte <= start and node.end_byte < end:
        if not cursor.goto_next_sibling():
            return False
    node = cursor.node
    return node is not None and node.start_byte <= start and node.end_byte >= end


def enclosing(tree: SyntaxTree, offset: int) -> tuple[Scope, ...]:
    """The scopes around an offset, outermost first.

    In languages with significant indentation a scope reaches on over the blank lines after it, as far as the
    offset's own column allows.
    """
    text = tree.text
    anchor = _anchor(tree.language, text, offset)
    found = []
    for captures in matches(tree.language.name, "scopes", tree.root, (max(0, anchor - 1), anchor + 1)):
        for capture, [node, *_] in captures.items():
            kind, _, role = capture.partition(".")
            if kind != "scope" or not node.start_byte <= anchor <= node.end_byte or node.start_byte == offset:
                continue
            found.append(_scope(tree.language, text, role, node, captures))
    found.sort(key=lambda scope: (scope.start, -scope.end))
    if tree.language.indent_based:
        column = offset - (text.rfind(b"\n", 0, offset) + 1)
        line = text[offset - column : offset]
        if not line.strip():
            found = [scope for scope in found if offset <= scope.end or _indent(text, scope.start) < column]
    return tuple(found)


def first_child_from(cursor: tree_sitter.TreeCursor, start: int) -> bool:
    """Moves to the first child that ends behind a byte; False, and stays, where there is none.

    tree-sitter's own search says None in some gaps between children: at the ends of lines that Go's grammar counts.
    """
    if cursor.goto_first_child_for_byte(start) is not None:
        return True
    if not cursor.goto_first_child():
        return False
    while (node := cursor.node) is not None and node.end_byte <= start:
        if not cursor.goto_next_sibling():
            cursor.goto_parent()
            return False
    return True


def scopes(tree: SyntaxTree) -> tuple[Scope, ...]:
    """All scopes of a text, outer before inner, in the order of the text."""
    found: dict[tuple[int, int, int], Scope] = {}
    for captures in matches(tree.language.name, "scopes", tree.root):
        for capture, [node, *_] in captures.items():
            kind, _, role = capture.partition(".")
            if kind == "scope":
                scope = _scope(tree.language, tree.text, role, node, captures)
                found.setdefault((scope.start, scope.end, scope.body_start), scope)
    return tuple(sorted(found.values(), key=lambda scope: (scope.start, -scope.end)))


def _anchor(language: Language, text: bytes, offset: int) -> int:
    """Where to ask the tree: on a blank line of an indented language, at the end of the code above."""
    line_start = text.rfind(b"\n", 0, offset) + 1
    if not language.indent_based or text[line_start:offset].strip():
        return offset
    line_end = text.find(b"\n", offset)
    if text[offset : line_end if line_end >= 0 else len(text)].strip():
        return offset
    return len(text[:line_start].rstrip())


def _scope(
    language: Language, text: bytes, kind: str, node: tree_sitter.Node, captures: dict[str, list[tree_sitter.Node]]
) -> Scope:
    name, body = captures.get("name"), captures.get("body")
    body_start = body[0].start_byte if body else node.end_byte
    ends = captures.get("header", name)
    bare_end = ends[0].end_byte if ends else node.end_byte
    return Scope(
        kind=kind,
        name=_text(text, name[0]) if name else "",
        start=node.start_byte,
        end=node.end_byte,
        header=(node.start_byte, header_end(language, text, body[0]) if body else bare_end),
        body_start=body_start,
    )


def header_end(language: Language, text: bytes, body: tree_sitter.Node) -> int:
    """Where the header before a body ends: after the last thing that is neither white space nor a comment."""
    end = body.start_byte
    for child in reversed(body.parent.children if body.parent is not None else ()):
        if child.end_byte > body.start_byte or child == body:
            continue
        if child.type not in language.comments:
            break
        end = child.start_byte
    return len(text[:end].rstrip())


def _text(text: bytes, node: tree_sitter.Node) -> str:
    return text[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _indent(text: bytes, offset: int) -> int:
    start = text.rfind(b"\n", 0, offset) + 1
    return len(text[start:offset]) - len(text[start:offset].lstrip())


def wants_multiline(tree: SyntaxTree | None, text: bytes, offset: int, language: Language | None = None) -> bool:
    """Whether the caret stands where a whole block is due: on an empty line at the start of an empty block."""
    language = tree.language if tree is not None else language
    if language is None or place(tree, text, offset) is not Place.CODE:
        return False
    line_start, line_end = text.rfind(b"\n", 0, offset) + 1, text.find(b"\n", offset)
    rest = text[offset : line_end if line_end >= 0 else len(text)].strip()
    if rest.strip(b")]};,"):
        return False
    head = text[line_start:offset].strip()
    if head:
        return (
            _opens_block(language, tree, text, offset)
            and not rest.strip(b"}")
            and _next_is_outside(text, offset, indent_width(text[line_start:offset]))
        )
    above = _above(tree, text, line_start)
    if above is None or not _opens_block(language, tree, text, above):
        return False
    header_line = text.rfind(b"\n", 0, above) + 1
    return _next_is_outside(text, offset + len(rest), _header_indent(text, header_line, above))


def _above(tree: SyntaxTree | None, text: bytes, line_start: int) -> int | None:
    """The end of the code above, comments and a docstring skipped."""
    end = len(text[:line_start].rstrip())
    for _ in range(50):
        if end == 0:
            return None
        if tree is None or tree.text != text:
            return end
        path = path_to(tree, end - 1, end)
        asides = (number for number in range(len(path) - 1, 0, -1) if _is_aside(tree.language, path[: number + 1]))
        number = next(asides, 0)
        if not number:
            return end
        node = path[number]
        start = node.start_byte
        if text[text.rfind(b"\n", 0, start) + 1 : start].strip():
            return end
        end = len(text[:start].rstrip())
    return end


def _is_aside(language: Language, path: list[tree_sitter.Node]) -> bool:
    """Whether the last node of a path is a comment, or a string that is a whole statement."""
    node = path[-1]
    if node.type in language.comments:
        return True
    if node.type not in language.strings or len(path) < 3:
        return False
    outer, body = path[-2], path[-3]
    return outer.byte_range == node.byte_range and (body.type in language.bodies or body.is_error)


def _opens_block(language: Language, tree: SyntaxTree | None, text: bytes, end: int) -> bool:
    end = len(text[:end].rstrip())
    if _opens_with_a_word(language, text, end):
        return True
    if not text[:end].endswith(language.block_opener.encode()) or language.block_opener[-1:].isalpha():
        return False
    if not language.indent_based:
        return text[max(0, end - 2) : end] != b"${"
    # A dictionary's or a slice's colon ends no header: the header begins with a word of the language.
    start = text.rfind(b"\n", 0, end) + 1
    for _ in range(50):
        line = text[start:end].lstrip()
        word = re.match(rb"[^\W\d]\w*", line)
        if word and word.group().decode("utf-8", "replace") in language.block_words:
            return True
        if start == 0 or line[:1] not in b")]}" or not line:
            return False
        start = text.rfind(b"\n", 0, _opener_line(text, start)) + 1
    return False


def _opens_with_a_word(language: Language, text: bytes, end: int) -> bool:
    """Whether a word on the line waits for another (`do` for `end`), or goes on with a block (`else`)."""
    if not language.pairs:
        return False
    found = [one for one in tokens(language, text, text.rfind(b"\n", 0, end) + 1, end) if one.kind != "comment"]
    first = found[0].text.decode("utf-8", "replace") if found else ""
    goes_on = first in language.block_words and first in language.continuation_words
    return goes_on or bool(unmatched_words(language, found)[1])


def _opener_line(text: bytes, start: int) -> int:
    """For a line that begins with a closer: an offset on the nearest line above that is indented no deeper."""
    width = _indent_width(text, start)
    at = start
    while at > 0:
        at = text.rfind(b"\n", 0, at - 1) + 1
        line_end = text.find(b"\n", at)
        if text[at:line_end].strip() and _indent_width(text, at) <= width:
            return max(at, 1) if at else 0
    return 0


def _indent_width(text: bytes, line_start: int) -> int:
    line_end = text.find(b"\n", line_start)
    return indent_width(text[line_start : line_end if line_end >= 0 else len(text)])


def indent_width(line: bytes) -> int:
    """The columns of white space a line begins with, a tab going to the next multiple of eight."""
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip(b" "))


def _header_indent(text: bytes, line_start: int, end: int) -> int:
    del end
    return _indent_width(text, line_start)


def _next_is_outside(text: bytes, offset: int, header_indent: int) -> bool:
    """Whether the next line with text is not part of the block (deeper than its header)."""
    match = re.compile(rb"[^\n]*(?:\n[ \t\r\f]*(?=\n))*\n([ \t]*)\S").match(text, offset)
    return match is None or indent_width(match.group(1) + b"x") <= header_indent


def statement_around(tree: SyntaxTree, start: int, end: int) -> tuple[int, int]:
    """The smallest whole statement (or member, or definition) around [start, end); else the lines it is on."""
    best: tuple[int, int] | None = None
    parent: tree_sitter.Node | None = None
    for node in path_to(tree, start, end):
        if parent is not None and parent.type in tree.language.bodies and not node.is_error:
            best = (node.start_byte, node.end_byte)
        parent = node
    if best is not None:
        return best
    line_end = tree.text.find(b"\n", end)
    return tree.text.rfind(b"\n", 0, start) + 1, line_end if line_end >= 0 else len(tree.text)
