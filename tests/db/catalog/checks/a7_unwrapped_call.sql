-- Calls in policies stand inside (select ...), so that they are planned once a statement. The text only: EXPLAIN has a test too. R21
select p.polrelid::regclass || '.' || p.polname as object, 'calls ' || calls.name || ' for every row' as finding
from pg_policy p
cross join lateral (select concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as text) e
-- A call is taken away together with the select around it; a call that is left has none.
cross join lateral (select regexp_replace(e.text, 'SELECT \(*(auth|authz|api|app)\.\w+\(', '', 'g') as text) unwrapped
cross join lateral regexp_matches(unwrapped.text, '((?:auth|authz|api|app)\.\w+)\(', 'g') found
cross join lateral (select found[1] as name) calls
