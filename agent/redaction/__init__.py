"""Personal data is replaced by pseudonyms before anything leaves for a provider, and restored in what comes back (F69)."""
