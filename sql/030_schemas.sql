-- api is reachable over HTTP and holds functions only, app holds the tables, authz what policies call, source what questions are asked of.
create schema api;
create schema app;
create schema authz;
create schema source;

comment on schema api is 'Functions people, apps and bots call; the only schema PostgREST exposes.';
comment on schema app is 'Tables: row security enabled and forced on every one; not reachable over HTTP.';
comment on schema authz is 'Identity and permission helpers that policies call; not reachable over HTTP.';

comment on schema source is 'Views that SQL of jobs reads, as the person whose job it is; not reachable over HTTP.';

grant usage on schema api, app, authz to authenticated;
grant usage on schema app, authz to ringfence_owner;
grant usage on schema extensions to ringfence_owner;
grant usage on schema authz to ringfence_worker, ringfence_analyst;
grant usage on schema source to ringfence_analyst;

-- Needed only while this file set hands its definer functions over; 900_close.sql takes it back.
grant create on schema authz to ringfence_owner;

create extension if not exists vector with schema extensions;
-- Puts org_id before the words in one index.
create extension if not exists btree_gin with schema extensions;
