"""Files into passages: what kinds there are, the parsers, and the process without rights in which they run."""
