"""Policies that let in too much, cost too much, or read what they must not."""

from __future__ import annotations

from tests.db.catalog.plants.plant import FLOOR, TABLE, plants

POLICIES = [
    *plants(
        "f07",
        ("drop trigger _110_step_up on app.role", "app.role"),
        ("alter table app.deny_rule disable trigger _110_step_up", "app.deny_rule"),
        ("drop trigger _110_step_up on app.sso_group; create trigger _110_step_up before insert or update on app.sso_group"
         " for each row execute function authz.tg_step_up('if_enrolled')", "app.sso_group"),
        ("drop trigger _110_step_up on app.budget; create trigger _110_step_up after insert or update or delete on app.budget"
         " for each row execute function authz.tg_step_up('if_enrolled')", "app.budget"),
        ("create policy planted on app.support_ticket for delete to authenticated"
         " using (org_id = any (array(select authz.orgs_with('members.manage'))))", "app.support_ticket")),
    *plants(
        "a6",
        (f"create policy planted on app.chunk using ({FLOOR}) with check ({FLOOR})", "app.chunk.planted"),
        (f"create policy planted on app.chunk for select to anon using ({FLOOR})", "app.chunk.planted"),
        (f"create policy planted on app.chunk for update to authenticated using ({FLOOR})", "app.chunk.planted"),
        (f"create policy planted on app.chunk for all to authenticated with check ({FLOOR})", "app.chunk.planted"),
        ("create policy planted on app.chunk for delete to authenticated", "app.chunk.planted"),
        ("create policy planted on app.chunk for insert to authenticated", "app.chunk.planted"),
        (f"create policy planted on app.chunk for select to authenticated, service_role using ({FLOOR})", "app.chunk.planted"),
        ("create policy planted on auth.users for select using (true)", "auth.users.planted")),
    *plants(
        "a18",
        (f"create policy planted on app.chunk for select to authenticated using ({FLOOR})", "app.chunk"),
        (f"create policy planted on app.chunk for delete using ({FLOOR})", "app.chunk"),
        ("drop policy team_insert_manager on app.team", "app.team"),
        (f"drop policy chunk_update_nobody on app.chunk; create policy planted on app.chunk as restrictive for update to authenticated using ({FLOOR}) with check ({FLOOR})", "app.chunk"),
        ("create policy planted on app.job_lease for select to authenticated using (false)", "app.job_lease")),
    *plants(
        "a7",
        ("create policy planted on app.run for select to authenticated using (user_id = authz.uid())", "app.run.planted"),
        ("create policy planted on app.run for select to authenticated using (org_id in (select authz.org_ids()) and user_id = auth.uid())",
         "app.run.planted"),
        ("create policy planted on app.run for insert to authenticated with check (auth.jwt() ->> 'aal' = 'aal2')", "app.run.planted"),
        ("alter policy run_select_self on app.run using (user_id = (select authz.uid()) or user_id = authz.uid())", "app.run.run_select_self"),
        ("create function app.mine(org uuid) returns boolean language sql as 'select true';"
         " create policy planted on app.run for select to authenticated using (app.mine(org_id))", "app.run.planted")),
    *plants(
        "r17",
        ("alter policy chunk_select_reader on app.chunk using (true)", "app.chunk.chunk_select_reader"),
        ("alter policy run_select_self on app.run using (1 = 1)", "app.run.run_select_self"),
        ("alter policy bot_select_viewer on app.bot using (org_id = org_id)", "app.bot.bot_select_viewer"),
        ("alter policy document_update_editor on app.document with check (true)", "app.document.document_update_editor"),
        ("create policy planted on app.membership for select to authenticated using (exists (select from app.role))", "app.membership.planted"),
        ("create policy planted on app.message for insert to authenticated with check (not false)", "app.message.planted")),
    *plants(
        "r19",
        (TABLE, "app.planted"),
        ("drop policy chunk_floor on app.chunk", "app.chunk"),
        ("drop policy organization_floor on app.organization", "app.organization"),
        (f"drop policy run_floor on app.run; create policy run_floor on app.run for all to authenticated using ({FLOOR}) with check ({FLOOR})",
         "app.run"),
        (f"drop policy run_floor on app.run; create policy run_floor on app.run as restrictive for select to authenticated using ({FLOOR})",
         "app.run"),
        (f"drop policy run_floor on app.run; create policy run_floor on app.run as restrictive to anon using ({FLOOR}) with check ({FLOOR})",
         "app.run"),
        ("alter policy bot_floor on app.bot with check (true)", "app.bot"),
        (f"alter policy bot_floor on app.bot using ({FLOOR} or true)", "app.bot")),
    *plants(
        "r20",
        ("create policy planted on app.run for select to authenticated"
         " using (org_id::text = auth.jwt() -> 'user_metadata' ->> 'org')", "app.run.planted"),
        ("create policy planted on app.run for select to authenticated"
         " using (org_id::text = current_setting('request.headers', true)::json ->> 'x-org-id')", "app.run.planted"),
        ("create policy planted on app.run for select to authenticated using (user_id = (select auth.uid()))", "app.run.planted"),
        ("create function authz.planted() returns text language sql as $$select auth.role()$$", "authz.planted()"),
        ("create function authz.planted() returns text language sql as $$select current_setting('request.cookies')$$", "authz.planted()"),
        ("create function authz.planted() returns text language sql as $$select current_setting('request.jwt.claims')$$", "authz.planted()"),
        ("alter table app.run alter user_id set default auth.uid()", "app.run.user_id"),
        ("create view app.planted as select current_setting('request.header.x-org-id') as org", "app.planted")),
    *plants(
        "r22",
        ("create policy planted on app.membership for select to authenticated"
         " using (org_id in (select m.org_id from app.membership m where m.user_id = (select authz.uid())))", "app.membership"),
        ("create policy planted on app.knowledge_base for select to authenticated using (id in (select b.knowledge_base_id from app.bot_binding b))",
         ("app.bot_binding", "app.knowledge_base")),
        ("create policy planted on app.customer_order for select to authenticated using (exists (select from app.conversation c, app.support_ticket t"
         " where t.order_id = customer_order.id))", ("app.customer_order", "app.support_ticket"))),
]
