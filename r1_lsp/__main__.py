"""`python -I -m r1_lsp` is `r1-lsp`."""

import sys

from r1_lsp.cli import main

sys.exit(main())
