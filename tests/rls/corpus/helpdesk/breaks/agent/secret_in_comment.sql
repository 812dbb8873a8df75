-- Class:    Secret in a comment
-- Culprit:  public.webhooks
-- Command:  state
--
-- Comments are readable by every role, and PostgREST prints them in its OpenAPI description.

comment on table public.webhooks is 'Called with the header authorization: Bearer sk_live_51H8sK2eZvKYlo2C0aBcDeFg';

-- @as anon
select * from pg_catalog.pg_description where description like '%sk_live_51H8%'
