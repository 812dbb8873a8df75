-- Class:    UPDATE WITH CHECK (true)
-- Culprit:  public.canned_replies
-- Command:  move
--
-- A row of one's own is moved into another organization. No WHERE: with one, the read policy would refuse the new row.

drop policy canned_replies_edit on public.canned_replies;
create policy canned_replies_edit on public.canned_replies for update to authenticated
  using (private.has_org_role(org_id, '{member,admin,owner}')) with check (true);

-- @as gus
update canned_replies set org_id = :acme
-- @seen
select * from public.canned_replies where org_id = :acme and body like 'GLOBEX%'
