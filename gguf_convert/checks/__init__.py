"""What `r1-gguf verify` looks at, one check per file."""
