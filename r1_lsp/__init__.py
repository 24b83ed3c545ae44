"""Editor side: the Language Server and the `r1-lsp` command."""

__version__ = "0.1.0"
