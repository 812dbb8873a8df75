"""The local stack: real Supabase parts, started and stopped on one machine without Docker."""
