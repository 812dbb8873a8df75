-- Class:    Private bucket made public
-- Culprit:  storage.buckets | bucket org-files | storage.objects
-- Command:  state
--
-- Public buckets are served without asking any policy: the path is enough, and the path is guessed or forwarded.

update storage.buckets set public = true where id = 'org-files';

-- @seen
select 1 from storage.buckets where id = 'org-files' and public
