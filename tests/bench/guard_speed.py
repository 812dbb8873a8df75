"""What the guard adds to a job: a query of fifty lines, from text to the text that runs."""

from __future__ import annotations

import gc
import time

from agent import collector
from agent.analytics.guard import Relation, Schema, check
from tests.bench.report import Report, median

AT_MOST_S = 0.005
SCHEMA = Schema({
    "orders": Relation({"id": "uuid", "customer_id": "uuid", "total": "numeric", "status": "text", "placed_at": "timestamptz"}, "source.orders"),
    "tickets": Relation({"id": "uuid", "customer_id": "uuid", "order_id": "uuid", "priority": "text", "subject": "text", "created_at": "timestamptz",
                         "closed_at": "timestamptz"}, "source.tickets"),
})
QUERY = """\
with monthly as (
  select
    date_trunc('month', o.placed_at) as month,
    o.status,
    o.customer_id,
    count(*) as order_count,
    sum(o.total) as revenue,
    avg(o.total) as average_total,
    count(*) filter (where o.status = 'refunded') as refunds,
    percentile_cont(0.5) within group (order by o.total) as median_total
  from orders o
  where o.placed_at >= date '2026-01-01'
    and o.placed_at < date '2027-01-01'
    and o.status in ('paid', 'shipped', 'refunded', 'delivered')
    and o.total between 1 and 100000
  group by 1, 2, 3
),
ticketed as (
  select
    t.customer_id,
    count(*) as tickets,
    max(t.created_at) as last_ticket,
    extract(epoch from max(t.closed_at) - min(t.created_at)) / 3600.0 as open_hours
  from tickets t
  left join orders o on o.id = t.order_id and o.customer_id = t.customer_id
  where coalesce(t.priority, 'normal') <> 'low'
    and t.subject ilike '%refund%'
  group by t.customer_id
),
ranked as (
  select
    m.*,
    rank() over (partition by m.month order by m.revenue desc) as place,
    lag(m.revenue, 1) over (partition by m.customer_id order by m.month) as before,
    sum(m.revenue) over (partition by m.customer_id order by m.month rows between 2 preceding and current row) as rolling
  from monthly m
)
select
  r.month,
  r.status,
  r.place,
  round(r.revenue::numeric, 2) as revenue,
  round((r.revenue - coalesce(r.before, 0)) / nullif(r.before, 0) * 100, 1) as growth,
  case when t.tickets > 10 then 'many' when t.tickets > 0 then 'some' else 'none' end as ticket_class,
  to_char(t.last_ticket, 'YYYY-MM-DD') as last_ticket,
  r.median_total
from ranked r
left join ticketed t on t.customer_id = r.customer_id
where r.place <= 10
order by r.month, r.place
limit 200
"""


def measure(report: Report, calls: int) -> None:
    """Add the median of checking a long query, and of refusing it for a function at its end; in a process set as the worker is."""
    collector.settle()
    report.add(f"guard, a query of {len(QUERY.splitlines())} lines", median(times(QUERY, calls)), "s", at_most=AT_MOST_S)
    report.add("guard, a statement that is refused", median(times(QUERY.replace("limit 200", "limit pg_sleep(1)"), calls)), "s", at_most=AT_MOST_S)


def times(query: str, calls: int) -> list[float]:
    """Return the seconds of each call, the first ones left out: they fill the caches of descriptors and names."""
    found = []
    for call in range(calls + 20):
        began = time.perf_counter()
        try:
            check(query, SCHEMA)
        except Exception as err:  # measured as well
            if "pg_sleep" not in str(err):
                raise
        if call >= 20:
            found.append(time.perf_counter() - began)
    gc.collect()
    return found
