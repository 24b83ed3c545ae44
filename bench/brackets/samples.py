"""Broken texts with all edits that would balance their brackets: what the weights are learnt from."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ast_tools import LANGUAGES, Edit, Language, parse
from ast_tools.lexer import Token, tokens
from ast_tools.repair.brackets import Option, options
from ast_tools.repair.fixes import Words
from ast_tools.repair.layout import survey
from ast_tools.repair.regions import regions
from ast_tools.repair.scan import scan
from ast_tools.repair.verify import Verifier
from ast_tools.repair.weights import shares
from bench.brackets.logit import Case
from bench.corpora import File
from bench.repair.cases import BUDGET_S, Batch, Mode, case
from bench.repair.cases import Case as Broken

TRIES = 14
"""Options that the parser is asked about, as many as in a search."""
MOST = 400
"""Options of one case that are learnt from."""
LEAST_FILES, MOST_WORDS = 5, 1200
"""Files that a common word is in, and how many common words are kept."""


def common_words(name: str, pool: Sequence[File]) -> frozenset[bytes]:
    """The words that several projects of a language use: whole words, not two that were glued."""
    files: Counter[bytes] = Counter()
    projects: dict[bytes, set[str]] = defaultdict(set)
    for file in pool:
        for word in {token.text for token in tokens(LANGUAGES[name], file.read()) if _is_word(token)}:
            files[word] += 1
            projects[word].add(file.project)
    found = (word for word, n in files.items() if n >= LEAST_FILES and len(projects[word]) > 1)
    return frozenset(sorted(found, key=lambda word: (-files[word], word))[:MOST_WORDS])


def _is_word(token: Token) -> bool:
    return token.kind == "word" and len(token.text) > 1 and token.text.replace(b"_", b"").isalnum()


@dataclass(frozen=True, slots=True)
class Sample:
    """One broken text: its project, its options, and which of them give the text as it was."""

    project: str
    mode: Mode
    seed: int
    number: int
    case: Case


def sampled(pools: dict[str, tuple[File, ...]], batch: Batch) -> list[Sample]:
    """The samples of a batch; runs in a process of its own."""
    found = []
    for number in batch.numbers:
        broken = case(pools[batch.language], batch.mode, batch.seed, number)
        if broken is not None:
            found.append(_sample(broken))
    return found


def _sample(broken: Broken) -> Sample:
    language = LANGUAGES[broken.language]
    all_options = _options(language, broken.broken)[:MOST]
    right = frozenset(number for number, option in enumerate(all_options) if _restores(broken, option))
    features = tuple(tuple(dict.fromkeys(option.features)) for option in all_options)
    learnt = Case(broken.language, features, right)
    return Sample(broken.file.project, broken.mode, broken.seed, broken.number, learnt)


def _options(language: Language, text: bytes) -> list[Option]:
    words = Words(language, text)
    marks = scan(language, text).marks
    found = regions(language, text, marks, survey(language, text, marks))
    return [option for region in found for option in options(language, text, region, words)]


def _restores(broken: Broken, option: Option) -> bool:
    """Whether an option gives the text as it was, comments and white space aside."""
    planted, edit = broken.planted[0], option.edit
    lost = broken.clean[planted.start : planted.end].strip()
    if not planted.new and option.fills(planted.start, lost):
        return True
    start = max(0, min(edit.start, planted.start) - 3)
    end = min(len(broken.broken), max(edit.end, planted.start + len(planted.new)) + 3)
    grown = len(broken.clean) - len(broken.broken)
    after = broken.broken[start : edit.start] + edit.new + broken.broken[edit.end : end]
    return b"".join(after.split()) == b"".join(broken.clean[start : end + grown].split())


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model makes of one sample: the share of its best option that parses, and whether that is right."""

    language: str
    share: float
    right: bool


def judge(pools: dict[str, tuple[File, ...]], task: tuple[Sample, tuple[float, ...]]) -> Judged:
    """Asks the parser about the options of a sample, those with the highest scores first; in a process of its own."""
    sample, scores = task
    pool = pools[sample.case.group]
    broken = case(pool, sample.mode, sample.seed, sample.number)
    nothing = Judged(sample.case.group, 0.0, right=False)
    if broken is None:
        return nothing
    language = LANGUAGES[broken.language]
    tree = parse(language, broken.broken, BUDGET_S)
    if tree is None:
        return nothing
    verifier = Verifier(tree, float("inf"))
    edits = [option.edit for option in _options(language, broken.broken)[:MOST]]
    left = list(range(len(scores)))
    for number in sorted(left, key=lambda number: -scores[number])[:TRIES]:
        if _clean(verifier, edits[number]):
            likely = dict(zip(left, shares([scores[one] for one in left]), strict=True))
            return Judged(broken.language, likely[number], number in sample.case.right)
        left.remove(number)
    return nothing


def _clean(verifier: Verifier, edit: Edit) -> bool:
    return verifier.after([edit]).clean
