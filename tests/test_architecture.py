"""The directions of ARCHITECTURE.md as tests. A failure here is a design question, not a typo."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("ast_tools", "engine", "gguf_convert", "r1_lsp")

MAY_IMPORT = {
    # The most specific prefix wins; the standard library and whatever WATCHED does not name are free.
    "ast_tools": {"ast_tools", "tree_sitter", "tree_sitter_python", "tree_sitter_javascript", "tree_sitter_typescript"},
    "engine": {"engine", "pydantic", "aiohttp", "numpy", "platformdirs"},
    "engine.models": {"engine", "pydantic", "aiohttp", "platformdirs"},
    "engine.models.gguf_header": set(),
    "engine.backends": {"engine", "llama_cpp", "numpy"},
    "engine.backends.scripted": {"engine", "numpy"},
    "gguf_convert": {"gguf_convert", "engine.models.gguf_header", "numpy", "pydantic", "rich"},
    "gguf_convert.ggml": {"gguf_convert", "engine.models.gguf_header", "numpy", "llama_cpp"},
    "gguf_convert.llama": {"llama_cpp", "numpy"},  # a program for a child process: nothing of ours is needed there
    "r1_lsp": {"r1_lsp", "engine", "ast_tools", "pygls", "lsprotocol", "platformdirs"},
    "r1_lsp.cli": {"r1_lsp", "engine", "ast_tools", "pygls", "lsprotocol", "rich", "platformdirs"},
    "r1_lsp.config": {"r1_lsp", "engine", "pydantic"},
    "r1_lsp.features": {"r1_lsp.features", "r1_lsp.snapshot", "r1_lsp.settings", "engine", "ast_tools"},
}
WATCHED = {name.split(".")[0] for names in MAY_IMPORT.values() for name in names}
WATCHED |= {"gguf", "safetensors", "torch", "transformers", "requests", "httpx"}


def test_layers() -> None:
    wrong = []
    for module, path in _modules():
        rule = max((rule for rule in MAY_IMPORT if _within(module, rule)), key=len)
        for name in _imports(path):
            if name.split(".")[0] in WATCHED and not any(_within(name, allowed) for allowed in MAY_IMPORT[rule]):
                wrong.append(f"{module} imports {name}, which {rule} must not")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_no_import_cycles() -> None:
    modules = dict(_modules())
    needs = {
        module: {_module_of(name, modules) for name in _imports(path, top_level=True)}
        for module, path in modules.items()
    }
    while leaves := [module for module, need in needs.items() if not (need & needs.keys()) - {module}]:
        for module in leaves:
            del needs[module]
    assert not needs, "these modules import each other: " + ", ".join(sorted(needs))


def _modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def _module_of(name: str, modules: dict[str, Path]) -> str:
    """`from a.b import c` names a.b.c; the module may be a.b."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def _within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def _imports(path: Path, *, top_level: bool = False) -> Iterator[str]:
    tree = ast.parse(path.read_text("utf-8"))
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
