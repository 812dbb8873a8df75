-- Class:    Column grant widened (plan/billing column)
-- Culprit:  public.organizations
-- Command:  update
--
-- The admin of a free organization puts it on the paid plan.

grant update on public.organizations to authenticated;

-- @as adam
update organizations set plan_id = 'pro' where id = :acme
