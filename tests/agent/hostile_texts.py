"""Texts that would make a careless pattern look at everything again and again."""

HOSTILE = [
    "1 " * 20_000, "a@" * 20_000, "0:" * 20_000, "A" * 40_000, "12.3456, " * 5_000, "1.1.1.1." * 5_000, "1 Ab, Ab, " * 4_000,
    ("-----BEGIN " + "PRIVATE KEY-----") * 1_500, "a.a.a.a@" * 5_000, "://a:" * 8_000, "EMAIL_" * 7_000]
"""40,000 characters each, about."""
