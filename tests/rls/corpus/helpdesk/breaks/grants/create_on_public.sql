-- Class:    CREATE on schema public for API roles
-- Culprit:  schema public | public
-- Command:  state
--
-- The default before PostgreSQL 15, restored by a script written for it. A client creates functions others then call.

grant create on schema public to public;

-- @as otto
create function public.has_seats() returns boolean language sql as 'select true';
select 1 where has_schema_privilege('public', 'create')
