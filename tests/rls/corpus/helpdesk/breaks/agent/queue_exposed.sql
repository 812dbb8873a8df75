-- Class:    Job queue exposed
-- Culprit:  public.job_queue
-- Command:  select
--
-- Like a pgmq queue with its schema exposed: payloads of all organizations, and anybody may delete a job.

create table public.job_queue (msg_id bigint generated always as identity primary key, vt timestamptz default now(), message jsonb);
grant select, insert, update, delete on public.job_queue to authenticated;
insert into public.job_queue (message) select payload from private.agent_jobs;

-- @as otto
select * from job_queue where message::text like '%ACME%'
