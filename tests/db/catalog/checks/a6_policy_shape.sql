-- A policy names its roles and spells out USING and WITH CHECK wherever the command has them. R17, R18
select p.polrelid::regclass || '.' || p.polname as object, problem as finding
from pg_policy p
cross join lateral (values
  (0 = any (p.polroles), 'written for PUBLIC'),
  (exists (select from unnest(p.polroles) r where r <> 0 and r::regrole::text not in ('authenticated', 'ringfence_owner', 'ringfence_analyst')),
    'written for a role that has no policies'),
  (p.polcmd in ('a', 'w', '*') and p.polwithcheck is null, 'no WITH CHECK'),
  (p.polcmd in ('r', 'w', 'd', '*') and p.polqual is null, 'no USING')
) v (wrong, problem)
where wrong
