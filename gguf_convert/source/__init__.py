"""Where weights come from: safetensors files in a folder or on a hub."""
