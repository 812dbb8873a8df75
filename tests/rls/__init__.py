"""What leaks in a Supabase or PostgREST database: behaviour measured by acting, and rules over the catalog. `engine.run` is the way in."""
