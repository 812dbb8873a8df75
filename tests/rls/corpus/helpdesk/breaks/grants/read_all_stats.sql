-- Class:    Predefined role granted (pg_read_all_stats)
-- Culprit:  role authenticated | role pg_read_all_stats
-- Command:  state
--
-- The texts of everybody's statements.

-- @patch as supabase_admin
grant pg_read_all_stats to authenticated with inherit true;

-- @seen
select 'ACME typed here'
-- @as otto
set local role pg_read_all_stats;
select * from pg_stat_activity where query like '%ACME typed%'

-- @undo
revoke pg_read_all_stats from authenticated;
