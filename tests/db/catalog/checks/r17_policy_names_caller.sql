-- A permissive policy says false or depends on who asks: "using (true)", "1 = 1" and "org_id = org_id" do neither. R17
select p.polrelid::regclass || '.' || p.polname as object, clause || ' does not depend on who asks: ' || e.text as finding
from pg_policy p
cross join lateral (values
  ('USING', pg_get_expr(p.polqual, p.polrelid)), ('WITH CHECK', pg_get_expr(p.polwithcheck, p.polrelid))) e (clause, text)
where p.polpermissive and e.text <> 'false'
  and e.text !~ 'authz\.(uid|claims|org_ids|joined_org_ids|orgs_with|role_ids|runnable_bots|shared_bots|verified_email|inviting_org_ids|owned_org_ids|departing_org_ids|purging_org_ids|erasing_org_ids|sso_org_ids|sso_providers|works_the_queue|runs_the_queue|granted_data_sources|shared_results|job_orgs|job_tables)\('
