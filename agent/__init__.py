"""The agent: answers a signed-in person's question as that person, through RPCs and nothing else."""
