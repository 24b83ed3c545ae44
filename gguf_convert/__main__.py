"""`python -m gguf_convert`: the command `r1-gguf`, for whoever starts it as a process."""

import sys

from gguf_convert.cli import main

sys.exit(main())
