"""docs/recipes.md says what the recipes do."""

import os
import re

from bench.recipes import DOCUMENT, document
from gguf_convert.mixes import MIXES
from gguf_convert.recipe import TYPES, Part, parse_recipe, recipe_names


def test_its_tables_are_those_that_the_program_makes() -> None:
    if os.environ.get("UPDATE_EXPECT"):
        DOCUMENT.write_text(document(), "utf-8")
    assert document() == DOCUMENT.read_text("utf-8"), "`python -m bench.recipes --write` makes them anew"


def test_its_example_is_a_recipe() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    recipe = parse_recipe(example, "example")
    assert (len(recipe.rules), len(recipe.minimums)) == (1, 1)


def test_it_names_all_types_parts_and_recipes() -> None:
    text = DOCUMENT.read_text("utf-8")
    listed = re.search(r"^Types: (.*?)\.", text, re.DOTALL | re.MULTILINE)
    assert listed is not None
    assert set(re.split(r",\s+", listed[1])) == TYPES.keys()
    assert all(part in text for part in Part)
    assert all(f"`{name}`" in text for name in recipe_names() if name not in MIXES)
