"""Brackets are found as the scanner of all tokens finds them, and what is lost is put back."""

import random

import pytest

from ast_tools import LANGUAGES, Language, apply, language_of, parse, repairs
from ast_tools.edits import Edit
from ast_tools.lexer import Token, tokens
from ast_tools.repair.layout import line_start
from ast_tools.repair.scan import scan
from ast_tools.repair.weights import GENERAL, packed, table, unpacked
from tests.support.cases import Case, case_id, cases

LEARNT = ("python", "javascript", "typescript", "java", "c", "cpp", "go", "rust")
PIECES = (
    b"(", b")", b"[", b"]", b"{", b"}", b"\n", b"\r\n", b"\n    ", b"\n\t", b" ", b"a", b"b(", b"'c'", b"'a",
    b'"s"', b'"', b"'", b"`", b"`${", b"/", b"//", b"/* x */", b"/*", b"#", b"\n#if 0\n", b"\n#else\n", b"\n#endif\n",
    b"\n#define a(", b"\\", b'"""', b'r#"', b'R"x(', b"return /(/g", b"=", b";", b"\xc3\xa9", b"\f", b"# (",
)  # fmt: skip


def marks_of_tokens(text: bytes, found: list[Token]) -> list[tuple[int, int]]:
    """Brackets, and beginnings of lines of code, from all tokens."""
    marks, fresh = [], True
    for token in found:
        if token.kind == "newline":
            fresh = True
        elif fresh and token.kind != "comment":
            start = line_start(text, token.start)
            lead = text[start:][: len(text[start:]) - len(text[start:].lstrip(b" \t\f"))]
            marks.append((start + len(lead), -len(lead.expandtabs(8))))
            fresh = False
        if token.kind in ("open", "close"):
            marks.append((token.start, token.text[0]))
    return marks


def _means_something(language: Language, piece: bytes) -> bool:
    return b"#" not in piece or language.lexis.directives is not None or language.line_comment == "#"


@pytest.mark.parametrize("name", LANGUAGES)
def test_scan_finds_what_all_tokens_say(name: str) -> None:
    language, rng = LANGUAGES[name], random.Random(name)
    slashes = any(quote.due for quote in language.lexis.strings)
    pieces = [piece for piece in PIECES if _means_something(language, piece) and not (slashes and b"/" in piece)]
    compared = 0
    for _ in range(600):
        text = b"".join(rng.choice(pieces) for _ in range(rng.randrange(1, 30)))
        found = tokens(language, text)
        if not language.lexis.exact or any(token.kind == "unclosed" for token in found):
            continue
        compared += 1
        brackets = [mark for mark in scan(language, text).marks if mark[1] > 0]
        assert brackets == [mark for mark in marks_of_tokens(text, found) if mark[1] > 0], text
    assert compared > 20 or not language.lexis.exact


@pytest.mark.parametrize("case", cases("repair"), ids=case_id)
def test_scan_finds_lines_too(case: Case) -> None:
    name, source = case.input()
    language, text = language_of(None, name), source.encode()
    assert language is not None
    found = tokens(language, text)
    if not any(token.kind == "unclosed" for token in found):
        assert scan(language, text).marks == marks_of_tokens(text, found)


SAMPLES = {
    "a.py": """
def total(items, extra=(1, 2)):
    values = [price(item, "é") for item in items if item.ok]
    table = {"sum": sum(values), "most": max(values, default=0)}
    print(table["sum"], len(values))
    return table
""",
    "a.js": """
function total(items, extra) {
  const values = items.filter((item) => item.ok).map((item) => price(item, "é"));
  if (values.length === 0) {
    return [extra.first];
  }
  console.log(values.length, Math.max(...values));
  return values;
}
""",
    "a.ts": """
export function total(items: Item[], extra: Map<string, number[]>): number {
  const values = items.map((item) => price(item, "é"));
  for (const [name, list] of extra) {
    values.push(list[0], name.length);
  }
  return Math.max(...values);
}
""",
    "A.java": """
class A {
    int total(List<Item> items, int[] extra) {
        int sum = extra[0];
        for (Item item : items) {
            sum += price(item, "é");
        }
        return Math.max(sum, items.size());
    }
}
""",
    "a.c": """
static int total(const int *items, size_t n)
{
    int sum = items[0];
    for (size_t i = 1; i < n; i++) {
        sum += price(items[i], "é");
    }
    return (int) sum;
}
""",
    "a.cc": """
int total(const std::vector<int>& items) {
  std::vector<int> extra = {1, 2, 3};
  for (int item : items) {
    extra.push_back(price(item, "é"));
  }
  return std::accumulate(extra.begin(), extra.end(), 0);
}
""",
    "a.go": """
package a

func total(items []Item, extra map[string]int) (int, error) {
	sum := extra["a"]
	for _, item := range items {
		sum += price(item, "é")
	}
	if sum == 0 {
		return 0, errors.New("nothing")
	}
	return sum, nil
}
""",
    "a.rs": """
fn total(items: &[Item], extra: Option<i32>) -> Vec<i32> {
    let mut values = vec![extra.unwrap_or(0)];
    for item in items {
        values.push(price(item, "é"));
    }
    println!("{}", values.len());
    values
}
""",
}


def without(text: bytes, token: Token) -> bytes:
    """The text without one bracket, and without its line if nothing else is on it."""
    start, end = line_start(text, token.start), text.find(b"\n", token.end)
    if text[start:end].strip() == token.text:
        return apply(text, [Edit(start, end + 1, b"")])
    return apply(text, [Edit(token.start, token.end, b"")])


@pytest.mark.parametrize("name", SAMPLES)
def test_each_bracket_is_put_back(name: str) -> None:
    language, text = language_of(None, name), SAMPLES[name].lstrip("\n").encode()
    assert language is not None
    first = among = sure_wrong = 0
    lost = [token for token in tokens(language, text) if token.kind in ("open", "close")]
    for token in lost:
        broken = without(text, token)
        tree = parse(language, broken)
        assert tree is not None
        assert tree.has_error, broken
        found = repairs(tree, budget_s=5.0)
        right = [
            apply(broken, repair.edits).split() == text.split()
            or b"".join(apply(broken, repair.edits).split()) == b"".join(text.split())
            for repair in found[:3]
        ]
        first += right[:1] == [True]
        among += any(right)
        sure_wrong += bool(found) and found[0].sure and not right[0]
    assert first >= 0.85 * len(lost)
    assert among >= 0.95 * len(lost)
    assert sure_wrong == 0


@pytest.mark.parametrize("name", [*LEARNT, GENERAL])
def test_tables_are_small_and_say_the_same_when_written_again(name: str) -> None:
    from importlib.resources import files

    stored = (files("ast_tools") / "repair" / "weights" / f"{name}.tsv").read_text("ascii")
    learnt = unpacked(stored)
    assert packed(learnt) == stored
    assert len(stored) < 200_000
    assert len(learnt.weights) > 500
    assert 0.5 < learnt.sure < 1


def test_every_language_has_a_table() -> None:
    assert all(table(language).weights for language in LANGUAGES.values())
