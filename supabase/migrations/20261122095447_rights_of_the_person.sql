-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

SET local check_function_bodies = off;

CREATE TABLE "app"."erasure" (
  "org_id"       uuid                     NOT NULL,
  "id"           uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "user_id"      uuid                     NOT NULL,
  "erased_at"    timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  "erased_in"    xid8                     NOT NULL DEFAULT pg_current_xact_id(),
  "deleted"      jsonb                    NOT NULL DEFAULT '{}'::jsonb,
  "anonymised"   jsonb                    NOT NULL DEFAULT '{}'::jsonb,
  CONSTRAINT "erasure_pkey" PRIMARY KEY (org_id, id),
  "requested_by" uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."erasure"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."erasure"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."legal_hold" (
  "org_id"          uuid                     NOT NULL,
  "id"              uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "user_id"         uuid,
  "conversation_id" uuid,
  "reason"          text                     NOT NULL,
  "created_at"      timestamp with time zone NOT NULL DEFAULT now(),
  "released_by"     uuid,
  "released_at"     timestamp with time zone,
  CONSTRAINT "legal_hold_one_subject_check" CHECK ((num_nonnulls(user_id, conversation_id) <= 1)),
  CONSTRAINT "legal_hold_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "legal_hold_reason_check" CHECK (((char_length(reason) >= 1) AND (char_length(reason) <= 300))),
  CONSTRAINT "legal_hold_released_check" CHECK (((released_by IS NULL) = (released_at IS NULL))),
  "created_by"      uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."legal_hold"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."legal_hold"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."retention_receipt" (
  "org_id"     uuid                     NOT NULL,
  "id"         uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "class"      text                     NOT NULL,
  "days"       integer                  NOT NULL,
  "deleted"    jsonb                    NOT NULL,
  "deleted_at" timestamp with time zone NOT NULL DEFAULT clock_timestamp(),
  CONSTRAINT "retention_receipt_pkey" PRIMARY KEY (org_id, id)
);

ALTER TABLE "app"."retention_receipt"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."retention_receipt"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."retention_rule" (
  "org_id" uuid                     NOT NULL,
  "id"     uuid                     NOT NULL DEFAULT gen_random_uuid(),
  "class"  text                     NOT NULL,
  "days"   integer                  NOT NULL,
  "set_at" timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "retention_rule_class_check" CHECK ((class = ANY (ARRAY['conversations'::text, 'tickets'::text, 'usage'::text]))),
  CONSTRAINT "retention_rule_class_key" UNIQUE (org_id, class),
  CONSTRAINT "retention_rule_days_check" CHECK (((days >= 1) AND (days <= 36500))),
  CONSTRAINT "retention_rule_pkey" PRIMARY KEY (org_id, id),
  "set_by" uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."retention_rule"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."retention_rule"
  FORCE ROW LEVEL SECURITY;

CREATE TABLE "app"."secret" (
  "org_id"      uuid                     NOT NULL,
  "id"          uuid                     NOT NULL,
  "user_id"     uuid,
  "purpose"     text                     NOT NULL,
  "name"        text                     NOT NULL,
  "ciphertext"  bytea                    NOT NULL,
  "wrapped_key" bytea                    NOT NULL,
  "key_id"      text                     NOT NULL,
  "set_at"      timestamp with time zone NOT NULL DEFAULT now(),
  "wrapped_at"  timestamp with time zone NOT NULL DEFAULT now(),
  CONSTRAINT "secret_ciphertext_check" CHECK (((octet_length(ciphertext) >= 29) AND (octet_length(ciphertext) <= 8220))),
  CONSTRAINT "secret_key_id_check" CHECK ((key_id ~ '^[a-z0-9][a-z0-9-]{0,31}$'::text)),
  CONSTRAINT "secret_name_check" CHECK ((name ~ '^[a-z0-9][a-z0-9-]{1,39}$'::text)),
  CONSTRAINT "secret_name_key" UNIQUE NULLS NOT DISTINCT (org_id, user_id, purpose, name),
  CONSTRAINT "secret_pkey" PRIMARY KEY (org_id, id),
  CONSTRAINT "secret_purpose_check" CHECK ((purpose = ANY (ARRAY['connector'::text, 'provider'::text]))),
  CONSTRAINT "secret_wrapped_key_check" CHECK ((octet_length(wrapped_key) = 60)),
  "created_by"  uuid                     NOT NULL DEFAULT authz.uid()
);

ALTER TABLE "app"."secret"
  ENABLE ROW LEVEL SECURITY;

ALTER TABLE "app"."secret"
  FORCE ROW LEVEL SECURITY;

CREATE OR REPLACE FUNCTION api.delete_secret (
  org_id    uuid,
  secret_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(delete_secret.org_id);
  delete from app.secret s where s.org_id = delete_secret.org_id and s.id = delete_secret.secret_id;
  if not found then
    raise sqlstate 'PT404' using message = 'no such secret, or not yours to delete';
  end if;
  return jsonb_build_object('secret_id', delete_secret.secret_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.erase_me (
  org_id       uuid,
  confirm_slug text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_slug text;
  v_id uuid;
  v_receipt jsonb;
begin
  perform authz.require_org(erase_me.org_id);
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  perform authz.lock_organization(erase_me.org_id);
  select o.slug into v_slug from app.organization o where o.id = erase_me.org_id;
  if v_slug is null then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  if erase_me.confirm_slug is distinct from v_slug then
    raise sqlstate '22023' using message = 'confirm_slug: the slug of the organization, to say that you mean it';
  end if;
  insert into app.erasure (org_id, user_id) values (erase_me.org_id, authz.uid()) returning id into v_id;
  v_receipt := authz.erasure_receipt(erase_me.org_id, v_id);
  delete from app.membership m where m.org_id = erase_me.org_id and m.user_id = authz.uid();
  return v_receipt;
end
$function$;

CREATE OR REPLACE FUNCTION api.erase_member (
  org_id  uuid,
  user_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '60s'
  AS $function$
#variable_conflict use_column
declare
  v_was_member boolean;
  v_id uuid;
  v_receipt jsonb;
begin
  perform authz.require_org(erase_member.org_id);
  perform authz.require_step_up();
  if (erase_member.org_id = any (array(select authz.orgs_with('members.manage')))
    and erase_member.org_id = any (array(select authz.orgs_with('members.read')))) is not true
  then
    raise sqlstate '42501' using message = 'erasing what is held about somebody takes members.manage and members.read';
  end if;
  perform authz.require(erase_member.user_id <> authz.uid(), 'user_id: somebody else; for yourself there is erase_me');
  perform authz.lock_organization(erase_member.org_id);
  -- Within what the guard of memberships lets one take.
  delete from app.membership m where m.org_id = erase_member.org_id and m.user_id = erase_member.user_id;
  v_was_member := found;
  insert into app.erasure (org_id, user_id) values (erase_member.org_id, erase_member.user_id) returning id into v_id;
  v_receipt := authz.erasure_receipt(erase_member.org_id, v_id);
  -- Asked again it says so again; of whom nothing was ever here, nothing is kept either.
  if not v_was_member and v_receipt -> 'deleted' = '{}' and v_receipt -> 'anonymised' = '{}'
    and not exists (select from app.departure d where d.org_id = erase_member.org_id and d.user_id = erase_member.user_id)
  then
    raise sqlstate 'PT404' using message = 'nothing is held about such a person, or it is not yours to erase';
  end if;
  return v_receipt;
end
$function$;

CREATE OR REPLACE FUNCTION api.explain_access (
  org_id    uuid,
  kind      text,
  object_id uuid,
  action    text DEFAULT 'read'::text,
  user_id   uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_org uuid := explain_access.org_id;
  v_user uuid := coalesce(explain_access.user_id, authz.uid());
  v_kind text := explain_access.kind;
  v_action text := explain_access.action;
  v_object uuid := explain_access.object_id;
  v_policies jsonb;
  v_verdict boolean;
  v_decided jsonb;
begin
  perform authz.require_org(v_org);
  perform authz.require(v_kind in ('document', 'knowledge_base', 'bot', 'order', 'ticket', 'conversation', 'run'),
    'kind: document, knowledge_base, bot, order, ticket, conversation or run');
  perform authz.require(v_action in ('read', 'change', 'delete') or v_action = 'run' and v_kind = 'bot', 'action: read, change, delete, and of a bot run');
  perform authz.require(v_object is not null, 'object_id: which one');
  if v_user is distinct from authz.uid() then
    -- Asked before anything is looked up, so that the answer is the same for everybody there is or is not.
    if (v_org = any (array(select authz.orgs_with('members.manage')))) is not true then
      raise sqlstate '42501' using message = 'explaining what somebody else may takes members.manage';
    end if;
    if not exists (select from authz.explained_member(v_org, v_user)) then
      raise sqlstate 'PT404' using message = 'no such member, or not yours to see';
    end if;
  end if;
  if authz.sees_object(v_org, v_kind, v_object) is not true then
    raise sqlstate 'PT404' using message = 'no such object, or not yours to see';
  end if;
  with clauses as (
    select c.policy, c.need, c.clause, c.holds, c.found, row_number() over () as n from (
      select * from authz.explained_document(v_org, v_user, v_object, v_action) where v_kind = 'document'
      union all select * from authz.explained_knowledge_base(v_org, v_user, v_object, v_action) where v_kind = 'knowledge_base'
      union all select * from authz.explained_bot(v_org, v_user, v_object, v_action) where v_kind = 'bot'
      union all select * from authz.explained_row(v_org, v_user, v_kind, v_object, v_action) where v_kind in ('order', 'ticket', 'conversation', 'run')
    ) c
  ), needs as (
    -- One alternative that holds is enough; one that is unknown leaves it unknown.
    select c.policy, c.need, case when coalesce(bool_or(c.holds), false) then true when bool_or(c.holds is null) then null else false end as holds
    from clauses c group by c.policy, c.need
  ), policies as (
    select n.policy, case when not coalesce(bool_and(n.holds), true) then false when bool_or(n.holds is null) then null else true end as holds
    from needs n group by n.policy
  ), told as (
    select p.policy, p.holds, min(c.n) as n, jsonb_agg(jsonb_strip_nulls(jsonb_build_object('need', c.need, 'clause', c.clause, 'found', c.found))
      || jsonb_build_object('holds', c.holds) order by c.n) as clauses
    from policies p join clauses c on c.policy = p.policy group by p.policy, p.holds
  ), verdict as (
    select case when not coalesce(bool_and(p.holds), true) then false when bool_or(p.holds is null) then null else true end as holds from policies p
  )
  select v.holds,
    (select jsonb_agg(jsonb_build_object('policy', t.policy, 'restrictive', t.policy like '%\_floor', 'holds', t.holds, 'clauses', t.clauses) order by t.n) from told t),
    (select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('policy', c.policy, 'clause', c.clause, 'found', c.found)) order by c.n)
      from clauses c join needs d on d.policy = c.policy and d.need = c.need
      where d.holds is not distinct from v.holds and c.holds is not distinct from v.holds and (v.holds is not true or c.policy not like '%\_floor'))
    into v_verdict, v_policies, v_decided
  from verdict v;
  return jsonb_build_object('kind', v_kind, 'id', v_object, 'action', v_action, 'user_id', v_user,
    'verdict', case v_verdict when true then 'allowed' when false then 'denied' else 'undetermined' end,
    'decided_by', coalesce(v_decided, '[]'), 'policies', v_policies);
end
$function$;

CREATE OR REPLACE FUNCTION api.export_me (
  org_id     uuid,
  table_name text    DEFAULT NULL::text,
  after      text[]  DEFAULT NULL::text[],
  max_rows   integer DEFAULT 500
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  SET statement_timeout TO '60s'
  AS $function$
declare
  v_name text;
  v_rows bigint;
  v_tables jsonb := '{}';
begin
  perform authz.require_org(export_me.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  -- Asked before anything is looked up, so the answer is the same for every organization there is or is not.
  perform authz.require_step_up();
  if (export_me.org_id = any (array(select authz.org_ids()))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  if export_me.table_name is not null then
    return authz.rows_page(export_me.org_id, export_me.table_name, true, export_me.after, max_rows);
  end if;
  for v_name in select t.name from authz.organization_tables() t where authz.names_me(t.name) is not null order by t.name loop
    execute format('select count(*) from app.%I t where t.%I = $1 and %s', v_name, case v_name when 'organization' then 'id' else 'org_id' end, authz.names_me(v_name))
      into v_rows using export_me.org_id;
    v_tables := v_tables || jsonb_build_object(v_name, v_rows);
  end loop;
  return jsonb_build_object('org_id', export_me.org_id, 'user_id', authz.uid(), 'email', authz.verified_email(), 'at', now(), 'tables', v_tables);
end
$function$;

CREATE OR REPLACE FUNCTION api.export_rows (
  org_id     uuid,
  export_id  uuid,
  table_name text,
  after      text[]  DEFAULT NULL::text[],
  max_rows   integer DEFAULT 500
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(export_rows.org_id);
  perform authz.require(max_rows between 1 and 1000, 'max_rows: 1..1000');
  perform authz.require_person();
  if not exists (select from app.organization_export e
    where e.org_id = export_rows.org_id and e.id = export_rows.export_id and e.requested_by = authz.uid()
      and e.requested_at > now() - authz.export_lasts())
  then
    raise sqlstate 'PT404' using message = 'no such export of yours, or it is over: begin one with export_organization';
  end if;
  return authz.rows_page(export_rows.org_id, export_rows.table_name, false, export_rows.after, max_rows);
end
$function$;

CREATE OR REPLACE FUNCTION api.list_legal_holds (
  org_id uuid
)
  RETURNS TABLE (
    id              uuid,
    user_id         uuid,
    conversation_id uuid,
    reason          text,
    created_by      uuid,
    created_at      timestamp with time zone,
    released_by     uuid,
    released_at     timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_legal_holds.org_id);
  return query
    select h.id, h.user_id, h.conversation_id, h.reason, h.created_by, h.created_at, h.released_by, h.released_at
    from app.legal_hold h where h.org_id = list_legal_holds.org_id
    order by h.created_at desc, h.id limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_personal_data()
  RETURNS TABLE (
    table_name text,
    columns    text[],
    on_erasure text,
    reason     text
  )
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select p.table_name, p.columns, p.on_erasure, p.reason from authz.personal_columns() p order by p.on_erasure, p.table_name, p.columns
$function$;

CREATE OR REPLACE FUNCTION api.list_retention (
  org_id uuid
)
  RETURNS TABLE (
    class           text,
    days            integer,
    set_by          uuid,
    set_at          timestamp with time zone,
    last_deleted_at timestamp with time zone,
    last_deleted    jsonb
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_retention.org_id);
  return query
    select r.class, r.days, r.set_by, r.set_at, d.deleted_at, d.deleted
    from app.retention_rule r
    left join lateral (select p.deleted_at, p.deleted from app.retention_receipt p where p.org_id = r.org_id and p.class = r.class
      order by p.deleted_at desc limit 1) d on true
    where r.org_id = list_retention.org_id
    order by r.class;
end
$function$;

CREATE OR REPLACE FUNCTION api.list_secrets (
  org_id uuid
)
  RETURNS TABLE (
    id         uuid,
    purpose    text,
    name       text,
    own        boolean,
    key_id     text,
    set_at     timestamp with time zone,
    wrapped_at timestamp with time zone
  )
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
begin
  perform authz.require_org(list_secrets.org_id);
  return query
    select s.id, s.purpose, s.name, s.user_id is not null, s.key_id, s.set_at, s.wrapped_at
    from app.secret s where s.org_id = list_secrets.org_id
    order by s.purpose, s.name, s.user_id limit 1000;
end
$function$;

CREATE OR REPLACE FUNCTION api.put_secret (
  org_id      uuid,
  secret_id   uuid,
  purpose     text,
  name        text,
  ciphertext  text,
  wrapped_key text,
  key_id      text,
  own         boolean DEFAULT false
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_user uuid := case when put_secret.own then authz.uid() end;
begin
  perform authz.require_org(put_secret.org_id);
  perform authz.require(put_secret.secret_id is not null, 'secret_id: a random identifier, that the boxes are bound to');
  perform authz.require(put_secret.purpose in ('connector', 'provider'), 'purpose: connector or provider');
  perform authz.require(put_secret.name ~ '^[a-z0-9][a-z0-9-]{1,39}$', 'name: 2..40 of a-z 0-9 -');
  perform authz.require(put_secret.key_id ~ '^[a-z0-9][a-z0-9-]{0,31}$', 'key_id: 1..32 of a-z 0-9 -');
  perform authz.require(put_secret.ciphertext ~ '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' and char_length(put_secret.ciphertext) between 40 and 10960,
    'ciphertext: base64; 40..10960 characters');
  perform authz.require(put_secret.wrapped_key ~ '^[A-Za-z0-9+/]{80}$', 'wrapped_key: base64; 80..80 characters');
  if put_secret.own is null or not put_secret.own and (put_secret.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate '42501' using message = 'a secret of the organization takes organization.manage';
  end if;
  update app.secret s set ciphertext = decode(put_secret.ciphertext, 'base64'), wrapped_key = decode(put_secret.wrapped_key, 'base64'),
    key_id = put_secret.key_id, set_at = now(), wrapped_at = now()
  where s.org_id = put_secret.org_id and s.id = put_secret.secret_id and s.purpose = put_secret.purpose and s.name = put_secret.name
    and s.user_id is not distinct from v_user;
  if not found then
    -- Another of this name is replaced: what was sealed for its row would not open in this one.
    delete from app.secret s where s.org_id = put_secret.org_id and s.purpose = put_secret.purpose and s.name = put_secret.name and s.user_id is not distinct from v_user;
    insert into app.secret (org_id, id, user_id, purpose, name, ciphertext, wrapped_key, key_id)
    values (put_secret.org_id, put_secret.secret_id, v_user, put_secret.purpose, put_secret.name,
      decode(put_secret.ciphertext, 'base64'), decode(put_secret.wrapped_key, 'base64'), put_secret.key_id);
  end if;
  return jsonb_build_object('secret_id', put_secret.secret_id, 'name', put_secret.name);
end
$function$;

CREATE OR REPLACE FUNCTION api.read_sealed_secret (
  org_id  uuid,
  purpose text,
  name    text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_secret app.secret;
begin
  perform authz.require_org(read_sealed_secret.org_id);
  -- One's own comes before the organization's (F37).
  select s.* into v_secret from app.secret s
  where s.org_id = read_sealed_secret.org_id and s.purpose = read_sealed_secret.purpose and s.name = read_sealed_secret.name
  order by s.user_id is null limit 1;
  if not found then
    raise sqlstate 'PT404' using message = 'no such secret: connect it first';
  end if;
  return jsonb_build_object('secret_id', v_secret.id, 'own', v_secret.user_id is not null, 'ciphertext', translate(encode(v_secret.ciphertext, 'base64'), E'\n', ''),
    'wrapped_key', translate(encode(v_secret.wrapped_key, 'base64'), E'\n', ''), 'key_id', v_secret.key_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.release_legal_hold (
  org_id  uuid,
  hold_id uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(release_legal_hold.org_id);
  perform authz.require_step_up();
  update app.legal_hold h set released_by = authz.uid(), released_at = now()
  where h.org_id = release_legal_hold.org_id and h.id = release_legal_hold.hold_id and h.released_at is null;
  if not found then
    raise sqlstate 'PT404' using message = 'no such hold that holds, or not yours to release';
  end if;
  return jsonb_build_object('hold_id', release_legal_hold.hold_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.set_legal_hold (
  org_id          uuid,
  reason          text,
  user_id         uuid DEFAULT NULL::uuid,
  conversation_id uuid DEFAULT NULL::uuid
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_id uuid;
begin
  perform authz.require_org(set_legal_hold.org_id);
  perform authz.require_step_up();
  perform authz.require(char_length(set_legal_hold.reason) between 1 and 300, 'reason: 1..300 characters');
  perform authz.require(num_nonnulls(set_legal_hold.user_id, set_legal_hold.conversation_id) <= 1, 'name a person, or a conversation, or neither for the whole organization');
  insert into app.legal_hold (org_id, user_id, conversation_id, reason)
  values (set_legal_hold.org_id, set_legal_hold.user_id, set_legal_hold.conversation_id, set_legal_hold.reason) returning id into v_id;
  return jsonb_build_object('hold_id', v_id);
end
$function$;

CREATE OR REPLACE FUNCTION api.set_retention (
  org_id uuid,
  class  text,
  days   integer DEFAULT NULL::integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  perform authz.require_org(set_retention.org_id);
  perform authz.require_step_up();
  perform authz.require(set_retention.class in ('conversations', 'tickets', 'usage'), 'class: conversations, tickets or usage');
  perform authz.require(set_retention.days is null or set_retention.days between 1 and 36500, 'days: 1..36500, or none to keep it');
  if (set_retention.org_id = any (array(select authz.orgs_with('organization.manage')))) is not true then
    raise sqlstate 'PT404' using message = 'no such organization, or not yours to manage';
  end if;
  delete from app.retention_rule r where r.org_id = set_retention.org_id and r.class = set_retention.class and set_retention.days is null;
  update app.retention_rule r set days = set_retention.days where r.org_id = set_retention.org_id and r.class = set_retention.class;
  if not found and set_retention.days is not null then
    insert into app.retention_rule (org_id, class, days) values (set_retention.org_id, set_retention.class, set_retention.days);
  end if;
  return jsonb_build_object('class', set_retention.class, 'days', set_retention.days);
end
$function$;

CREATE OR REPLACE FUNCTION authz.apply_retention()
  RETURNS TABLE (
    org_id  uuid,
    class   text,
    deleted jsonb
  )
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_rule app.retention_rule;
  v_before jsonb;
  v_deleted jsonb;
begin
  for v_rule in select r.* from app.retention_rule r order by r.org_id, r.class loop
    v_before := authz.deleted_rows();
    -- What is over and what is held, the policies say; here only which organization, so that indexes serve, and no more at once than a
    -- transaction should do: the next call goes on.
    if v_rule.class = 'conversations' then
      delete from app.conversation c where c.org_id = v_rule.org_id and c.id in (
        select o.id from app.conversation o where o.org_id = v_rule.org_id and o.created_at < authz.kept_until(v_rule.org_id, v_rule.class) limit 5000);
    elsif v_rule.class = 'tickets' then
      delete from app.support_ticket t where t.org_id = v_rule.org_id and t.id in (
        select o.id from app.support_ticket o where o.org_id = v_rule.org_id and o.created_at < authz.kept_until(v_rule.org_id, v_rule.class) limit 5000);
    else
      delete from app.usage_entry u where u.org_id = v_rule.org_id and u.id in (
        select o.id from app.usage_entry o where o.org_id = v_rule.org_id and o.on_day < authz.kept_until(v_rule.org_id, v_rule.class)::date limit 5000);
    end if;
    select coalesce(jsonb_object_agg(d.key, d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0)), '{}') into v_deleted
    from jsonb_each_text(authz.deleted_rows()) d where d.value::bigint > coalesce((v_before ->> d.key)::bigint, 0);
    if v_deleted <> '{}' then
      insert into app.retention_receipt (org_id, class, days, deleted) values (v_rule.org_id, v_rule.class, v_rule.days, v_deleted);
      org_id := v_rule.org_id; class := v_rule.class; deleted := v_deleted;
      return next;
    end if;
  end loop;
end
$function$;

ALTER FUNCTION "authz"."apply_retention"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.erasing_org_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select e.org_id from app.erasure e
  where e.requested_by = (select authz.uid()) and e.erased_in = pg_current_xact_id_if_assigned()
$function$;

CREATE OR REPLACE FUNCTION authz.erasing_user_ids()
  RETURNS SETOF uuid
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select e.user_id from app.erasure e
  where e.requested_by = (select authz.uid()) and e.erased_in = pg_current_xact_id_if_assigned()
$function$;

CREATE OR REPLACE FUNCTION authz.erasure_receipt (
  org_id uuid,
  id     uuid
)
  RETURNS jsonb
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select jsonb_build_object('erasure_id', e.id, 'org_id', e.org_id, 'user_id', e.user_id, 'erased_at', e.erased_at,
    'deleted', e.deleted, 'anonymised', e.anonymised,
    'retained', (select jsonb_agg(jsonb_build_object('table', p.table_name, 'columns', p.columns, 'reason', p.reason) order by p.table_name, p.columns)
      from authz.personal_columns() p where p.on_erasure = 'retained'))
  from app.erasure e where e.org_id = erasure_receipt.org_id and e.id = erasure_receipt.id
$function$;

CREATE OR REPLACE FUNCTION authz.explained_bot (
  org_id    uuid,
  user_id   uuid,
  object_id uuid,
  action    text
)
  RETURNS TABLE (
    policy text,
    need   integer,
    clause text,
    holds  boolean,
    found  jsonb
  )
  LANGUAGE plpgsql
  STABLE
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_org uuid := explained_bot.org_id;
  v_user uuid := explained_bot.user_id;
  v_action text := explained_bot.action;
  v_bot app.bot;
begin
  select t.* into v_bot from app.bot t where t.org_id = v_org and t.id = explained_bot.object_id;
  return query
    with manages as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'bots.manage') p),
      runs as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'bots.run') p),
      viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'bot', v_bot.id, 'viewer') g),
      member as (select s.is_caller, s.active from authz.explained_member(v_org, v_user) s)
    select 'bot_select_viewer', 1, 'holds bots.manage', m.holds, m.found from manages m
    union all select 'bot_select_viewer', 1, 'holds bots.run and it is shared with them', r.holds and v.holds, v.found from runs r, viewer v
    union all select 'bot_floor', 1, 'is an active member', m.active, null from member m
    union all select 'bot_denied_floor', 1, 'no rule takes it from them', n.holds, n.found from authz.explained_rules(v_org, v_user, 'bot', v_bot.id) n
    union all select 'bot_update_editor', 1, 'holds bots.manage', m.holds, m.found from manages m where v_action = 'change'
    union all select 'bot_update_editor', 1, 'holds bots.run and it is shared with them as editor', r.holds and g.holds, g.found
      from runs r, authz.explained_grants(v_org, v_user, 'bot', v_bot.id, 'editor') g where v_action = 'change'
    union all select 'trigger _060_in_scope', 1, 'acts through no API token, or one made for bots.manage',
      not m.is_caller or authz.in_scope(array['bots.manage']), null from member m where v_action = 'change'
    union all select 'bot_delete_nobody', 1, 'nobody: bots are archived', false, null where v_action = 'delete'
    union all select 'run_insert_self', 1, 'holds bots.run', r.holds, r.found from runs r where v_action = 'run'
    union all select 'run_insert_self', 2, 'it is shared with them', v.holds, v.found from viewer v where v_action = 'run'
    union all select 'run_insert_self', 3, 'it is in use, not archived', v_bot.archived_at is null, null where v_action = 'run';
end
$function$;

CREATE OR REPLACE FUNCTION authz.explained_document (
  org_id    uuid,
  user_id   uuid,
  object_id uuid,
  action    text
)
  RETURNS TABLE (
    policy text,
    need   integer,
    clause text,
    holds  boolean,
    found  jsonb
  )
  LANGUAGE plpgsql
  STABLE
  ROWS 20
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_org uuid := explained_document.org_id;
  v_user uuid := explained_document.user_id;
  v_writes text := case explained_document.action when 'change' then 'document_update_editor' when 'delete' then 'document_delete_editor' end;
  v_document app.document;
begin
  select t.* into v_document from app.document t where t.org_id = v_org and t.id = explained_document.object_id;
  return query
    with reads as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'documents.read') p),
      manages as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'documents.manage') p),
      viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'document', v_document.id, 'viewer') g),
      editor as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'document', v_document.id, 'editor') g),
      base_viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'knowledge_base', v_document.knowledge_base_id, 'viewer') g),
      base_editor as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'knowledge_base', v_document.knowledge_base_id, 'editor') g),
      member as (select s.is_caller, s.active from authz.explained_member(v_org, v_user) s)
    select 'document_select_reader', 1, 'holds documents.read', r.holds, r.found from reads r
    union all select 'document_select_reader', 2, 'it is the whole organization''s', v_document.visibility = 'organization', null
    union all select 'document_select_reader', 2, 'added it', v_document.owner_id = v_user, null
    union all select 'document_select_reader', 2, 'it is shared with them', v.holds, v.found from viewer v
    union all select 'document_select_reader', 2, 'its restricted knowledge base is shared with them', v_document.visibility = 'knowledge_base' and b.holds, b.found from base_viewer b
    union all select 'document_floor', 1, 'is an active member', m.active, null from member m
    union all select 'document_classification_floor', 1, 'it is public or internal', v_document.classification <= 1, null
    union all select 'document_classification_floor', 1, 'it is confidential and they hold documents.read_confidential', v_document.classification = 2 and p.holds, p.found
      from authz.explained_permission(v_org, v_user, 'documents.read_confidential') p
    union all select 'document_classification_floor', 1, 'holds documents.read_secret', p.holds, p.found
      from authz.explained_permission(v_org, v_user, 'documents.read_secret') p
    union all select 'document_denied_floor', 1, 'no rule takes it from them', n.holds, n.found from authz.explained_rules(v_org, v_user, 'document', v_document.id) n
    union all select 'document_denied_floor', 2, 'no rule takes its knowledge base from them', n.holds, n.found
      from authz.explained_rules(v_org, v_user, 'knowledge_base', v_document.knowledge_base_id) n
    union all select 'document_expired_floor', 1, 'its access was checked at its source recently enough', v_document.acl_expires_at > now(), null
    union all select 'document_expired_floor', 1, 'added it', v_document.owner_id = v_user, null
    union all select 'document_loading_floor', 1, 'it is loaded', v_document.state = 'ready', null
    union all select 'document_loading_floor', 1, 'added it', v_document.owner_id = v_user, null
    union all select v_writes, 1, 'holds documents.read', r.holds, r.found from reads r where v_writes is not null
    union all select v_writes, 2, 'added it and has not left since', v_document.owner_id = v_user and v_document.owner_left_at is null, null where v_writes is not null
    union all select v_writes, 2, 'it is shared with them as editor', e.holds, e.found from editor e where v_writes is not null
    union all select v_writes, 2, 'it is not private and its knowledge base is shared with them as editor', v_document.visibility <> 'private' and b.holds, b.found
      from base_editor b where v_writes is not null
    union all select v_writes, 2, 'holds documents.manage, and reads it other than by having added it',
      m.holds and (v_document.visibility = 'organization' or v.holds or v_document.visibility = 'knowledge_base' and b.holds), m.found
      from manages m, viewer v, base_viewer b where v_writes is not null
    union all select 'trigger _060_in_scope', 1, 'acts through no API token, or one made for documents.manage',
      not m.is_caller or authz.in_scope(array['documents.manage']), null from member m where v_writes is not null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.explained_grants (
  org_id    uuid,
  user_id   uuid,
  kind      text,
  object_id uuid,
  level     text
)
  RETURNS TABLE (
    holds boolean,
    found jsonb
  )
  LANGUAGE plpgsql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_who record;
  v_complete boolean;
  v_id uuid := explained_grants.object_id;
begin
  select s.* into v_who from authz.explained_member(explained_grants.org_id, explained_grants.user_id) s;
  -- Whether whoever asks sees every grant on it: what the select policies of the three tables say.
  v_complete := v_who.is_caller or case explained_grants.kind
    when 'bot' then explained_grants.org_id = any (array(select authz.orgs_with('bots.manage'))) or v_id = any (array(select authz.shared_bots('owner')))
    when 'knowledge_base' then exists (select from app.knowledge_base k where k.org_id = explained_grants.org_id and k.id = v_id)
      and (explained_grants.org_id = any (array(select authz.orgs_with('documents.manage'))) or v_id = any (array(select authz.granted_knowledge_bases('owner'))))
    else explained_grants.org_id = any (array(select authz.orgs_with('documents.manage'))) or v_id = any (array(select authz.granted_documents('owner')))
      or exists (select from app.document d where d.org_id = explained_grants.org_id and d.id = v_id and (d.owner_id = authz.uid()
        or d.visibility <> 'private' and d.knowledge_base_id = any (array(select authz.granted_knowledge_bases('owner')))))
    end;
  return query
    with shared as (
      select g.id, g.level, g.user_id, g.team_id, null::uuid as role_id from app.document_grant g
      where explained_grants.kind = 'document' and g.org_id = explained_grants.org_id and g.document_id = v_id
      union all
      select g.id, g.level, g.user_id, g.team_id, null from app.kb_grant g
      where explained_grants.kind = 'knowledge_base' and g.org_id = explained_grants.org_id and g.knowledge_base_id = v_id
      union all
      select g.id, g.level, g.user_id, g.team_id, g.role_id from app.bot_runner g
      where explained_grants.kind = 'bot' and g.org_id = explained_grants.org_id and g.bot_id = v_id
    ), concerned as (
      select s.id, s.level, s.user_id, s.team_id, s.role_id, v_who.active and case
        when num_nonnulls(s.user_id, s.team_id, s.role_id) = 0 then true
        when s.user_id is not null then s.user_id = explained_grants.user_id
        when s.role_id is not null then s.role_id = v_who.role_id
        when s.team_id = any (v_who.team_ids) then true
        when v_who.teams_known then false end as holds
      from shared s where s.level = any (authz.levels_from(explained_grants.level))
    )
    select case when coalesce(bool_or(c.holds), false) then true when bool_or(c.holds is null) or not v_complete then null else false end,
      jsonb_build_object('grants', coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object('id', c.id, 'level', c.level, 'team_id', c.team_id,
        'with', case when c.user_id is not null then 'member' when c.team_id is not null then 'team' when c.role_id is not null then 'role' else 'everyone' end))
        order by c.id) filter (where c.holds), '[]'))
    from concerned c;
end
$function$;

CREATE OR REPLACE FUNCTION authz.explained_knowledge_base (
  org_id    uuid,
  user_id   uuid,
  object_id uuid,
  action    text
)
  RETURNS TABLE (
    policy text,
    need   integer,
    clause text,
    holds  boolean,
    found  jsonb
  )
  LANGUAGE plpgsql
  STABLE
  ROWS 10
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_org uuid := explained_knowledge_base.org_id;
  v_user uuid := explained_knowledge_base.user_id;
  v_writes text := case explained_knowledge_base.action when 'change' then 'knowledge_base_update_manager' when 'delete' then 'knowledge_base_delete_manager' end;
  v_base app.knowledge_base;
begin
  select t.* into v_base from app.knowledge_base t where t.org_id = v_org and t.id = explained_knowledge_base.object_id;
  return query
    with reads as (select p.holds, p.found from authz.explained_permission(v_org, v_user, 'documents.read') p),
      viewer as (select g.holds, g.found from authz.explained_grants(v_org, v_user, 'knowledge_base', v_base.id, 'viewer') g),
      member as (select s.is_caller, s.active from authz.explained_member(v_org, v_user) s)
    select 'knowledge_base_select_reader', 1, 'holds documents.read', r.holds, r.found from reads r
    union all select 'knowledge_base_select_reader', 2, 'it is the whole organization''s', v_base.visibility = 'organization', null
    union all select 'knowledge_base_select_reader', 2, 'it is shared with them', v.holds, v.found from viewer v
    union all select 'knowledge_base_floor', 1, 'is an active member', m.active, null from member m
    union all select 'knowledge_base_denied_floor', 1, 'no rule takes it from them', n.holds, n.found
      from authz.explained_rules(v_org, v_user, 'knowledge_base', v_base.id) n
    union all select v_writes, 1, 'holds documents.read', r.holds, r.found from reads r where v_writes is not null
    union all select v_writes, 2, 'it is shared with them as owner', g.holds, g.found
      from authz.explained_grants(v_org, v_user, 'knowledge_base', v_base.id, 'owner') g where v_writes is not null
    union all select v_writes, 2, 'holds documents.manage and reads it', p.holds and (v_base.visibility = 'organization' or v.holds), p.found
      from authz.explained_permission(v_org, v_user, 'documents.manage') p, viewer v where v_writes is not null
    union all select 'trigger _060_in_scope', 1, 'acts through no API token, or one made for documents.manage',
      not m.is_caller or authz.in_scope(array['documents.manage']), null from member m where v_writes is not null;
end
$function$;

CREATE OR REPLACE FUNCTION authz.explained_member (
  org_id  uuid,
  user_id uuid
)
  RETURNS TABLE (
    is_caller       boolean,
    active          boolean,
    role_id         uuid,
    role            text,
    permissions     text[],
    team_ids        uuid[],
    teams_known     boolean,
    answers_id      uuid,
    answers_role_id uuid
  )
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select m.user_id = authz.uid(), v.active, m.role_id, r.name,
    case when m.user_id = authz.uid()
      then array(select p.name from app.permission p where m.org_id = any (array(select authz.orgs_with(p.name))))
      else array(select p.name from app.permission p
        where v.active and m.permissions & authz.permission_bit(p.name) <> 0
          -- A service account may what its owner may too, and nothing personal (F03).
          and (m.service_owner_id is null or not authz.is_personal(p.name) and exists (
            select from app.role s where s.org_id = m.org_id and s.id = m.service_owner_role_id and s.permissions & authz.permission_bit(p.name) <> 0)))
    end,
    array(select t.team_id from app.team_member t where v.active and t.org_id = m.org_id and t.user_id = m.user_id),
    m.user_id = authz.uid() or m.org_id = any (array(select authz.orgs_with('members.read'))),
    m.service_owner_id, m.service_owner_role_id
  from app.membership m
  join app.role r on r.org_id = m.org_id and r.id = m.role_id
  cross join lateral (select m.status = 'active' and m.service_owner_status is distinct from 'suspended') v (active)
  where m.org_id = explained_member.org_id and m.user_id = explained_member.user_id
$function$;

CREATE OR REPLACE FUNCTION authz.explained_permission (
  org_id     uuid,
  user_id    uuid,
  permission text
)
  RETURNS TABLE (
    holds boolean,
    found jsonb
  )
  LANGUAGE sql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select explained_permission.permission = any (s.permissions),
    jsonb_build_object('permission', explained_permission.permission, 'role', s.role)
  from authz.explained_member(explained_permission.org_id, explained_permission.user_id) s
$function$;

CREATE OR REPLACE FUNCTION authz.explained_row (
  org_id    uuid,
  user_id   uuid,
  kind      text,
  object_id uuid,
  action    text
)
  RETURNS TABLE (
    policy text,
    need   integer,
    clause text,
    holds  boolean,
    found  jsonb
  )
  LANGUAGE plpgsql
  STABLE
  ROWS 5
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_org uuid := explained_row.org_id;
  v_kind text := explained_row.kind;
  v_action text := explained_row.action;
  v_table text := case explained_row.kind when 'order' then 'customer_order' when 'ticket' then 'support_ticket' else explained_row.kind end;
  v_owner uuid;
  v_status text;
  v_all text := case explained_row.kind when 'order' then 'orders.read' when 'ticket' then 'tickets.read' when 'run' then 'runs.read' end;
  v_scope text[] := case explained_row.kind when 'order' then '{orders.place,orders.read}' when 'ticket' then '{tickets.create,tickets.read,tickets.manage}'
    when 'run' then '{bots.run,runs.read}' else '{bots.run}' end;
begin
  if v_kind = 'order' then
    select t.user_id into v_owner from app.customer_order t where t.org_id = v_org and t.id = explained_row.object_id;
  elsif v_kind = 'ticket' then
    select t.user_id into v_owner from app.support_ticket t where t.org_id = v_org and t.id = explained_row.object_id;
  elsif v_kind = 'run' then
    select t.user_id, t.status into v_owner, v_status from app.run t where t.org_id = v_org and t.id = explained_row.object_id;
  else
    select t.user_id into v_owner from app.conversation t where t.org_id = v_org and t.id = explained_row.object_id;
  end if;
  return query
    with member as (select s.is_caller, s.active from authz.explained_member(v_org, explained_row.user_id) s)
    select v_table || case when v_kind in ('order', 'ticket') then '_select_customer' else '_select_self' end, 1, 'it is their own', v_owner = explained_row.user_id, null::jsonb
    union all select v_table || case when v_kind in ('order', 'ticket') then '_select_customer' else '_select_self' end, 1, 'holds ' || v_all, p.holds, p.found
      from authz.explained_permission(v_org, explained_row.user_id, v_all) p where v_all is not null
    union all select v_table || '_floor', 1, 'is an active member', m.active, null from member m
    union all select v_table || '_scope_floor', 1, 'acts through no API token, or one made for ' || array_to_string(v_scope, ' or '),
      not m.is_caller or authz.in_scope(v_scope), null from member m
    union all select 'support_ticket_update_staff', 1, 'holds tickets.manage', p.holds, p.found
      from authz.explained_permission(v_org, explained_row.user_id, 'tickets.manage') p where v_action = 'change' and v_kind = 'ticket'
    union all select 'run_update_self', 1, 'it is their own', v_owner = explained_row.user_id, null where v_action = 'change' and v_kind = 'run'
    union all select 'run_update_self', 2, 'it is running', v_status = 'running', null where v_action = 'change' and v_kind = 'run'
    union all select v_table || '_update_nobody', 1, 'nobody', false, null where v_action = 'change' and v_kind in ('order', 'conversation')
    union all select v_table || '_delete_nobody', 1, 'nobody', false, null where v_action = 'delete';
end
$function$;

CREATE OR REPLACE FUNCTION authz.explained_rules (
  org_id    uuid,
  user_id   uuid,
  kind      text,
  object_id uuid
)
  RETURNS TABLE (
    holds boolean,
    found jsonb
  )
  LANGUAGE plpgsql
  STABLE
  ROWS 1
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
#variable_conflict use_column
declare
  v_who record;
  v_complete boolean := explained_rules.org_id = any (array(select authz.orgs_with('rules.manage')));
begin
  select s.* into v_who from authz.explained_member(explained_rules.org_id, explained_rules.user_id) s;
  if v_who.is_caller then
    -- Whom a rule concerns is not told of it: they do not see the object, and get no explanation of it.
    return query select explained_rules.object_id <> all (array(select authz.denied(explained_rules.kind))), '{}'::jsonb;
    return;
  end if;
  return query
    with concerned as (
      select d.id, d.reason, case
        when num_nonnulls(d.user_id, d.team_id, d.role_id) = 0 then true
        when d.user_id is not null then d.user_id = explained_rules.user_id or coalesce(d.user_id = v_who.answers_id, false)
        when d.role_id is not null then d.role_id = v_who.role_id or coalesce(d.role_id = v_who.answers_role_id, false)
        when d.team_id = any (v_who.team_ids) then true
        when v_who.teams_known then false end as denies
      from app.deny_rule d
      where d.org_id = explained_rules.org_id and explained_rules.object_id = case explained_rules.kind
        when 'document' then d.document_id when 'knowledge_base' then d.knowledge_base_id when 'bot' then d.bot_id end
    )
    select case when coalesce(bool_or(c.denies), false) then false when bool_or(c.denies is null) or not v_complete then null else true end,
      jsonb_build_object('rules', coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'reason', c.reason) order by c.id) filter (where c.denies), '[]'))
    from concerned c;
end
$function$;

CREATE OR REPLACE FUNCTION authz.is_held (
  org_id          uuid,
  user_id         uuid,
  conversation_id uuid
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return exists (select from app.legal_hold h where h.org_id = is_held.org_id and h.released_at is null
    and (num_nonnulls(h.user_id, h.conversation_id) = 0 or h.user_id = is_held.user_id or h.conversation_id = is_held.conversation_id));
end
$function$;

CREATE OR REPLACE FUNCTION authz.kept_until (
  org_id uuid,
  class  text
)
  RETURNS timestamp WITH time zone
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return (select now() - make_interval(days => r.days) from app.retention_rule r where r.org_id = kept_until.org_id and r.class = kept_until.class);
end
$function$;

CREATE OR REPLACE FUNCTION authz.names_me (
  table_name text
)
  RETURNS text
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- A condition of names from the catalog and the inventory alone.
  select '(' || string_agg(format('t.%I = authz.uid()', a.attname), ' or ' order by a.attnum) || ')'
  from authz.personal_columns() p
  join pg_attribute a on a.attrelid = to_regclass('app.' || quote_ident(p.table_name)) and a.attname = any (p.columns)
    and a.atttypid = 'uuid'::regtype and a.attname not in ('session_id', 'auth_session_id') and not a.attisdropped
  where p.table_name = names_me.table_name
$function$;

CREATE OR REPLACE FUNCTION authz.personal_columns()
  RETURNS TABLE (
    table_name text,
    columns    text[],
    on_erasure text,
    reason     text
  )
  LANGUAGE sql
  IMMUTABLE
  PARALLEL SAFE
  ROWS 60
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  values
    ('membership', '{user_id,email,service_owner_id}'::text[], 'deleted', 'goes when the person leaves, which is part of the erasure'),
    ('team_member', '{user_id}', 'deleted', 'goes with the membership'),
    ('member_activity', '{user_id}', 'deleted', 'goes with the membership'),
    ('session_choice', '{user_id,session_id}', 'deleted', 'goes with the membership'),
    ('sso_member', '{user_id}', 'deleted', 'goes with the membership'),
    ('bot_runner', '{user_id}', 'deleted', 'what was shared with the person goes with the membership'),
    ('kb_grant', '{user_id}', 'deleted', 'as that'),
    ('document_grant', '{user_id}', 'deleted', 'as that'),
    ('deny_rule', '{user_id}', 'deleted', 'rules about the person go with the membership'),
    ('conversation', '{user_id,title}', 'deleted', 'the person''s own, with all that was said'),
    ('message', '{user_id,content,citations}', 'deleted', 'goes with the conversation'),
    ('run', '{user_id,on_behalf_of,question_sha256,answer_sha256,client_id,request_id}', 'deleted', 'goes with the conversation'),
    ('run_step', '{user_id,arguments_sha256,sources}', 'deleted', 'goes with the run'),
    ('model_call', '{user_id}', 'deleted', 'goes with the run'),
    ('analytics_job', '{user_id,question,sql,ran_sql,sql_sha256,ran_sha256,session}', 'deleted', 'what the person asked of data'),
    ('analytics_result', '{user_id,rows,columns,chart,sha256}', 'deleted', 'goes with the job'),
    ('analytics_result_grant', '{user_id,created_by}', 'deleted', 'goes with the result, and with the membership of whom it was shared with'),
    ('data_source_grant', '{user_id}', 'deleted', 'what was shared with the person goes with the membership'),
    ('job_scope', '{claims}', 'retained', 'lives no longer than its transaction'),
    ('data_source', '{created_by,name,slug,description}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('metric', '{created_by,name,description,sql}', 'retained', 'as that'),
    ('column_meaning', '{meaning}', 'retained', 'the organization''s own'),
    ('uploaded_table', '{created_by,name,columns}', 'retained', 'the organization''s own; who brought it is an opaque identifier'),
    ('uploaded_row', '{data}', 'retained', 'data that the organization keeps of its own account: delete the table to delete it'),
    ('support_ticket', '{user_id,subject,body}', 'deleted', 'what the person asked for help with'),
    ('document', '{owner_id}', 'anonymised', 'private and unfinished documents are deleted with their passages and files; of the others a random identifier takes the owner''s place'),
    ('document', '{title,uri,tags}', 'retained', 'a document that the organization reads is the organization''s; private ones are deleted'),
    ('chunk', '{owner_id}', 'anonymised', 'follows the document'),
    ('chunk', '{heading,content,embedding,terms}', 'retained', 'follows the document'),
    ('document_part', '{owner_id}', 'anonymised', 'follows the document'),
    ('document_part', '{content}', 'retained', 'follows the document'),
    ('api_token', '{name}', 'anonymised', 'every token is revoked and its name blotted out; the row stays, or its session would be an ordinary one'),
    ('api_token', '{user_id,session_id}', 'retained', 'an opaque identifier: without the row a revoked session would open again'),
    ('invitation', '{email}', 'anonymised', 'of the invitation that the person accepted'),
    ('invitation', '{accepted_by,created_by}', 'retained', 'an opaque identifier: who let whom in'),
    ('customer_order', '{user_id,items}', 'retained', 'books of account are kept as long as the law says; GDPR 17(3)(b), CCPA 1798.105(d)(8)'),
    ('audit_event', '{actor_id,on_behalf_of,object_id,client_id,auth_session_id,request_id,arguments_sha256,object_sha256}', 'retained', 'the trail holds identifiers, names of acts and digests, no content; changing it would break its proof; GDPR 17(3)(b) and (e)'),
    ('departure', '{user_id,ended_by}', 'retained', 'an opaque identifier: whoever was sent away comes back only by invitation'),
    ('usage_entry', '{actor_id}', 'retained', 'an opaque identifier beside a number: what was used is billed'),
    ('deletion_receipt', '{deleted_by}', 'retained', 'proof of a deletion; an opaque identifier'),
    ('organization_export', '{requested_by}', 'retained', 'proof of who took the organization along; an opaque identifier'),
    ('erasure', '{user_id,requested_by}', 'retained', 'proof of this erasure; an opaque identifier'),
    ('legal_hold', '{user_id,created_by,released_by,reason}', 'retained', 'proof of what was held, and why'),
    ('secret', '{user_id,ciphertext,wrapped_key}', 'deleted', 'the person''s own credentials go with the membership'),
    ('secret', '{created_by}', 'retained', 'an opaque identifier: who sealed a secret of the organization'),
    ('retention_rule', '{set_by}', 'retained', 'an opaque identifier: who said how long'),
    ('organization', '{created_by,name,slug}', 'retained', 'the organization''s own; its founder is an opaque identifier'),
    ('team', '{created_by,name,slug}', 'retained', 'the organization''s own'),
    ('role', '{name}', 'retained', 'the organization''s own'),
    ('bot', '{created_by,name,slug,instructions}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('bot_version', '{created_by,name,instructions}', 'retained', 'as that: records of runs name it'),
    ('knowledge_base', '{created_by,name,slug}', 'retained', 'the organization''s own; who made it is an opaque identifier'),
    ('kb_grant', '{created_by}', 'retained', 'an opaque identifier: who shared it'),
    ('document_grant', '{created_by}', 'retained', 'as that'),
    ('deny_rule', '{created_by,reason}', 'retained', 'an opaque identifier: who made the rule, and the organization''s reason for it'),
    ('sso_group', '{created_by,name}', 'retained', 'an opaque identifier: who said so; the group is the identity provider''s')
$function$;

CREATE OR REPLACE FUNCTION authz.purge (
  org_id uuid,
  slug   text
)
  RETURNS jsonb
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_slug text;
  v_before jsonb;
  v_tables jsonb;
  v_total bigint;
  v_receipt authz.purge_receipt;
begin
  perform authz.require_person();
  perform authz.require_step_up();
  if purge.org_id in (select authz.owned_org_ids()) then
    -- In line with whoever changes members; then nobody adds anything to it any more: they wait, and find no organization.
    perform pg_advisory_xact_lock(hashtextextended(purge.org_id::text, 0));
    select o.slug into v_slug from app.organization o
    where o.id = purge.org_id and o.id in (select authz.owned_org_ids()) for update;
  end if;
  if v_slug is null then
    raise sqlstate 'PT404' using message = 'no such organization that you own';
  end if;
  if purge.slug is distinct from v_slug then
    raise sqlstate '22023' using message = 'confirm_slug: the slug of the organization, to say that you mean it';
  end if;
  perform authz.require_no_hold(purge.org_id, null);
  insert into authz.purge_receipt (organization_id) values (purge.org_id) returning * into v_receipt;
  v_before := authz.deleted_rows();
  delete from app.audit_event e where e.org_id = purge.org_id;
  delete from app.organization o where o.id = purge.org_id;
  select jsonb_object_agg(d.key, d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0)),
    sum(d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0))
    into v_tables, v_total
  from jsonb_each_text(authz.deleted_rows()) d
  where d.value::bigint > coalesce((v_before ->> d.key)::bigint, 0);
  if (v_tables ->> 'organization') is distinct from '1' then
    raise sqlstate '55000' using message = 'the database does not count what it deletes (track_counts): nothing was purged';
  end if;
  update authz.purge_receipt r set tables = v_tables, total = v_total,
    sha256 = encode(sha256(convert_to(r.organization_id || ' ' || v_tables, 'UTF8')), 'hex')
  where r.id = v_receipt.id
  returning * into v_receipt;
  return jsonb_build_object('receipt_id', v_receipt.id, 'organization_id', v_receipt.organization_id, 'purged_at', v_receipt.purged_at,
    'tables', v_receipt.tables, 'total', v_receipt.total, 'sha256', v_receipt.sha256);
end
$function$;

CREATE OR REPLACE FUNCTION authz.require_no_hold (
  org_id  uuid,
  user_id uuid
)
  RETURNS void
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  if exists (select from app.legal_hold h
    where h.org_id = require_no_hold.org_id and h.released_at is null
      and (require_no_hold.user_id is null or num_nonnulls(h.user_id, h.conversation_id) = 0 or h.user_id = require_no_hold.user_id
        or exists (select from app.conversation c where c.org_id = h.org_id and c.id = h.conversation_id and c.user_id = require_no_hold.user_id)))
  then
    raise sqlstate 'PT423' using message = 'a legal hold keeps this: nothing was deleted; ask whoever manages the organization';
  end if;
end
$function$;

CREATE OR REPLACE FUNCTION authz.rewrap_key (
  org_id       uuid,
  id           uuid,
  from_wrapped bytea,
  to_wrapped   bytea,
  key_id       text
)
  RETURNS boolean
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- Whoever set the secret anew meanwhile wrapped a new key: that one stays.
  update app.secret s set wrapped_key = rewrap_key.to_wrapped, key_id = rewrap_key.key_id, wrapped_at = now()
  where s.org_id = rewrap_key.org_id and s.id = rewrap_key.id and s.wrapped_key = rewrap_key.from_wrapped;
  return found;
end
$function$;

ALTER FUNCTION "authz"."rewrap_key"(uuid, uuid, bytea, bytea, text) OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.rows_page (
  org_id     uuid,
  table_name text,
  mine       boolean,
  after      text[],
  max_rows   integer
)
  RETURNS jsonb
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_table record;
  v_row record;
  v_rows text[] := '{}';
  v_size integer := 0;
  v_next text[];
  v_whose text := '';
begin
  select t.* into v_table from authz.organization_tables() t where t.name = rows_page.table_name;
  perform authz.require(found, 'table_name: one of the tables that the beginning of the export told');
  perform authz.require(rows_page.after is null or cardinality(rows_page.after) = cardinality(v_table.keys) and array_position(rows_page.after, null) is null,
    'after: next of the page before');
  if rows_page.mine is not false then
    v_whose := ' and ' || coalesce(authz.names_me(v_table.name), 'false');
  end if;
  -- Names and types are the catalog's; what the caller says is only ever a quoted value.
  for v_row in execute format(
    'select (to_jsonb(t) - $3)::text as line, array[%s] as place from app.%I t where t.%I = $1%s%s order by %s limit $2',
    (select string_agg(format('t.%I::text', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)),
    v_table.name, case v_table.name when 'organization' then 'id' else 'org_id' end, v_whose,
    case when rows_page.after is not null then format(' and (%s) > (%s)',
      (select string_agg(format('t.%I', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)),
      (select string_agg(format('%L::%s', rows_page.after[k.n], v_table.types[k.n]), ', ' order by k.n)
        from unnest(v_table.keys) with ordinality k (name, n))) else '' end,
    (select string_agg(format('t.%I', k.name), ', ' order by k.n) from unnest(v_table.keys) with ordinality k (name, n)))
    using rows_page.org_id, rows_page.max_rows + 1,
      -- What checks a secret; and for a person what is only computed from the text beside it.
      case when rows_page.mine is false then array['token_sha256', 'session_id'] else array['token_sha256', 'session_id', 'embedding', 'terms'] end
  loop
    -- A page is at most so many rows, and so large that the edge lets it through; one row always goes.
    if cardinality(v_rows) = rows_page.max_rows or cardinality(v_rows) > 0 and v_size + octet_length(v_row.line) > 400000 then
      return jsonb_build_object('table', v_table.name, 'rows', to_jsonb(v_rows), 'next', to_jsonb(v_next),
        'sha256', encode(sha256(convert_to(array_to_string(v_rows, E'\n'), 'UTF8')), 'hex'));
    end if;
    v_rows := v_rows || v_row.line;
    v_size := v_size + octet_length(v_row.line);
    v_next := v_row.place;
  end loop;
  return jsonb_build_object('table', v_table.name, 'rows', to_jsonb(v_rows), 'next', null,
    'sha256', encode(sha256(convert_to(array_to_string(v_rows, E'\n'), 'UTF8')), 'hex'));
end
$function$;

CREATE OR REPLACE FUNCTION authz.secret_keys()
  RETURNS TABLE (
    key_id  text,
    secrets bigint,
    oldest  timestamp with time zone
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 2
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select s.key_id, count(*), min(s.wrapped_at) from app.secret s group by s.key_id order by s.key_id
$function$;

ALTER FUNCTION "authz"."secret_keys"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.sees_object (
  org_id    uuid,
  kind      text,
  object_id uuid
)
  RETURNS boolean
  LANGUAGE sql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  -- Row security answers; only the one table that the kind names is looked at.
  select case sees_object.kind
    when 'document' then exists (select from app.document t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'knowledge_base' then exists (select from app.knowledge_base t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'bot' then exists (select from app.bot t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'order' then exists (select from app.customer_order t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'ticket' then exists (select from app.support_ticket t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'conversation' then exists (select from app.conversation t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    when 'run' then exists (select from app.run t where t.org_id = sees_object.org_id and t.id = sees_object.object_id)
    else false end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_document_receipt()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  -- An erasure deletes as ringfence_owner, and counts on a receipt of its own.
  if authz.is_purging(old.org_id) or current_user = 'ringfence_owner' then
    return old;
  end if;
  insert into app.deletion_receipt (org_id, document_id, knowledge_base_id, sha256, chunks, parts)
  select old.org_id, old.id, old.knowledge_base_id, old.sha256,
    (select count(*) from app.chunk c where c.org_id = old.org_id and c.document_id = old.id),
    (select count(*) from app.document_part p where p.org_id = old.org_id and p.document_id = old.id);
  return old;
end
$function$;

CREATE OR REPLACE FUNCTION authz.tg_erase()
  RETURNS TRIGGER
  LANGUAGE plpgsql
  SECURITY DEFINER
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
declare
  v_before jsonb;
  v_deleted jsonb;
  v_documents integer;
  v_invitations integer;
  v_tokens integer;
  -- One for all, so that what the person left stays together and leads to nobody.
  v_nobody uuid := gen_random_uuid();
begin
  perform authz.require_no_hold(new.org_id, new.user_id);
  v_before := authz.deleted_rows();
  -- Messages, runs and steps, results of jobs, passages and files go with what they hang on.
  delete from app.conversation c where c.org_id = new.org_id and c.user_id = new.user_id;
  delete from app.analytics_job j where j.org_id = new.org_id and j.user_id = new.user_id;
  delete from app.support_ticket t where t.org_id = new.org_id and t.user_id = new.user_id;
  delete from app.document d where d.org_id = new.org_id and d.owner_id = new.user_id and (d.visibility = 'private' or d.state = 'loading');
  update app.document d set owner_id = v_nobody, owner_left_at = coalesce(d.owner_left_at, now())
  where d.org_id = new.org_id and d.owner_id = new.user_id;
  get diagnostics v_documents = row_count;
  update app.invitation i set email = 'erased@erased.invalid' where i.org_id = new.org_id and i.accepted_by = new.user_id and i.email <> 'erased@erased.invalid';
  get diagnostics v_invitations = row_count;
  update app.api_token t set name = 'erased', revoked_at = coalesce(t.revoked_at, now())
  where t.org_id = new.org_id and t.user_id = new.user_id and (t.name <> 'erased' or t.revoked_at is null);
  get diagnostics v_tokens = row_count;
  select coalesce(jsonb_object_agg(d.key, d.value::bigint - coalesce((v_before ->> d.key)::bigint, 0)), '{}') into v_deleted
  from jsonb_each_text(authz.deleted_rows()) d where d.value::bigint > coalesce((v_before ->> d.key)::bigint, 0);
  update app.erasure e set deleted = v_deleted,
    anonymised = (select coalesce(jsonb_object_agg(n.key, n.value), '{}')
      from jsonb_each(jsonb_build_object('document', v_documents, 'invitation', v_invitations, 'api_token', v_tokens)) n where n.value <> '0')
  where e.org_id = new.org_id and e.id = new.id;
  return null;
end
$function$;

ALTER FUNCTION "authz"."tg_erase"() OWNER TO "ringfence_owner";

CREATE OR REPLACE FUNCTION authz.used_since (
  org_id          uuid,
  conversation_id uuid,
  since           timestamp with time zone
)
  RETURNS boolean
  LANGUAGE plpgsql
  STABLE
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
begin
  return exists (select from app.run r
    where r.org_id = used_since.org_id and r.conversation_id = used_since.conversation_id and r.started_at >= used_since.since);
end
$function$;

CREATE OR REPLACE FUNCTION authz.wrapped_keys (
  current_key_id text,
  after          uuid,
  max_rows       integer
)
  RETURNS TABLE (
    org_id      uuid,
    id          uuid,
    wrapped_key bytea,
    key_id      text
  )
  LANGUAGE sql
  STABLE
  SECURITY DEFINER
  ROWS 100
  SET search_path TO 'pg_catalog', 'pg_temp'
  AS $function$
  select s.org_id, s.id, s.wrapped_key, s.key_id from app.secret s
  where s.key_id <> wrapped_keys.current_key_id and (wrapped_keys.after is null or s.id > wrapped_keys.after)
  order by s.id limit least(wrapped_keys.max_rows, 1000)
$function$;

ALTER FUNCTION "authz"."wrapped_keys"(text, uuid, integer) OWNER TO "ringfence_owner";

ALTER TABLE "app"."erasure"
  ADD CONSTRAINT "erasure_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."legal_hold"
  ADD CONSTRAINT "legal_hold_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."retention_receipt"
  ADD CONSTRAINT "retention_receipt_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."retention_rule"
  ADD CONSTRAINT "retention_rule_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."secret"
  ADD CONSTRAINT "secret_org_id_fkey" FOREIGN KEY (org_id) REFERENCES app.organization(id) ON DELETE CASCADE;

ALTER TABLE "app"."secret"
  ADD CONSTRAINT "secret_user_id_fkey" FOREIGN KEY (org_id, user_id) REFERENCES app.membership(org_id, user_id) ON DELETE CASCADE;

CREATE INDEX erasure_org_id_user_id_idx ON app.erasure USING btree (org_id, user_id);

CREATE INDEX legal_hold_open_idx ON app.legal_hold USING btree (org_id, user_id, conversation_id)
  WHERE (released_at IS NULL);

CREATE INDEX retention_receipt_org_id_deleted_at_idx ON app.retention_receipt USING btree (org_id, deleted_at DESC);

CREATE TRIGGER _050_in_person
  BEFORE INSERT ON app.erasure
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _110_step_up
  BEFORE INSERT ON app.erasure
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _500_erase
  AFTER INSERT ON app.erasure
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_erase();

CREATE TRIGGER _900_audit
  AFTER INSERT ON app.erasure
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.legal_hold
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR UPDATE ON app.legal_hold
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.legal_hold
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.retention_rule
  FOR EACH STATEMENT
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR DELETE OR UPDATE ON app.retention_rule
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.retention_rule
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE TRIGGER _050_in_person
  BEFORE INSERT OR DELETE OR UPDATE ON app.secret
  FOR EACH STATEMENT
  WHEN ((CURRENT_USER <> 'ringfence_owner'::name))
  EXECUTE FUNCTION authz.tg_in_person();

CREATE TRIGGER _110_step_up
  BEFORE INSERT OR DELETE OR UPDATE ON app.secret
  FOR EACH ROW
  WHEN ((CURRENT_USER <> 'ringfence_owner'::name))
  EXECUTE FUNCTION authz.tg_step_up('if_enrolled');

CREATE TRIGGER _900_audit
  AFTER INSERT OR DELETE OR UPDATE ON app.secret
  FOR EACH ROW
  EXECUTE FUNCTION authz.tg_audit();

CREATE POLICY "analytics_job_delete_erasing_owner" ON "app"."analytics_job"
  FOR DELETE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "analytics_job_select_erasing_owner" ON "app"."analytics_job"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "api_token_select_erasing_owner" ON "app"."api_token"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "api_token_update_erasing_owner" ON "app"."api_token"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))))
  WITH CHECK (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids)) AND (revoked_at IS
    NOT NULL)));

CREATE POLICY "conversation_delete_erasing_owner" ON "app"."conversation"
  FOR DELETE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "conversation_delete_over_owner" ON "app"."conversation"
  FOR DELETE
  TO "ringfence_owner"
  USING
    ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (created_at < authz.kept_until(org_id, 'conversations'::text)) AND (NOT authz.is_held(org_id, user_id, id)) AND (NOT
    authz.used_since(org_id, id, authz.kept_until(org_id, 'conversations'::text)))));

CREATE POLICY "conversation_select_erasing_owner" ON "app"."conversation"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "conversation_select_over_owner" ON "app"."conversation"
  FOR SELECT
  TO "ringfence_owner"
  USING
    ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (created_at < authz.kept_until(org_id, 'conversations'::text)) AND (NOT authz.is_held(org_id, user_id, id)) AND (NOT
    authz.used_since(org_id, id, authz.kept_until(org_id, 'conversations'::text)))));

CREATE POLICY "document_delete_erasing_owner" ON "app"."document"
  FOR DELETE
  TO "ringfence_owner"
  USING
    (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (owner_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids)) AND ((visibility = 'private'::text)
    OR (state = 'loading'::text))));

CREATE POLICY "document_select_erasing_owner" ON "app"."document"
  FOR SELECT
  TO "ringfence_owner"
  USING ((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)));

CREATE POLICY "document_update_erasing_owner" ON "app"."document"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (owner_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))))
  WITH CHECK (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (owner_left_at IS NOT NULL) AND (visibility <> 'private'::text)));

CREATE POLICY "erasure_delete_nobody" ON "app"."erasure"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "erasure_floor" ON "app"."erasure"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "erasure_update_nobody" ON "app"."erasure"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "invitation_select_erasing_owner" ON "app"."invitation"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (accepted_by IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "invitation_update_erasing_owner" ON "app"."invitation"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (accepted_by IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))))
  WITH
    CHECK
    (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (accepted_by IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids)) AND (email =
    'erased@erased.invalid'::text)));

CREATE POLICY "legal_hold_delete_nobody" ON "app"."legal_hold"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "legal_hold_floor" ON "app"."legal_hold"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "legal_hold_select_erasing_owner" ON "app"."legal_hold"
  FOR SELECT
  TO "ringfence_owner"
  USING
    (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) OR (org_id IN ( SELECT authz.owned_org_ids() AS owned_org_ids)) OR ( SELECT authz.runs_the_queue() AS
    runs_the_queue)));

CREATE POLICY "legal_hold_select_manager" ON "app"."legal_hold"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('audit.read'::text) AS
    orgs_with)))));

CREATE POLICY "legal_hold_update_manager" ON "app"."legal_hold"
  FOR UPDATE
  TO "authenticated"
  USING (((released_at IS NULL) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with)))))
  WITH
    CHECK
    (((COALESCE(released_by, ( SELECT authz.uid() AS uid)) = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS
    orgs_with)))));

CREATE POLICY "retention_receipt_delete_nobody" ON "app"."retention_receipt"
  FOR DELETE
  TO "authenticated"
  USING (false);

CREATE POLICY "retention_receipt_floor" ON "app"."retention_receipt"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "retention_receipt_insert_nobody" ON "app"."retention_receipt"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (false);

CREATE POLICY "retention_receipt_insert_owner" ON "app"."retention_receipt"
  FOR INSERT
  TO "ringfence_owner"
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "retention_receipt_select_manager" ON "app"."retention_receipt"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('audit.read'::text) AS
    orgs_with)))));

CREATE POLICY "retention_receipt_update_nobody" ON "app"."retention_receipt"
  FOR UPDATE
  TO "authenticated"
  USING (false)
  WITH CHECK (false);

CREATE POLICY "retention_rule_delete_manager" ON "app"."retention_rule"
  FOR DELETE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "retention_rule_floor" ON "app"."retention_rule"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "retention_rule_select_manager" ON "app"."retention_rule"
  FOR SELECT
  TO "authenticated"
  USING
    (((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('audit.read'::text) AS
    orgs_with)))));

CREATE POLICY "retention_rule_select_worker_owner" ON "app"."retention_rule"
  FOR SELECT
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "retention_rule_update_manager" ON "app"."retention_rule"
  FOR UPDATE
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))));

CREATE POLICY "run_select_upkeep_owner" ON "app"."run"
  FOR SELECT
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "secret_delete_manager" ON "app"."secret"
  FOR DELETE
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR ((user_id IS NULL) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))))));

CREATE POLICY "secret_floor" ON "app"."secret"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))))
  WITH CHECK ((org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids))));

CREATE POLICY "secret_scope_floor" ON "app"."secret"
  AS RESTRICTIVE
  FOR ALL
  TO "authenticated"
  USING (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope))
  WITH CHECK (( SELECT authz.in_scope(ARRAY['bots.run'::text]) AS in_scope));

CREATE POLICY "secret_select_upkeep_owner" ON "app"."secret"
  FOR SELECT
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "secret_select_user" ON "app"."secret"
  FOR SELECT
  TO "authenticated"
  USING
    (((user_id = ( SELECT authz.uid() AS uid)) OR ((user_id IS NULL) AND ((org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))) OR (org_id = ANY
    (ARRAY( SELECT authz.orgs_with('bots.run'::text) AS orgs_with)))))));

CREATE POLICY "secret_update_manager" ON "app"."secret"
  FOR UPDATE
  TO "authenticated"
  USING (((user_id = ( SELECT authz.uid() AS uid)) OR ((user_id IS NULL) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))))))
  WITH CHECK (((user_id = ( SELECT authz.uid() AS uid)) OR ((user_id IS NULL) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with))))));

CREATE POLICY "secret_update_upkeep_owner" ON "app"."secret"
  FOR UPDATE
  TO "ringfence_owner"
  USING (( SELECT authz.runs_the_queue() AS runs_the_queue))
  WITH CHECK (( SELECT authz.runs_the_queue() AS runs_the_queue));

CREATE POLICY "support_ticket_delete_erasing_owner" ON "app"."support_ticket"
  FOR DELETE
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "support_ticket_delete_over_owner" ON "app"."support_ticket"
  FOR DELETE
  TO "ringfence_owner"
  USING
    ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (status = 'closed'::text) AND (created_at < authz.kept_until(org_id, 'tickets'::text)) AND (NOT authz.is_held(org_id,
    user_id, NULL::uuid))));

CREATE POLICY "support_ticket_select_erasing_owner" ON "app"."support_ticket"
  FOR SELECT
  TO "ringfence_owner"
  USING (((org_id IN ( SELECT authz.erasing_org_ids() AS erasing_org_ids)) AND (user_id IN ( SELECT authz.erasing_user_ids() AS erasing_user_ids))));

CREATE POLICY "support_ticket_select_over_owner" ON "app"."support_ticket"
  FOR SELECT
  TO "ringfence_owner"
  USING
    ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (status = 'closed'::text) AND (created_at < authz.kept_until(org_id, 'tickets'::text)) AND (NOT authz.is_held(org_id,
    user_id, NULL::uuid))));

CREATE POLICY "usage_entry_delete_over_owner" ON "app"."usage_entry"
  FOR DELETE
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (on_day < (authz.kept_until(org_id, 'usage'::text))::date) AND (NOT authz.is_held(org_id, actor_id, NULL::uuid))));

CREATE POLICY "usage_entry_select_over_owner" ON "app"."usage_entry"
  FOR SELECT
  TO "ringfence_owner"
  USING ((( SELECT authz.runs_the_queue() AS runs_the_queue) AND (on_day < (authz.kept_until(org_id, 'usage'::text))::date) AND (NOT authz.is_held(org_id, actor_id, NULL::uuid))));

COMMENT ON COLUMN "app"."erasure"."anonymised" IS 'Rows that name nobody any more, by table.';

COMMENT ON COLUMN "app"."erasure"."deleted" IS 'Rows deleted, by table, as PostgreSQL counted them.';

COMMENT ON COLUMN "app"."erasure"."erased_at" IS 'When.';

COMMENT ON COLUMN "app"."erasure"."erased_in" IS 'The transaction that did it: in it alone the row is an order.';

COMMENT ON COLUMN "app"."erasure"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."erasure"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."erasure"."user_id" IS 'Whose data: an identifier that names nobody here any more.';

COMMENT ON COLUMN "app"."legal_hold"."conversation_id" IS 'The conversation, or null. No foreign key: who sets the hold does not see it.';

COMMENT ON COLUMN "app"."legal_hold"."created_at" IS 'Since when.';

COMMENT ON COLUMN "app"."legal_hold"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."legal_hold"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."legal_hold"."reason" IS 'Why, for whoever reviews the holds; 1..300 characters.';

COMMENT ON COLUMN "app"."legal_hold"."released_at" IS 'Until when, or null while it holds.';

COMMENT ON COLUMN "app"."legal_hold"."released_by" IS 'Who released it, or null.';

COMMENT ON COLUMN "app"."legal_hold"."user_id" IS 'The person whose data is held, or null. No foreign key: they may have left.';

COMMENT ON COLUMN "app"."retention_receipt"."class" IS 'As in app.retention_rule.';

COMMENT ON COLUMN "app"."retention_receipt"."days" IS 'The days that the rule said then.';

COMMENT ON COLUMN "app"."retention_receipt"."deleted" IS 'Rows deleted, by table, as PostgreSQL counted them.';

COMMENT ON COLUMN "app"."retention_receipt"."deleted_at" IS 'When.';

COMMENT ON COLUMN "app"."retention_receipt"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."retention_receipt"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."retention_rule"."class" IS 'conversations (with messages, runs and steps, since the last run), tickets (closed ones), usage.';

COMMENT ON COLUMN "app"."retention_rule"."days" IS 'Days; 1..36500.';

COMMENT ON COLUMN "app"."retention_rule"."id" IS 'Random identifier.';

COMMENT ON COLUMN "app"."retention_rule"."org_id" IS 'The organization.';

COMMENT ON COLUMN "app"."retention_rule"."set_at" IS 'When.';

COMMENT ON COLUMN "app"."secret"."ciphertext" IS 'Nonce and AES-256-GCM box of the secret, under a key of its own.';

COMMENT ON COLUMN "app"."secret"."id" IS 'Random identifier, chosen by whoever seals; part of what the boxes are bound to.';

COMMENT ON COLUMN "app"."secret"."key_id" IS 'Which of the operator''s keys.';

COMMENT ON COLUMN "app"."secret"."name" IS 'What it is for; 2..40 of a-z 0-9 -.';

COMMENT ON COLUMN "app"."secret"."org_id" IS 'The organization; part of what the boxes are bound to.';

COMMENT ON COLUMN "app"."secret"."purpose" IS 'connector or provider.';

COMMENT ON COLUMN "app"."secret"."set_at" IS 'When the secret last changed.';

COMMENT ON COLUMN "app"."secret"."user_id" IS 'The member whose own it is; null: the organization''s.';

COMMENT ON COLUMN "app"."secret"."wrapped_at" IS 'When its key was last wrapped.';

COMMENT ON COLUMN "app"."secret"."wrapped_key" IS 'Nonce and AES-256-GCM box of that key, under a key of the operator.';

COMMENT ON FUNCTION "api"."delete_secret"(uuid, uuid) IS 'Delete a secret: your own, or with organization.manage the organization''s.

@audience app
@param org_id     the organization
@param secret_id  the secret
@returns          {secret_id}
@errors           22004, 42501, PT401, PT404
@effect           destructive';

COMMENT ON FUNCTION "api"."erase_me"(uuid, text) IS 'Erase what an organization holds about you and leave it, for good: conversations, tickets and private documents; export it first. Keep the receipt, which is shown this once.

@audience app
@param org_id        the organization; needs a recent second factor of your own
@param confirm_slug  name of an organization: its slug, typed to say that you mean it
@returns             {erasure_id, org_id, user_id, erased_at, deleted: {table: rows}, anonymised: {table: rows}, retained: [{table, columns, reason}]}
@errors              22004, 22023, 42501, PT401, PT404, PT409, PT423
@effect              destructive';

COMMENT ON FUNCTION "api"."erase_member"(uuid, uuid) IS 'Erase what the organization holds about a member or former member, ending the membership, for good: conversations, tickets and private documents.

@audience app
@param org_id   the organization; needs members.manage, members.read and a recent second factor of your own
@param user_id  the person; for yourself there is erase_me
@returns        {erasure_id, org_id, user_id, erased_at, deleted: {table: rows}, anonymised: {table: rows}, retained: [{table, columns, reason}]}
@errors         22004, 22023, 42501, PT401, PT404, PT409, PT423
@effect         destructive';

COMMENT ON FUNCTION "api"."explain_access"(uuid, text, uuid, text, uuid) IS 'Explain why a person can or cannot reach an object: every policy that applies, its clauses, and the role, grant or rule each was decided by.

@audience app
@param org_id     the organization
@param kind       document, knowledge_base, bot, order, ticket, conversation or run
@param object_id  the object; one you cannot see yourself is answered like one that does not exist
@param action     read, change, delete or run
@param user_id    another member, with members.manage and members.read; leave it out for yourself in this session. For another member the answer is about a session of their own, with a second factor where the organization requires one
@returns          {kind, id, action, user_id, verdict (allowed, denied, undetermined: a grant or rule you may not see would decide), decided_by: [{policy, clause, found}], policies: [{policy, restrictive, holds, clauses: [{need, clause, holds, found}]}]}; all policies must hold, in each every need, of each need one clause
@errors           22004, 22023, 42501, PT404
@effect           read';

COMMENT ON FUNCTION "api"."export_me"(uuid, text, text[], integer) IS 'Give what an organization holds about you: first the tables with the number of rows, then their rows page by page, without what checks a secret.

@audience app
@param org_id      the organization; needs a recent second factor of your own
@param table_name  name of a table that the first answer told; leave it out for the first answer
@param after       next of the page before; leave it out for the first page
@param max_rows    number of rows; 1..1000
@returns           {org_id, user_id, email, at, tables: {table: rows}}; with table_name {table, rows: [text], next (null: that was the last page), sha256 (of the rows with a line feed between them)}
@errors            22004, 22023, 42501, PT401, PT404
@effect            read';

COMMENT ON FUNCTION "api"."list_legal_holds"(uuid) IS 'List the legal holds of an organization, released ones too.

@audience app
@param org_id  the organization; needs organization.manage or audit.read
@returns       array of {id, user_id, conversation_id, reason, created_by, created_at, released_by, released_at}; newest first, at most 1000
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_personal_data"() IS 'List which columns of which tables name a person or hold what one wrote, and what an erasure does with them.

@audience app
@returns  array of {table_name, columns, on_erasure (deleted, anonymised, retained), reason}
@effect   read';

COMMENT ON FUNCTION "api"."list_retention"(uuid) IS 'List how long an organization keeps what, and what was deleted last because its time was over.

@audience app
@param org_id  the organization; needs organization.manage or audit.read
@returns       array of {class, days, set_by, set_at, last_deleted_at, last_deleted: {table: rows}}
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."list_secrets"(uuid) IS 'List the organization''s secrets and your own, without what is sealed.

@audience app
@param org_id  the organization
@returns       array of {id, purpose, name, own, key_id, set_at, wrapped_at}; at most 1000
@errors        22004
@effect        read';

COMMENT ON FUNCTION "api"."purge_organization"(uuid, text) IS 'Delete an organization with everything in it, for good: members, documents, conversations, records. Export it first. Keep the receipt, which is shown this once.

@audience app
@param org_id        the organization, suspended or not; needs its built-in role owner and a recent second factor of your own
@param confirm_slug  name of an organization: its slug, typed to say that you mean it
@returns             {receipt_id, organization_id, purged_at, tables: {table: rows deleted}, total, sha256}
@errors              22004, 22023, 42501, PT401, PT404, PT423
@effect              destructive';

COMMENT ON FUNCTION "api"."put_secret"(uuid, uuid, text, text, text, text, text, boolean) IS 'Keep a secret of a connector or provider, sealed for its row; another of the same name is replaced.

@audience app
@param org_id       the organization
@param secret_id    random identifier of the row, that both boxes are bound to
@param purpose      connector or provider
@param name         what it is for; 2..40 of a-z 0-9 -
@param ciphertext   nonce and box of the secret, base64; 40..10960 characters
@param wrapped_key  nonce and box of its key, base64; 80..80 characters
@param key_id       which key of the operator wraps it; 1..32 of a-z 0-9 -
@param own          true: for yourself alone; false: for the organization, with organization.manage
@returns            {secret_id, name}
@errors             22004, 22023, 23505, 42501, PT401
@effect             write';

COMMENT ON FUNCTION "api"."read_sealed_secret"(uuid, text, text) IS 'Give a secret as it is kept, sealed: your own of that name, or else the organization''s. Only the operator''s key opens it.

@audience app
@param org_id   the organization
@param purpose  connector or provider
@param name     name of a secret
@returns        {secret_id, own, ciphertext (base64), wrapped_key (base64), key_id}
@errors         22004, PT404
@effect         read';

COMMENT ON FUNCTION "api"."release_legal_hold"(uuid, uuid) IS 'Release a legal hold; it stays on the record.

@audience app
@param org_id   the organization; needs organization.manage and a recent second factor of your own
@param hold_id  the hold
@returns        {hold_id}
@errors         22004, 42501, PT401, PT404
@effect         write';

COMMENT ON FUNCTION "api"."set_legal_hold"(uuid, text, uuid, uuid) IS 'Keep a person''s data, a conversation, or everything of the organization from being erased, purged or deleted by retention, until the hold is released.

@audience app
@param org_id           the organization; needs organization.manage and a recent second factor of your own
@param reason           why; 1..300 characters
@param user_id          the person whose data is held, a member or not; or leave it out
@param conversation_id  the conversation, or leave it out; without both everything is held
@returns                {hold_id}
@errors                 22004, 22023, 42501, PT401
@effect                 write';

COMMENT ON FUNCTION "api"."set_retention"(uuid, text, integer) IS 'Say how long an organization keeps a class of data; the job deletes what is older, unless a legal hold keeps it.

@audience app
@param org_id  the organization; needs organization.manage and a recent second factor of your own
@param class   conversations, tickets or usage
@param days    days since the last run of a conversation, since a ticket that is closed was opened, since a day of usage; 1..36500; leave it out to keep it as long as there is the organization
@returns       {class, days}
@errors        22004, 22023, 42501, PT401, PT404
@effect        write';

COMMENT ON FUNCTION "authz"."apply_retention"() IS 'Delete what is over by the rules of each organization and held by nothing, at most 5000 of a class at once, and note it; called again until it deletes nothing.';

COMMENT ON FUNCTION "authz"."erasing_org_ids"() IS 'The organizations in which the person asking has somebody''s data erased in this transaction.';

COMMENT ON FUNCTION "authz"."erasing_user_ids"() IS 'Whose data the person asking has erased in this transaction.';

COMMENT ON FUNCTION "authz"."erasure_receipt"(uuid, uuid) IS 'What an erasure one may see deleted, anonymised and retained, and why.';

COMMENT ON FUNCTION "authz"."explained_bot"(uuid, uuid, uuid, text) IS 'The policies on a bot one may see, clause by clause, for a member.';

COMMENT ON FUNCTION "authz"."explained_document"(uuid, uuid, uuid, text) IS 'The policies on a document one may see, clause by clause, for a member.';

COMMENT ON FUNCTION "authz"."explained_grants"(uuid, uuid, text, uuid, text) IS 'Whether a document, knowledge base or bot is shared with a member at a level or above, and by which grants; null when a grant one may not see could say so.';

COMMENT ON FUNCTION "authz"."explained_knowledge_base"(uuid, uuid, uuid, text) IS 'The policies on a knowledge base one may see, clause by clause, for a member.';

COMMENT ON FUNCTION "authz"."explained_member"(uuid, uuid) IS 'What a member one may see holds now: in this very session for oneself, in a session of their own for somebody else. No row for whom one may not see.';

COMMENT ON FUNCTION "authz"."explained_permission"(uuid, uuid, text) IS 'Whether a member one may see holds a permission now, and by which role.';

COMMENT ON FUNCTION "authz"."explained_row"(uuid, uuid, text, uuid, text) IS 'The policies on an order, ticket, conversation or run one may see, clause by clause, for a member.';

COMMENT ON FUNCTION "authz"."explained_rules"(uuid, uuid, text, uuid) IS 'Whether no deny rule takes a document, knowledge base or bot from a member, and which do; null when a rule one may not see could.';

COMMENT ON FUNCTION "authz"."is_held"(uuid, uuid, uuid) IS 'Whether a legal hold keeps what is this person''s or in this conversation; null for neither. For the job.';

COMMENT ON FUNCTION "authz"."kept_until"(uuid, text) IS 'What is older than this is over in this organization; null where nothing says how long it is kept. For the job.';

COMMENT ON FUNCTION "authz"."names_me"(text) IS 'The condition by which a row t of a table names the person asking: the columns of the inventory that hold people. Null for a table without one.';

COMMENT ON FUNCTION "authz"."personal_columns"() IS 'The inventory: which columns name a person or hold what one wrote, what an erasure does with them (deleted, anonymised, retained), and why.';

COMMENT ON FUNCTION "authz"."require_no_hold"(uuid, uuid) IS 'Raise PT423 while a hold keeps anything of this person in this organization, or with null anything of the organization; asked by erasure and purge.';

COMMENT ON FUNCTION "authz"."rewrap_key"(uuid, uuid, bytea, bytea, text) IS 'Put the same key of a secret in another wrapping, unless it changed meanwhile; for the rotation.';

COMMENT ON FUNCTION "authz"."rows_page"(uuid, text, boolean, text[], integer) IS 'A page of the rows of a table of an organization that the person asking may read, or of those that name them; for the exports.';

COMMENT ON FUNCTION "authz"."secret_keys"() IS 'Which keys of the operator wrap how many keys of secrets, and since when at the longest; for the rotation and the doctor.';

COMMENT ON FUNCTION "authz"."sees_object"(uuid, text, uuid) IS 'Whether the person asking may see an object of this kind now.';

COMMENT ON FUNCTION "authz"."tg_erase"() IS 'Trigger: carry out an erasure, whose policies have said that it may be, unless a legal hold is in the way (PT423).';

COMMENT ON FUNCTION "authz"."used_since"(uuid, uuid, timestamp with time zone) IS 'Whether something ran in a conversation since then. For the job.';

COMMENT ON FUNCTION "authz"."wrapped_keys"(text, uuid, integer) IS 'Keys of secrets that another than this key of the operator wraps, and nothing of the secrets, by row, after the one named; for the rotation.';

COMMENT ON POLICY "analytics_job_delete_erasing_owner" ON "app"."analytics_job" IS 'It deletes them, with their results.';

COMMENT ON POLICY "analytics_job_select_erasing_owner" ON "app"."analytics_job" IS 'An erasure finds the jobs of whom it is about.';

COMMENT ON POLICY "api_token_select_erasing_owner" ON "app"."api_token" IS 'An erasure finds the API tokens of whom it is about.';

COMMENT ON POLICY "api_token_update_erasing_owner" ON "app"."api_token" IS 'It revokes them and blots their names out.';

COMMENT ON POLICY "conversation_delete_erasing_owner" ON "app"."conversation" IS 'It deletes them, with all that was said.';

COMMENT ON POLICY "conversation_delete_over_owner" ON "app"."conversation" IS 'It deletes that and nothing else.';

COMMENT ON POLICY "conversation_select_erasing_owner" ON "app"."conversation" IS 'An erasure finds the conversations of whom it is about.';

COMMENT ON POLICY "conversation_select_over_owner" ON "app"."conversation" IS 'The job of retention finds what is over by the organization''s rule and held by nothing.';

COMMENT ON POLICY "document_delete_erasing_owner" ON "app"."document" IS 'It deletes what was theirs alone, and what they were still loading.';

COMMENT ON POLICY "document_select_erasing_owner" ON "app"."document" IS 'An erasure finds what whom it is about added, also when the owner it names is somebody else already.';

COMMENT ON POLICY "document_update_erasing_owner" ON "app"."document" IS 'It takes them out of what the organization reads.';

COMMENT ON POLICY "erasure_delete_nobody" ON "app"."erasure" IS 'The record stays.';

COMMENT ON POLICY "erasure_floor" ON "app"."erasure" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "erasure_update_nobody" ON "app"."erasure" IS 'The record stays as it is.';

COMMENT ON POLICY "invitation_select_erasing_owner" ON "app"."invitation" IS 'An erasure finds the invitation that whom it is about accepted.';

COMMENT ON POLICY "invitation_update_erasing_owner" ON "app"."invitation" IS 'It blots their address out of it.';

COMMENT ON POLICY "legal_hold_delete_nobody" ON "app"."legal_hold" IS 'The record stays.';

COMMENT ON POLICY "legal_hold_floor" ON "app"."legal_hold" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "legal_hold_select_erasing_owner" ON "app"."legal_hold" IS 'An erasure, a purge and the job of retention see whether something is held.';

COMMENT ON POLICY "legal_hold_select_manager" ON "app"."legal_hold" IS 'organization.manage and audit.read see the holds; whom one concerns is not told of it.';

COMMENT ON POLICY "legal_hold_update_manager" ON "app"."legal_hold" IS 'organization.manage releases one that holds, in its own name; it stays on the record.';

COMMENT ON POLICY "retention_receipt_delete_nobody" ON "app"."retention_receipt" IS 'Append-only.';

COMMENT ON POLICY "retention_receipt_floor" ON "app"."retention_receipt" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "retention_receipt_insert_nobody" ON "app"."retention_receipt" IS 'Only the job writes here.';

COMMENT ON POLICY "retention_receipt_insert_owner" ON "app"."retention_receipt" IS 'The job notes what it deleted.';

COMMENT ON POLICY "retention_receipt_select_manager" ON "app"."retention_receipt" IS 'organization.manage and audit.read see what was deleted.';

COMMENT ON POLICY "retention_receipt_update_nobody" ON "app"."retention_receipt" IS 'Append-only.';

COMMENT ON POLICY "retention_rule_delete_manager" ON "app"."retention_rule" IS 'organization.manage takes a rule back.';

COMMENT ON POLICY "retention_rule_floor" ON "app"."retention_rule" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "retention_rule_select_manager" ON "app"."retention_rule" IS 'organization.manage and audit.read see how long what is kept.';

COMMENT ON POLICY "retention_rule_select_worker_owner" ON "app"."retention_rule" IS 'The job that deletes what is over reads the rules of every organization.';

COMMENT ON POLICY "retention_rule_update_manager" ON "app"."retention_rule" IS 'organization.manage changes the days.';

COMMENT ON POLICY "run_select_upkeep_owner" ON "app"."run" IS 'The job of retention sees when a conversation was last used.';

COMMENT ON POLICY "secret_delete_manager" ON "app"."secret" IS 'As for insert.';

COMMENT ON POLICY "secret_floor" ON "app"."secret" IS 'Whatever else is allowed, never outside one''s own organizations.';

COMMENT ON POLICY "secret_scope_floor" ON "app"."secret" IS 'An API token reaches secrets only to run bots; every other session passes.';

COMMENT ON POLICY "secret_select_upkeep_owner" ON "app"."secret" IS 'The rotation sees wrapped keys, and of secrets nothing: the columns granted say so.';

COMMENT ON POLICY "secret_select_user" ON "app"."secret" IS 'One''s own; the organization''s for who runs bots, sealed: without the operator''s key it says nothing.';

COMMENT ON POLICY "secret_update_manager" ON "app"."secret" IS 'As for insert.';

COMMENT ON POLICY "secret_update_upkeep_owner" ON "app"."secret" IS 'It puts the same key in another wrapping.';

COMMENT ON POLICY "support_ticket_delete_erasing_owner" ON "app"."support_ticket" IS 'It deletes them.';

COMMENT ON POLICY "support_ticket_delete_over_owner" ON "app"."support_ticket" IS 'It deletes that and nothing else.';

COMMENT ON POLICY "support_ticket_select_erasing_owner" ON "app"."support_ticket" IS 'An erasure finds the tickets of whom it is about.';

COMMENT ON POLICY "support_ticket_select_over_owner" ON "app"."support_ticket" IS 'The job of retention finds what is closed, over by the organization''s rule and held by nothing.';

COMMENT ON POLICY "usage_entry_delete_over_owner" ON "app"."usage_entry" IS 'It deletes that and nothing else.';

COMMENT ON POLICY "usage_entry_select_over_owner" ON "app"."usage_entry" IS 'The job of retention finds what is over by the organization''s rule and held by nothing.';

COMMENT ON TABLE "app"."erasure" IS 'Proof that a person''s data was erased in an organization: numbers by table.';

COMMENT ON TABLE "app"."legal_hold" IS 'Keeps a person''s data, a conversation or (naming neither) everything of the organization from being erased, purged or deleted by retention.';

COMMENT ON TABLE "app"."retention_receipt" IS 'Proof that something was deleted because its time was over: numbers by table.';

COMMENT ON TABLE "app"."retention_rule" IS 'How long an organization keeps a class of data; without a row for as long as there is the organization.';

COMMENT ON TABLE "app"."secret" IS 'A secret of a connector or provider, sealed.';

REVOKE ALL ON FUNCTION "api"."delete_secret"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."delete_secret"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."delete_secret"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."delete_secret"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."erase_me"(uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."erase_me"(uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."erase_me"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."erase_me"(uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."erase_member"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."erase_member"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."erase_member"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."erase_member"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."explain_access"(uuid, text, uuid, text, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."explain_access"(uuid, text, uuid, text, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."explain_access"(uuid, text, uuid, text, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."explain_access"(uuid, text, uuid, text, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."export_me"(uuid, text, text[], integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."export_me"(uuid, text, text[], integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."export_me"(uuid, text, text[], integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."export_me"(uuid, text, text[], integer) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_legal_holds"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_legal_holds"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_legal_holds"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_legal_holds"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_personal_data"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_personal_data"() TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_personal_data"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_personal_data"() TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_retention"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_retention"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_retention"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_retention"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."list_secrets"(uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."list_secrets"(uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."list_secrets"(uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."list_secrets"(uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."put_secret"(uuid, uuid, text, text, text, text, text, boolean) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."put_secret"(uuid, uuid, text, text, text, text, text, boolean) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."put_secret"(uuid, uuid, text, text, text, text, text, boolean) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."put_secret"(uuid, uuid, text, text, text, text, text, boolean) TO "postgres";

REVOKE ALL ON FUNCTION "api"."read_sealed_secret"(uuid, text, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."read_sealed_secret"(uuid, text, text) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."read_sealed_secret"(uuid, text, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."read_sealed_secret"(uuid, text, text) TO "postgres";

REVOKE ALL ON FUNCTION "api"."release_legal_hold"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."release_legal_hold"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."release_legal_hold"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."release_legal_hold"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_legal_hold"(uuid, text, uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_legal_hold"(uuid, text, uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_legal_hold"(uuid, text, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_legal_hold"(uuid, text, uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "api"."set_retention"(uuid, text, integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "api"."set_retention"(uuid, text, integer) TO "authenticated";

REVOKE ALL ON FUNCTION "api"."set_retention"(uuid, text, integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "api"."set_retention"(uuid, text, integer) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."apply_retention"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."apply_retention"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."apply_retention"() TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."apply_retention"() TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."erasing_org_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."erasing_org_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."erasing_org_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."erasing_org_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."erasing_user_ids"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."erasing_user_ids"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."erasing_user_ids"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."erasing_user_ids"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."erasure_receipt"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."erasure_receipt"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."erasure_receipt"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."erasure_receipt"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_bot"(uuid, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_bot"(uuid, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_bot"(uuid, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_bot"(uuid, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_document"(uuid, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_document"(uuid, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_document"(uuid, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_document"(uuid, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_grants"(uuid, uuid, text, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_grants"(uuid, uuid, text, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_grants"(uuid, uuid, text, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_grants"(uuid, uuid, text, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_knowledge_base"(uuid, uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_knowledge_base"(uuid, uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_knowledge_base"(uuid, uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_knowledge_base"(uuid, uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_member"(uuid, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_member"(uuid, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_member"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_member"(uuid, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_permission"(uuid, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_permission"(uuid, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_permission"(uuid, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_permission"(uuid, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_row"(uuid, uuid, text, uuid, text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_row"(uuid, uuid, text, uuid, text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_row"(uuid, uuid, text, uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_row"(uuid, uuid, text, uuid, text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."explained_rules"(uuid, uuid, text, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."explained_rules"(uuid, uuid, text, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."explained_rules"(uuid, uuid, text, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."explained_rules"(uuid, uuid, text, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."is_held"(uuid, uuid, uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."is_held"(uuid, uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_held"(uuid, uuid, uuid) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."is_held"(uuid, uuid, uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."kept_until"(uuid, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."kept_until"(uuid, text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."kept_until"(uuid, text) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."kept_until"(uuid, text) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."names_me"(text) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."names_me"(text) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."names_me"(text) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."names_me"(text) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."personal_columns"() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."personal_columns"() TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."personal_columns"() FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."personal_columns"() TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."personal_columns"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."require_no_hold"(uuid, uuid) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."require_no_hold"(uuid, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_no_hold"(uuid, uuid) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."require_no_hold"(uuid, uuid) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."rewrap_key"(uuid, uuid, bytea, bytea, text) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."rewrap_key"(uuid, uuid, bytea, bytea, text) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."rewrap_key"(uuid, uuid, bytea, bytea, text) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."rewrap_key"(uuid, uuid, bytea, bytea, text) TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."rows_page"(uuid, text, boolean, text[], integer) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."rows_page"(uuid, text, boolean, text[], integer) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."rows_page"(uuid, text, boolean, text[], integer) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."rows_page"(uuid, text, boolean, text[], integer) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."secret_keys"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."secret_keys"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."secret_keys"() TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."secret_keys"() TO "ringfence_worker";

REVOKE ALL ON FUNCTION "authz"."sees_object"(uuid, text, uuid) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION "authz"."sees_object"(uuid, text, uuid) TO "authenticated";

REVOKE ALL ON FUNCTION "authz"."sees_object"(uuid, text, uuid) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."sees_object"(uuid, text, uuid) TO "postgres";

REVOKE ALL ON FUNCTION "authz"."tg_erase"() FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."tg_erase"() FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."tg_erase"() TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."used_since"(uuid, uuid, timestamp WITH time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."used_since"(uuid, uuid, timestamp WITH time zone) FROM "postgres";

GRANT EXECUTE ON FUNCTION "authz"."used_since"(uuid, uuid, timestamp WITH time zone) TO "postgres";

GRANT EXECUTE ON FUNCTION "authz"."used_since"(uuid, uuid, timestamp WITH time zone) TO "ringfence_owner";

REVOKE ALL ON FUNCTION "authz"."wrapped_keys"(text, uuid, integer) FROM PUBLIC;

REVOKE ALL ON FUNCTION "authz"."wrapped_keys"(text, uuid, integer) FROM "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."wrapped_keys"(text, uuid, integer) TO "ringfence_owner";

GRANT EXECUTE ON FUNCTION "authz"."wrapped_keys"(text, uuid, integer) TO "ringfence_worker";

REVOKE ALL ON TABLE "app"."analytics_job" FROM "ringfence_owner";

REVOKE ALL ("attempts") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("attempts") ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("error_code") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("error_code") ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("error_message") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("error_message") ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("ran_sha256") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("ran_sha256") ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("ran_sql") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("ran_sql") ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("started_at") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("started_at") ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("status") ON TABLE "app"."analytics_job" FROM "ringfence_owner";

GRANT UPDATE ("status") ON TABLE "app"."analytics_job" TO "ringfence_owner";

GRANT DELETE, SELECT ON TABLE "app"."analytics_job" TO "ringfence_owner";

REVOKE ALL ("name") ON TABLE "app"."api_token" FROM "ringfence_owner";

GRANT UPDATE ("name") ON TABLE "app"."api_token" TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."conversation" FROM "ringfence_owner";

REVOKE ALL ("created_at") ON TABLE "app"."conversation" FROM "ringfence_owner";

GRANT SELECT ("created_at") ON TABLE "app"."conversation" TO "ringfence_owner";

REVOKE ALL ("id") ON TABLE "app"."conversation" FROM "ringfence_owner";

GRANT SELECT ("id") ON TABLE "app"."conversation" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."conversation" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."conversation" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."conversation" FROM "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."conversation" TO "ringfence_owner";

GRANT DELETE ON TABLE "app"."conversation" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."erasure" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."erasure" TO "authenticated";

GRANT SELECT ON TABLE "app"."erasure" TO "authenticated";

GRANT UPDATE ("anonymised") ON TABLE "app"."erasure" TO "ringfence_owner";

GRANT UPDATE ("deleted") ON TABLE "app"."erasure" TO "ringfence_owner";

GRANT SELECT ON TABLE "app"."erasure" TO "ringfence_owner";

REVOKE ALL ("email") ON TABLE "app"."invitation" FROM "ringfence_owner";

GRANT UPDATE ("email") ON TABLE "app"."invitation" TO "ringfence_owner";

GRANT INSERT ("conversation_id") ON TABLE "app"."legal_hold" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."legal_hold" TO "authenticated";

GRANT INSERT ("reason") ON TABLE "app"."legal_hold" TO "authenticated";

GRANT UPDATE ("released_at") ON TABLE "app"."legal_hold" TO "authenticated";

GRANT UPDATE ("released_by") ON TABLE "app"."legal_hold" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."legal_hold" TO "authenticated";

GRANT SELECT ON TABLE "app"."legal_hold" TO "authenticated", "ringfence_owner";

GRANT SELECT ON TABLE "app"."retention_receipt" TO "authenticated";

GRANT INSERT ("class") ON TABLE "app"."retention_receipt" TO "ringfence_owner";

GRANT INSERT ("days") ON TABLE "app"."retention_receipt" TO "ringfence_owner";

GRANT INSERT ("deleted") ON TABLE "app"."retention_receipt" TO "ringfence_owner";

GRANT INSERT ("org_id") ON TABLE "app"."retention_receipt" TO "ringfence_owner";

GRANT INSERT ("class") ON TABLE "app"."retention_rule" TO "authenticated";

GRANT INSERT ("days"), UPDATE ("days") ON TABLE "app"."retention_rule" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."retention_rule" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."retention_rule" TO "authenticated";

GRANT SELECT ON TABLE "app"."retention_rule" TO "ringfence_owner";

REVOKE ALL ("conversation_id") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("conversation_id") ON TABLE "app"."run" TO "ringfence_owner";

REVOKE ALL ("started_at") ON TABLE "app"."run" FROM "ringfence_owner";

GRANT SELECT ("started_at") ON TABLE "app"."run" TO "ringfence_owner";

GRANT INSERT ("ciphertext"), UPDATE ("ciphertext") ON TABLE "app"."secret" TO "authenticated";

GRANT INSERT ("id") ON TABLE "app"."secret" TO "authenticated";

GRANT INSERT ("key_id"), UPDATE ("key_id") ON TABLE "app"."secret" TO "authenticated";

GRANT INSERT ("name") ON TABLE "app"."secret" TO "authenticated";

GRANT INSERT ("org_id") ON TABLE "app"."secret" TO "authenticated";

GRANT INSERT ("purpose") ON TABLE "app"."secret" TO "authenticated";

GRANT UPDATE ("set_at") ON TABLE "app"."secret" TO "authenticated";

GRANT INSERT ("user_id") ON TABLE "app"."secret" TO "authenticated";

GRANT UPDATE ("wrapped_at") ON TABLE "app"."secret" TO "authenticated";

GRANT INSERT ("wrapped_key"), UPDATE ("wrapped_key") ON TABLE "app"."secret" TO "authenticated";

GRANT DELETE, SELECT ON TABLE "app"."secret" TO "authenticated";

GRANT SELECT ("id") ON TABLE "app"."secret" TO "ringfence_owner";

GRANT SELECT ("key_id"), UPDATE ("key_id") ON TABLE "app"."secret" TO "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."secret" TO "ringfence_owner";

GRANT SELECT ("wrapped_at"), UPDATE ("wrapped_at") ON TABLE "app"."secret" TO "ringfence_owner";

GRANT SELECT ("wrapped_key"), UPDATE ("wrapped_key") ON TABLE "app"."secret" TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."support_ticket" FROM "ringfence_owner";

REVOKE ALL ("created_at") ON TABLE "app"."support_ticket" FROM "ringfence_owner";

GRANT SELECT ("created_at") ON TABLE "app"."support_ticket" TO "ringfence_owner";

REVOKE ALL ("id") ON TABLE "app"."support_ticket" FROM "ringfence_owner";

GRANT SELECT ("id") ON TABLE "app"."support_ticket" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."support_ticket" FROM "ringfence_owner";

GRANT SELECT ("org_id") ON TABLE "app"."support_ticket" TO "ringfence_owner";

REVOKE ALL ("status") ON TABLE "app"."support_ticket" FROM "ringfence_owner";

GRANT SELECT ("status") ON TABLE "app"."support_ticket" TO "ringfence_owner";

REVOKE ALL ("user_id") ON TABLE "app"."support_ticket" FROM "ringfence_owner";

GRANT SELECT ("user_id") ON TABLE "app"."support_ticket" TO "ringfence_owner";

GRANT DELETE ON TABLE "app"."support_ticket" TO "ringfence_owner";

REVOKE ALL ON TABLE "app"."usage_entry" FROM "ringfence_owner";

REVOKE ALL ("actor_id") ON TABLE "app"."usage_entry" FROM "ringfence_owner";

GRANT INSERT ("actor_id"), SELECT ("actor_id") ON TABLE "app"."usage_entry" TO "ringfence_owner";

REVOKE ALL ("amount") ON TABLE "app"."usage_entry" FROM "ringfence_owner";

GRANT INSERT ("amount") ON TABLE "app"."usage_entry" TO "ringfence_owner";

REVOKE ALL ("id") ON TABLE "app"."usage_entry" FROM "ringfence_owner";

GRANT SELECT ("id") ON TABLE "app"."usage_entry" TO "ringfence_owner";

REVOKE ALL ("measure") ON TABLE "app"."usage_entry" FROM "ringfence_owner";

GRANT INSERT ("measure") ON TABLE "app"."usage_entry" TO "ringfence_owner";

REVOKE ALL ("on_day") ON TABLE "app"."usage_entry" FROM "ringfence_owner";

GRANT SELECT ("on_day") ON TABLE "app"."usage_entry" TO "ringfence_owner";

REVOKE ALL ("org_id") ON TABLE "app"."usage_entry" FROM "ringfence_owner";

GRANT INSERT ("org_id"), SELECT ("org_id") ON TABLE "app"."usage_entry" TO "ringfence_owner";

GRANT DELETE ON TABLE "app"."usage_entry" TO "ringfence_owner";

CREATE POLICY "erasure_insert_requester" ON "app"."erasure"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((requested_by = ( SELECT authz.uid() AS uid)) AND (((user_id = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.org_ids() AS org_ids)))) OR ((org_id = ANY
    (ARRAY( SELECT authz.orgs_with('members.manage'::text) AS orgs_with))) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('members.read'::text) AS orgs_with))) AND
    (NOT (user_id IN ( SELECT m.user_id
   FROM app.membership m
  WHERE (m.org_id = erasure.org_id))))))));

CREATE POLICY "erasure_select_owner" ON "app"."erasure"
  FOR SELECT
  TO "ringfence_owner"
  USING (((requested_by = ( SELECT authz.uid() AS uid)) AND (erased_in = pg_current_xact_id_if_assigned())));

CREATE POLICY "erasure_select_requester" ON "app"."erasure"
  FOR SELECT
  TO "authenticated"
  USING (((requested_by = ( SELECT authz.uid() AS uid)) OR (org_id = ANY (ARRAY( SELECT authz.orgs_with('audit.read'::text) AS orgs_with)))));

CREATE POLICY "erasure_update_owner" ON "app"."erasure"
  FOR UPDATE
  TO "ringfence_owner"
  USING (((requested_by = ( SELECT authz.uid() AS uid)) AND (erased_in = pg_current_xact_id_if_assigned())))
  WITH CHECK (((requested_by = ( SELECT authz.uid() AS uid)) AND (erased_in = pg_current_xact_id_if_assigned())));

COMMENT ON COLUMN "app"."erasure"."requested_by" IS 'Who asked: the person, or who manages members.';

COMMENT ON POLICY "erasure_insert_requester" ON "app"."erasure" IS 'For oneself, while a member; members.manage for who is a member no more: ending the membership has guards of its own.';

COMMENT ON POLICY "erasure_select_owner" ON "app"."erasure" IS 'The trigger, and the policies it works under, see the order of this transaction.';

COMMENT ON POLICY "erasure_select_requester" ON "app"."erasure" IS 'One sees what one asked for; audit.read the organization''s.';

COMMENT ON POLICY "erasure_update_owner" ON "app"."erasure" IS 'The trigger fills in its numbers.';

CREATE POLICY "legal_hold_insert_manager" ON "app"."legal_hold"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((created_by = ( SELECT authz.uid() AS uid)) AND (released_at IS NULL) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with)))));

COMMENT ON COLUMN "app"."legal_hold"."created_by" IS 'Who set it.';

COMMENT ON POLICY "legal_hold_insert_manager" ON "app"."legal_hold" IS 'organization.manage sets holds, in its own name.';

CREATE POLICY "retention_rule_insert_manager" ON "app"."retention_rule"
  FOR INSERT
  TO "authenticated"
  WITH CHECK (((set_by = ( SELECT authz.uid() AS uid)) AND (org_id = ANY (ARRAY( SELECT authz.orgs_with('organization.manage'::text) AS orgs_with)))));

COMMENT ON COLUMN "app"."retention_rule"."set_by" IS 'Who set it first.';

COMMENT ON POLICY "retention_rule_insert_manager" ON "app"."retention_rule" IS 'organization.manage says so, in its own name.';

CREATE POLICY "secret_insert_manager" ON "app"."secret"
  FOR INSERT
  TO "authenticated"
  WITH
    CHECK
    (((created_by = ( SELECT authz.uid() AS uid)) AND ((user_id = ( SELECT authz.uid() AS uid)) OR ((user_id IS NULL) AND (org_id = ANY (ARRAY( SELECT
    authz.orgs_with('organization.manage'::text) AS orgs_with)))))));

COMMENT ON COLUMN "app"."secret"."created_by" IS 'Who sealed it first.';

COMMENT ON POLICY "secret_insert_manager" ON "app"."secret" IS 'One''s own; for the organization organization.manage, in its own name.';

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
