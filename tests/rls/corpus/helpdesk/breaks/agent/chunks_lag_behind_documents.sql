-- Class:    Embeddings readable although their documents are not
-- Culprit:  public.document_chunks
-- Command:  select

drop policy document_chunks_read on public.document_chunks;
create policy document_chunks_read on public.document_chunks for select to authenticated using (embedding is not null);

-- @as gina
select content from document_chunks where org_id = :acme
