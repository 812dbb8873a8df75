-- Files and live updates.

insert into storage.buckets (id, name, public, file_size_limit) values
  ('org-files', 'org-files', false, 10000000), ('run-artifacts', 'run-artifacts', false, 10000000), ('avatars', 'avatars', true, 1000000);

-- org-files/<organization>/…
create policy org_files_read on storage.objects for select to authenticated
  using (bucket_id = 'org-files' and (storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id));
create policy org_files_upload on storage.objects for insert to authenticated
  with check (bucket_id = 'org-files' and (storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id));
create policy org_files_change on storage.objects for update to authenticated
  using (bucket_id = 'org-files' and (storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id))
  with check (bucket_id = 'org-files' and (storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id));
create policy org_files_delete on storage.objects for delete to authenticated
  using (bucket_id = 'org-files' and (storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id));
-- run-artifacts/<organization>/<run>/…: written by the workers alone
create policy run_artifacts_read on storage.objects for select to authenticated
  using (bucket_id = 'run-artifacts' and (storage.foldername(name))[1] in (select id::text from private.my_org_ids() as id));
-- avatars/<person>/…: the bucket is public, so reading needs no policy
create policy avatars_upload on storage.objects for insert to authenticated
  with check (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text);
create policy avatars_delete on storage.objects for delete to authenticated
  using (bucket_id = 'avatars' and (storage.foldername(name))[1] = (select auth.uid())::text);

alter publication supabase_realtime add table public.tickets, public.agent_runs, public.notifications;

-- Private channels are called org:<organization>.
create policy org_channel_listen on realtime.messages for select to authenticated
  using ((select realtime.topic()) in (select 'org:' || id from private.my_org_ids() as id) and extension in ('broadcast', 'presence'));
create policy org_channel_speak on realtime.messages for insert to authenticated
  with check ((select realtime.topic()) in (select 'org:' || id from private.my_org_ids() as id) and extension in ('broadcast', 'presence'));

create function private.announce_run() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform realtime.send(jsonb_build_object('id', new.id, 'status', new.status), 'run', 'org:' || new.org_id, true);
  return null;
end
$$;
revoke execute on function private.announce_run() from public;
create trigger agent_runs_announce after insert or update on public.agent_runs for each row execute function private.announce_run();
