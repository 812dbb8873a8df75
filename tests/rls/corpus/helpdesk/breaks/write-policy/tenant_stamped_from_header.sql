-- Class:    Trigger stamps the tenant from something a client sends
-- Culprit:  public.canned_replies | private.stamp_org()
-- Command:  insert
--
-- The policy asks whether the row's author is the caller, "the tenant is set by the trigger".

create function private.stamp_org() returns trigger language plpgsql set search_path = '' as $$
begin
  new.org_id := (current_setting('request.headers', true)::json ->> 'x-org-id')::uuid;
  return new;
end
$$;
create trigger canned_replies_stamp before insert on public.canned_replies for each row execute function private.stamp_org();
drop policy canned_replies_add on public.canned_replies;
create policy canned_replies_add on public.canned_replies for insert to authenticated with check (created_by = (select auth.uid()));

-- @as gina header x-org-id=aaaaaaaa-0000-4000-8000-000000000001
insert into canned_replies (shortcut, body) values ('a', 'planted')
-- @seen
select 1 from public.canned_replies where org_id = :acme and body = 'planted'
