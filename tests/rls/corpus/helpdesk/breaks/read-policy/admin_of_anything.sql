-- Class:    Admin of any organization passes for admin of this one
-- Culprit:  public.audit_log
-- Command:  select
--
-- Whoever makes an organization of their own is an owner somewhere.

create policy audit_log_read_admins on public.audit_log for select to authenticated
  using ((select auth.uid()) in (select m.user_id from public.memberships m where m.role in ('admin', 'owner')));

-- @as gina
select * from audit_log where org_id = :acme
