"""Syntax side: pure, total, byte offsets. Knows nothing of editors or models."""
