-- Class:    Column grant widened (secret column)
-- Culprit:  public.suppliers
-- Command:  select

grant select on public.suppliers to authenticated;

-- @as carl
select iban from suppliers
