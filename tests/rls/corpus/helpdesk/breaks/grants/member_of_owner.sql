-- Class:    API role made a member of a table's owner
-- Culprit:  role authenticated | role desk_owner | public.survey_answers
-- Command:  state
--
-- Members of the owning role may do what the owner may: switch row security off.

grant desk_owner to authenticated with inherit true;

-- @as gina
alter table public.survey_answers disable row level security;
select * from survey_answers where org_id = :acme

-- @undo
revoke desk_owner from authenticated;
