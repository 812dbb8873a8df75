-- authenticator may become anon, authenticated and (the platform's own) service_role; worker and analyst nobody; ringfence_owner only
-- the migration role, which must say so first and never acts with its rights unsaid. R16
select m.member::regrole || ' -> ' || m.roleid::regrole as object,
  concat_ws(', ', 'a member', case when m.inherit_option then 'inherits' end, case when m.set_option then 'may become it' end,
    case when m.admin_option then 'may give it away' end) as finding
from pg_auth_members m
where (m.member::regrole::text in ('anon', 'authenticated', 'authenticator', 'service_role', 'ringfence_owner', 'ringfence_worker', 'ringfence_analyst')
    or m.roleid::regrole::text like 'ringfence\_%')
  and not case m.member::regrole::text
    when 'authenticator' then m.roleid::regrole::text in ('anon', 'authenticated', 'service_role') and not m.admin_option
    -- CREATEROLE gives whoever makes a role the right to manage it; that is neither inheriting nor becoming it.
    when 'postgres' then not m.inherit_option and (m.roleid::regrole::text = 'ringfence_owner' or not m.set_option)
    else false end
