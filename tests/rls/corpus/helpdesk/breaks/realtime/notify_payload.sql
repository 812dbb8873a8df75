-- Class:    Row contents sent with pg_notify
-- Culprit:  private.notify_ticket() | public.tickets
-- Command:  state
--
-- Whoever has a database session may LISTEN: the channel asks nobody.

create function private.notify_ticket() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  perform pg_notify('tickets', to_jsonb(new)::text);
  return null;
end
$$;
create trigger tickets_notify after insert or update on public.tickets for each row execute function private.notify_ticket();

-- @seen
select 1 from pg_trigger where tgname = 'tickets_notify'
