"""Model side: the inference host and its client. Knows nothing of editors or syntax trees."""
