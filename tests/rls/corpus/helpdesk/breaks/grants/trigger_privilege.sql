-- Class:    TRIGGER privilege granted
-- Culprit:  public.notifications
-- Command:  state
--
-- A client that may create a function in its temporary schema puts a trigger on the table, which runs as whoever writes next.

grant trigger on public.notifications to authenticated;

-- @as otto
create function pg_temp.spy() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger spy before update on public.notifications for each row execute function pg_temp.spy();
select 1
