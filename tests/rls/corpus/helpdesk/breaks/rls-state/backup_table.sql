-- Class:    Backup made with CREATE TABLE AS
-- Culprit:  public.documents_backup
-- Command:  select
--
-- A copy before a risky migration, readable "for the support tool".

create table public.documents_backup as select * from public.documents;
grant select on public.documents_backup to authenticated;

-- @as gina
select * from documents_backup where org_id = :acme
