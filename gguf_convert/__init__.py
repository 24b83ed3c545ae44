"""Weights side: turns safetensors checkpoints into GGUF. Stands alone; the server never imports it."""
