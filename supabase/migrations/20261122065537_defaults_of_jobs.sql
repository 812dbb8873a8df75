-- Made by `ringfence db migration`: the difference between the earlier migrations and sql/. Read it before you commit it.
grant ringfence_owner to current_user with set true, inherit true;
grant create on schema authz to ringfence_owner;

ALTER TABLE "app"."analytics_job"
  DROP CONSTRAINT "analytics_job_finished_check";

ALTER TABLE "app"."metric"
  ALTER COLUMN "sha256" SET DEFAULT repeat('0'::text, 64);

ALTER TABLE "app"."analytics_job"
  ADD CONSTRAINT "analytics_job_finished_check" CHECK (((finished_at IS NULL) OR (status <> ALL (ARRAY['queued'::text, 'running'::text]))));

revoke create on schema authz from ringfence_owner;
grant ringfence_owner to current_user with set true, inherit false;
notify pgrst, 'reload schema';
