"""Phrases made from names alone."""

import pytest

from r1_lsp.features.docstring.phrases import raised


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("ValueError", "If a value is not acceptable."),
        ("NotImplementedError", "If this is not implemented."),
        ("errors.TimeoutError", "On timeout."),
        ("Error", "If the call fails."),
    ],
)
def test_what_an_exception_means(name: str, phrase: str) -> None:
    assert raised(name) == phrase
