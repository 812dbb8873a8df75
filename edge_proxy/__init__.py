"""The HTTP edge: verifies who is asking, rebuilds each request from nothing, and forwards it as that person."""
