"""What an editor sends becomes settings without holes, and every mistake one sentence."""

import json
import subprocess
import sys

import pytest

from r1_lsp.config import Settings, parse_settings, settings_schema


def test_nothing_sent_means_the_defaults() -> None:
    assert parse_settings(None) == (Settings(), ())
    assert parse_settings({}) == (Settings(), ())
    assert parse_settings({"r1": {}}) == (Settings(), ())


def test_what_is_sent_is_taken() -> None:
    settings, complaints = parse_settings(
        {
            "model": "small",
            "engine": {"url": "http://127.0.0.1:1/v1", "apiKey": "k", "contextTokens": 2048},
            "completion": {"suggest": {"python": "manual"}, "debounceMs": 0, "inComments": True},
            "fix": {"checkers": {"python": [["ruff", "check", "-"]]}},
        }
    )
    assert complaints == ()
    assert settings.completion.mode("python") == "manual"
    assert settings.completion.mode("rust") == "auto"
    assert settings.completion.debounce_ms == 0
    assert settings.fix.checkers["python"] == (("ruff", "check", "-"),)
    assert (settings.engine.model, settings.engine.n_ctx, settings.engine.api_key) == ("small", 2048, "k")


def test_one_mode_for_all_languages() -> None:
    settings, _ = parse_settings({"completion": {"suggest": "off"}})
    assert settings.completion.mode("anything") == "off"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({"completion": {"maxTokns": 4}}, "r1.completion.maxTokns is ignored (did you mean r1.completion.maxTokens?)"),
        ({"engin": {}}, "r1.engin is ignored (did you mean r1.engine?)"),
        ({"zzz": 1}, "Unknown setting r1.zzz is ignored."),
        ({"completion": {"debounceMs": "x"}}, 'not "x"); the default null is used'),
        ({"completion": {"candidates": True}}, "not true); the default 3 is used"),
        ({"completion": {"candidates": 99}}, "less than or equal to 8"),
        ({"completion": {"suggest": {"python": "of"}}}, "input should be 'auto', 'manual' or 'off', not \"of\""),
        ({"fix": 3}, "r1.fix must be an object, not 3"),
        ({"fix": {"checkers": {"python": [[]]}}}, "the default {} is used"),
        ({"model": ""}, 'the default "default" is used'),
        ([1], "The settings must be an object, not [1]"),
        ("text", 'not "text"'),
    ],
)
def test_a_mistake_is_one_sentence_and_the_default_holds(raw: object, sentence: str) -> None:
    settings, complaints = parse_settings(raw)
    assert settings == Settings()
    assert len(complaints) == 1
    assert sentence in complaints[0]
    assert complaints[0].endswith(".")
    assert "\n" not in complaints[0]


def test_a_mistake_leaves_the_rest_alone() -> None:
    settings, complaints = parse_settings({"completion": {"maxTokens": "many", "candidates": 2}, "model": "m"})
    assert (settings.completion.max_tokens, settings.completion.candidates, settings.engine.model) == (96, 2, "m")
    assert len(complaints) == 1


def test_a_secret_is_never_repeated() -> None:
    _, complaints = parse_settings({"engine": {"apiKey": ["sk-secret"]}})
    assert "secret" not in complaints[0]
    assert "sk-1" not in repr(parse_settings({"engine": {"apiKey": "sk-1"}})[0])


def test_the_schema_names_every_setting_with_its_default() -> None:
    schema = settings_schema()
    rebuilt: dict[str, object] = {}
    for name, entry in schema.items():
        assert entry["description"].endswith((".", "}.")), name
        _, *path = name.split(".")
        holder = rebuilt
        for part in path[:-1]:
            holder = holder.setdefault(part, {})  # type: ignore[assignment]
        holder[path[-1]] = entry["default"]
    assert parse_settings(rebuilt) == (Settings(), ())
    json.dumps(schema)
    assert schema["r1.completion.debounceMs"]["type"] == ["integer", "null"]


def test_what_chooses_programs_addresses_and_files_is_not_a_workspaces_to_set() -> None:
    machine = {name for name, entry in settings_schema().items() if entry.get("scope") == "machine"}
    assert machine == {
        "r1.model",
        "r1.engine.url",
        "r1.engine.adapter",
        "r1.engine.apiKey",
        "r1.engine.remoteModel",
        "r1.engine.script",
        "r1.fix.checkers",
    }


def test_settings_need_no_pydantic() -> None:
    code = "import sys, r1_lsp.settings; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
