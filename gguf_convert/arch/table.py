"""All architectures that can be converted."""

from gguf_convert.arch.architecture import Architecture, Config
from gguf_convert.arch.deepseek2 import DEEPSEEK2
from gguf_convert.arch.llama import LLAMA
from gguf_convert.arch.qwen2 import QWEN2
from gguf_convert.arch.qwen3 import QWEN3
from gguf_convert.errors import Unsupported

ARCHITECTURES: tuple[Architecture, ...] = (DEEPSEEK2, QWEN2, QWEN3, LLAMA)


def architecture_of(config: Config) -> Architecture:
    """The architecture of a checkpoint by its config.json. Raises Unsupported with the names of those there are."""
    named = config.get("architectures")
    name = named[0] if isinstance(named, list) and named else None
    for architecture in ARCHITECTURES:
        if name in architecture.classes:
            return architecture
    known = ", ".join(name for architecture in ARCHITECTURES for name in architecture.classes)
    said = f"the architecture {name!r}" if isinstance(name, str) else "a configuration that names no architecture"
    raise Unsupported(f"{said} cannot be converted; {known} can")
