"""Benchmarks: each ends with a table (figure, measured, wanted), exits 1 when one falls short, keeps a JSON copy."""
