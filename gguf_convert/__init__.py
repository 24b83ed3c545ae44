"""Weights side: reads and writes GGUF. Stands alone; the server never imports it."""
