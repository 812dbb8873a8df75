-- Class:    Share link: "has a token" instead of "holds the token"
-- Culprit:  public.shared_links
-- Command:  select
--
-- Every token of every organization, with the id of its document.

create policy shared_links_public on public.shared_links for select to anon, authenticated using (token is not null and expires_at > now());
grant select on public.shared_links to anon;

-- @as anon
select * from shared_links where org_id = :acme
