"""Runs llama.cpp's own converter; a program of the reference environment, started by `reference.py`.

On stdin a JSON list of jobs: {"folder": checkpoint, "pre": name of the pre-tokenizer, "targets": {"f32": file, ...}}.

The converter knows pre-tokenizers by the hash of the token ids of a fixed text, which a vocabulary of 500 tokens cannot
have; so it is told the name here.
"""

import json
import sys
from pathlib import Path

LLAMA_CPP = Path(__file__).resolve().parents[2] / "build" / "reference" / "llama.cpp"


def main() -> None:
    sys.path[:0] = [str(LLAMA_CPP), str(LLAMA_CPP / "gguf-py")]
    import convert_hf_to_gguf
    from conversion.base import TextModel

    for job in json.load(sys.stdin):
        TextModel.get_vocab_base_pre = lambda _self, _tokenizer, name=job["pre"]: name
        for kind, target in job["targets"].items():
            sys.argv = ["convert_hf_to_gguf.py", job["folder"], "--outtype", kind, "--outfile", target]
            convert_hf_to_gguf.main()


if __name__ == "__main__":
    main()
