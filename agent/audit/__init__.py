"""The audit trail read from outside: its chain computed again, its events as OCSF, the narrative of a run."""
