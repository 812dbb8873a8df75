-- Nothing is decided by what the caller writes (user_metadata, headers, cookies) or by a second reader of identity. R20, R37
with text (object, text) as (
  select p.polrelid::regclass || '.' || p.polname, concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
  from pg_policy p
  union all
  -- Without the comments, which may well name what is not read.
  select p.oid::regprocedure::text, regexp_replace(pg_get_functiondef(p.oid), '--[^\n]*', '', 'g') from pg_proc p
  where p.pronamespace::regnamespace::text in ('api', 'app', 'authz') and p.prokind in ('f', 'p')
  union all
  select c.oid::regclass::text, pg_get_viewdef(c.oid) from pg_class c
  where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and c.relkind in ('v', 'm')
  union all
  select d.adrelid::regclass || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid)
  from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum join pg_class c on c.oid = d.adrelid
  where c.relnamespace::regnamespace::text in ('api', 'app', 'authz')
  union all
  select t.tgrelid::regclass || '.' || t.tgname, pg_get_triggerdef(t.oid) from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace::regnamespace::text in ('api', 'app', 'authz') and not t.tgisinternal
)
select object, 'reads ' || found[1] as finding
from text cross join lateral regexp_matches(
  text, '(user_metadata|raw_user_meta_data|request\.(?:headers?|cookies?|method|path)|request\.jwt\.claims?|\mauth\.(?:role|uid|jwt|email)\M)', 'gi') found
where not (object = 'authz.claims()' and found[1] = 'request.jwt.claims')
