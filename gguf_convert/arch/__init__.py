"""One file per architecture: which tensors, under which names, made how; which metadata; what is refused."""
