-- Class:    UNIQUE not scoped by tenant (index on an expression)
-- Culprit:  public.projects
-- Command:  insert
--
-- An index, not a constraint: it stands in no list of constraints.

create unique index projects_name_lower_idx on public.projects (lower(name));

-- @as gina differs
insert into projects (org_id, name) values (:globex, 'acme PROJECT')
-- @or
insert into projects (org_id, name) values (:globex, 'nobody PROJECT')
