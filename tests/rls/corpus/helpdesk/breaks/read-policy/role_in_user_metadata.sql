-- Class:    Role from user_metadata claim
-- Culprit:  public.audit_log
-- Command:  select
--
-- A second policy for the company's own staff, who are told by a flag they set themselves.

create policy audit_log_read_staff on public.audit_log for select to authenticated
  using ((((select auth.jwt()) -> 'user_metadata') ->> 'is_staff')::boolean);

-- @as forger
select * from audit_log where org_id = :acme
