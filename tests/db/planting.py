"""What an operator says around rows that a test plants: without triggers and keys, and with policies opened."""

REPLICA, ORIGIN = "set local session_replication_role = replica", "set local session_replication_role = origin"
"""As a superuser who loads a copy: no trigger fires and no foreign key is looked up, from the one to the other."""
OPENED = "create policy opened on app.{} for all to ringfence_owner using (true) with check (true)"
"""For a table: what a definer does not say itself, no policy says for it."""
