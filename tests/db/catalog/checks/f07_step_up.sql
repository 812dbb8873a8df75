-- What takes a permission that is for people alone (authz.is_personal) to write is sensitive: a trigger of the table itself asks for a
-- fresh second factor, whatever way the write comes. F07
select p.polrelid::regclass::text as object, format('policy %s asks for %s, and no step-up trigger for %s', p.polname, r.name, command.name) as finding
from pg_policy p
cross join lateral (
  select coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '') as text) said
join app.permission r on authz.is_personal(r.name) and position(quote_literal(r.name) in said.text) > 0
join (values ('insert', 'a', 4), ('delete', 'd', 8), ('update', 'w', 16)) command (name, letter, bit) on p.polcmd::text in (command.letter, '*')
where 'authenticated'::regrole = any (p.polroles) and not exists (
  select from pg_trigger t
  where t.tgrelid = p.polrelid and t.tgfoid = 'authz.tg_step_up'::regproc and t.tgenabled in ('O', 'A')
    and t.tgtype & 3 = 3 and t.tgtype & command.bit > 0)
