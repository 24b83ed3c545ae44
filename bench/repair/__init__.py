"""Brackets planted wrong in real files: how often each way to repair them restores the file."""
