-- The links of one chain with their events, from the rows alone: no function of ours is asked, it may have been changed too.
select l.lane, l.sequence, l.event_id::text, l.event_sha256, l.prev_hash, l.hash,
  to_jsonb(e) || jsonb_build_object('at', to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
from app.audit_link l
left join app.audit_event e on e.org_id = l.org_id and e.id = l.event_id
where l.org_id = %s and l.lane = %s
order by l.sequence
