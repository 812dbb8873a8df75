-- Class:    NO FORCE + owner-executed path
-- Culprit:  public.survey_answers | public.survey_remarks()
-- Command:  select
--
-- survey_remarks() runs as the table's owner, whom policies bind only while row security is forced.

alter table public.survey_answers no force row level security;

-- @as gina
select * from survey_remarks() where org_id = :acme
