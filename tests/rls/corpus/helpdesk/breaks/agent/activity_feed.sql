-- Class:    Trigger copies rows into a shared feed
-- Culprit:  public.activity_feed
-- Command:  select
--
-- The rows come from protected tables; the feed is a table of its own with a policy of its own.

create table public.activity_feed (id uuid primary key default gen_random_uuid(), line text not null, at timestamptz not null default now());
alter table public.activity_feed enable row level security;
create policy activity_feed_read on public.activity_feed for select to authenticated using (true);
grant select on public.activity_feed to authenticated;
create function private.feed() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.activity_feed (line) values (new.subject || ' was opened');
  return null;
end
$$;
create trigger tickets_feed after insert on public.tickets for each row execute function private.feed();

-- @as mia
insert into tickets (org_id, customer_id, number, subject) select org_id, id, 5, 'ACME lawsuit' from customers where org_id = :acme
-- @as gina
select * from activity_feed where line like 'ACME%'
