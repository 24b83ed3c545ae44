"""Token ids as transformers' library makes them; run in the environment of the reference.

On stdin {"tokenizer": file, "texts": [...]}, on stdout the ids of each text.
"""

import json
import sys

from tokenizers import Tokenizer  # type: ignore[import-not-found,unused-ignore]

job = json.load(sys.stdin)
tokenizer = Tokenizer.from_file(job["tokenizer"])
json.dump([tokenizer.encode(text, add_special_tokens=False).ids for text in job["texts"]], sys.stdout)
