-- What a search in this transaction is for, so that it can stand in a policy: a question asked as `terms @@ query` is not leakproof,
-- so PostgreSQL checks the policy first and reads every passage of the organization. As part of a policy it is of one rank with
-- the other conditions, and the index on (org_id, terms) serves them all. Whoever writes these settings narrows what
-- authz.matching_chunks() sees, and can do nothing else.
create function authz.search_org_id() returns uuid
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_org text := current_setting('ringfence.search_org_id', true);
begin
  if pg_input_is_valid(v_org, 'uuid') is not true then
    return null;
  end if;
  return (select o.id from authz.orgs_with('documents.read') o (id) where o.id = v_org::uuid);
end
$$;
comment on function authz.search_org_id() is 'The organization being searched in this transaction, where the person may read documents; otherwise null.';
revoke all on function authz.search_org_id() from public;
grant execute on function authz.search_org_id() to ringfence_owner;

create function authz.search_terms() returns tsquery
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  v_terms text := current_setting('ringfence.search_terms', true);
begin
  return case when pg_input_is_valid(v_terms, 'tsquery') then v_terms::tsquery end;
end
$$;
comment on function authz.search_terms() is 'The words being searched for in this transaction, or null.';
revoke all on function authz.search_terms() from public;
grant execute on function authz.search_terms() to ringfence_owner;
