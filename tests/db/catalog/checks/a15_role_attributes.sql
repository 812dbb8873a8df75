-- The roles a request or a job runs as have no attribute that steps around anything. service_role is not ours and may bypass row
-- security; what keeps it out is that it holds no grant (r7). R9, R15
select r.rolname::text as object, problem as finding
from pg_roles r
join (values ('anon', false), ('authenticated', false), ('authenticator', true),
  ('ringfence_owner', false), ('ringfence_worker', true), ('ringfence_analyst', true)) expected (name, login) on expected.name = r.rolname
cross join lateral (values
  (r.rolsuper, 'a superuser'), (r.rolbypassrls, 'bypasses row security'), (r.rolcreaterole, 'makes roles'),
  (r.rolcreatedb, 'makes databases'), (r.rolreplication, 'may replicate'), (r.rolinherit, 'inherits'),
  (r.rolcanlogin <> expected.login, case when r.rolcanlogin then 'may log in' else 'may not log in' end)
) v (wrong, problem)
where wrong
