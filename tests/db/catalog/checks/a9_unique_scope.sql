-- What is unique is unique within an organization, or it tells one of them what another has. Primary keys, constraints, bare
-- unique indexes and exclusions alike; on a table of no organization only the primary key, and what begins with that key. R23, R51
select i.indexrelid::regclass::text as object,
  case when org.attnum is null then 'unique across organizations' else 'unique, and org_id does not come first' end as finding
from pg_index i
join pg_class c on c.oid = i.indrelid
left join pg_attribute org on org.attrelid = i.indrelid and org.attname = 'org_id'
where c.relnamespace::regnamespace::text in ('api', 'app', 'authz', 'public') and (i.indisunique or i.indisexclusion)
  and case when org.attnum is null then not exists (select from pg_index k where k.indrelid = i.indrelid and k.indisprimary and k.indkey[0] = i.indkey[0])
    else i.indkey[0] <> org.attnum end
