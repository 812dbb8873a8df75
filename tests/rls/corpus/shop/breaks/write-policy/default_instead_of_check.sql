-- Class:    Tenant column has a default and no check
-- Culprit:  public.stock_moves
-- Command:  insert
--
-- The default is the caller's company; who writes the column chooses another.

drop policy stock_moves_add on public.stock_moves;
create policy stock_moves_add on public.stock_moves for insert to authenticated with check (moved_by = (select auth.uid()));

-- @as bert
insert into stock_moves (company_id, sku, quantity) values (1, 'sku-1', -10)
