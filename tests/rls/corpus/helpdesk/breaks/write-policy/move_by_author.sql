-- Class:    UPDATE check names the author and not the tenant
-- Culprit:  public.canned_replies
-- Command:  move

drop policy canned_replies_edit on public.canned_replies;
create policy canned_replies_edit on public.canned_replies for update to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}')) with check (created_by = (select auth.uid()));

-- @as gus
update canned_replies set org_id = :acme, created_by = :gus
-- @seen
select * from public.canned_replies where org_id = :acme and body like 'GLOBEX%'
