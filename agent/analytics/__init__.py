"""Questions about an organization's data: SQL that a model or a person wrote, checked before it runs as the asker."""
