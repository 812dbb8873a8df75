-- Class:    Default privileges open future tables
-- Culprit:  schema public | public | role authenticated | default privileges
-- Command:  state
--
-- Nothing leaks today. The exploit is the next migration, played here by its own two lines.

alter default privileges in schema public grant all on tables to anon, authenticated;

-- @seen
create table public.next_month (id int, note text); insert into public.next_month values (1, 'ACME')
-- @as anon
select * from next_month
