"""Models on disk: the header reader, what is installed, the catalogue, downloads, the default model."""
