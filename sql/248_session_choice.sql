-- The organization a person chose for one of their sessions (F11). The access token hook puts it into the claim org_id of that
-- session's next token; until then nothing changes, and it never lets anybody see more.
create table app.session_choice (
  org_id uuid not null references app.organization (id) on delete cascade,
  user_id uuid not null,
  session_id uuid not null,
  chosen_at timestamptz not null default clock_timestamp(),
  primary key (org_id, user_id, session_id),
  constraint session_choice_user_id_fkey foreign key (org_id, user_id) references app.membership (org_id, user_id) on delete cascade
);
comment on table app.session_choice is 'Which one of their organizations a session of a person is for; it goes with the membership.';
comment on column app.session_choice.org_id is 'The organization chosen.';
comment on column app.session_choice.user_id is 'The person.';
comment on column app.session_choice.session_id is 'The session of Supabase Auth.';
comment on column app.session_choice.chosen_at is 'When; of two rows of a session the later counts.';

alter table app.session_choice enable row level security;
alter table app.session_choice force row level security;
create policy session_choice_select_self on app.session_choice for select to authenticated
  using (user_id = (select authz.uid()));
create policy session_choice_insert_nobody on app.session_choice for insert to authenticated with check (false);
create policy session_choice_update_nobody on app.session_choice for update to authenticated using (false) with check (false);
create policy session_choice_delete_nobody on app.session_choice for delete to authenticated using (false);
create policy session_choice_floor on app.session_choice as restrictive for all to authenticated
  using (org_id = any (array(select authz.org_ids())))
  with check (org_id = any (array(select authz.org_ids())));
create policy session_choice_select_owner on app.session_choice for select to ringfence_owner
  using (user_id = (select authz.uid()));
create policy session_choice_insert_owner on app.session_choice for insert to ringfence_owner
  with check (user_id = (select authz.uid()) and session_id = (select authz.session_id()));
create policy session_choice_delete_owner on app.session_choice for delete to ringfence_owner
  using (user_id = (select authz.uid()));
comment on policy session_choice_select_self on app.session_choice is 'One sees what one chose.';
comment on policy session_choice_insert_nobody on app.session_choice is 'Through api.choose_organization only.';
comment on policy session_choice_update_nobody on app.session_choice is 'Through api.choose_organization only.';
comment on policy session_choice_delete_nobody on app.session_choice is 'Through api.choose_organization only.';
comment on policy session_choice_floor on app.session_choice is 'Whatever else is allowed, never outside one''s own organizations.';
comment on policy session_choice_select_owner on app.session_choice is 'The access token hook sees the choices of the person whose token it makes.';
comment on policy session_choice_insert_owner on app.session_choice is 'One chooses for the session one sits in.';
comment on policy session_choice_delete_owner on app.session_choice is 'A new choice replaces the last one.';
grant select on app.session_choice to authenticated;
grant select, insert (org_id, user_id, session_id), delete on app.session_choice to ringfence_owner;
create trigger _050_in_person before insert or delete on app.session_choice
  for each statement execute function authz.tg_in_person();

create function authz.keep_choice(org_id uuid) returns void
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Not by authz.org_ids(): from a token narrowed to one of their organizations a person may choose another.
  if keep_choice.org_id is not null and not exists (select from app.membership m
    where m.org_id = keep_choice.org_id and m.user_id = authz.uid() and m.status = 'active')
  then
    raise sqlstate 'PT404' using message = 'no such organization of yours';
  end if;
  -- With it go the choices of sessions long gone.
  delete from app.session_choice c
  where c.user_id = authz.uid() and (c.session_id = authz.session_id() or c.chosen_at < now() - interval '90 days');
  if keep_choice.org_id is not null then
    insert into app.session_choice (org_id, user_id, session_id)
    values (keep_choice.org_id, authz.uid(), authz.session_id());
  end if;
end
$$;
comment on function authz.keep_choice(uuid) is 'Keep which organization of theirs the person''s present session is for; null for all of them.';
revoke all on function authz.keep_choice(uuid) from public;
grant execute on function authz.keep_choice(uuid) to authenticated;
alter function authz.keep_choice(uuid) owner to ringfence_owner;
