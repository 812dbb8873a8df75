-- Class:    FK not tenant-composite
-- Culprit:  public.documents
-- Command:  insert
--
-- A document of one's own may hang on a foreign project: its existence is told, and deleting the project deletes the document.

alter table public.documents drop constraint documents_org_id_project_id_fkey;
alter table public.documents add foreign key (project_id) references public.projects (id) on delete cascade;
update public.documents set project_id = null;
update public.projects set id = 'd0000000-0000-4000-8000-000000000003' where org_id = 'aaaaaaaa-0000-4000-8000-000000000001';

-- @as gina differs
insert into documents (org_id, title, project_id) values (:globex, 'probe', 'd0000000-0000-4000-8000-000000000003')
-- @or
insert into documents (org_id, title, project_id) values (:globex, 'probe', 'd0000000-0000-4000-8000-000000000009')
