"""What ranks repairs of brackets is learnt from planted errors: the learner finds what it is shown."""

import random

from ast_tools import LANGUAGES, apply, parse
from ast_tools.repair.brackets import options
from ast_tools.repair.fixes import Words
from ast_tools.repair.layout import survey
from ast_tools.repair.regions import regions
from ast_tools.repair.scan import scan
from bench.brackets.logit import Case, fitted


def shown(group: str, rng: random.Random) -> Case:
    """A case in which the right option is `good`; `x` tells it from the others in one group, `y` in the other."""
    right = rng.randrange(5)
    options = []
    for number in range(5):
        good = (number == right) == (rng.random() < 0.9)
        mark = "x" if (number == right) == (group == "a") else "y"
        options.append(("good" if good else "bad", f"noise{rng.randrange(10)}", mark))
    return Case(group, tuple(options), frozenset([right]))


def test_a_group_learns_from_all_and_for_itself() -> None:
    rng = random.Random(1)
    model = fitted([shown(group, rng) for group in "ab" * 200])
    one, other = model.weights("a"), model.weights("b")
    assert one["good"] - one["bad"] > 1
    assert other["good"] - other["bad"] > 1
    assert one["x"] - one["y"] > 1
    assert other["y"] - other["x"] > 1
    assert max(abs(one[f"noise{number}"]) for number in range(10)) < 1
    assert set(model.weights("unknown")) == set(one)


def test_what_is_rare_has_no_weight() -> None:
    rng = random.Random(1)
    rare = Case("a", (("good", "rare"), ("bad",)), frozenset([0]))
    model = fitted([*(shown("a", rng) for _ in range(50)), rare])
    assert "rare" not in model.weights("a")


def test_every_edit_that_is_learnt_from_balances_the_text() -> None:
    language, text = LANGUAGES["python"], b"def f(a, b):\n    return [g(a, (b), {a: b}]\n"
    marks = scan(language, text).marks
    [region] = regions(language, text, marks, survey(language, text, marks))
    found = options(language, text, region, Words(language, text))
    assert len(found) > 5
    for option in found:
        tree = parse(language, apply(text, [option.edit]))
        assert tree is not None
        after = scan(language, tree.text).marks
        assert not survey(language, tree.text, after).suspects
        assert option.features
