"""The converter against llama.cpp's converter and quantiser, and against the logits of transformers."""
