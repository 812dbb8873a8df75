"""Analytics as people and models write it: all of this has to pass the guard, and give the rows it gives without it."""

from agent.analytics.guard import Relation, Schema

COLUMNS = {
    "orders": {"id": "uuid", "customer_id": "integer", "total": "numeric", "status": "text", "placed_at": "timestamp with time zone", "quantity": "integer",
               "tags": "text[]", "paid": "boolean", "shipped_on": "date"},
    "tickets": {"id": "uuid", "order_id": "uuid", "customer_id": "integer", "priority": "text", "subject": "text", "created_at": "timestamp with time zone",
                "closed_at": "timestamp with time zone", "extra": "jsonb"},
    "regions": {"id": "integer", "parent_id": "integer", "name": "text"},
}
SCHEMA = Schema({name: Relation(columns, f"source.{name}") for name, columns in COLUMNS.items()})

EXPRESSIONS = """
abs(total - 50)
ceil(total), ceiling(total), floor(total), round(total), round(total, 1), trunc(total, 1), trunc(total)
mod(quantity, 3), quantity % 3, power(quantity, 2), quantity ^ 2, sqrt(total), cbrt(total), exp(1.0), ln(total + 1), log(total + 1), log10(total + 1)
log(2, 8), sign(total - 50), div(total, 7), pi(), radians(total), degrees(1.0), width_bucket(total, 0, 100, 4)
greatest(total, 10), least(total, quantity), coalesce(status, 'none'), nullif(status, 'paid')
lower(status), upper(status), initcap(status), length(status), char_length(status), octet_length(status)
concat(status, '-', quantity), concat_ws('/', status, quantity, null), status || ':' || quantity, left(status, 2), right(status, 2)
substring(status, 1, 2), substring(status from 2 for 2), substring(status from '[a-d]+'), substr(status, 2), substr(status, 2, 1)
strpos(status, 'i'), position('i' in status), trim(status), trim(both 'p' from status), trim(leading from status), btrim(status, 'p'), ltrim(status, 'p')
rtrim(status, 'd'), lpad(status, 8), lpad(status, 8, '.'), rpad(status, 8, '*'), replace(status, 'a', 'b'), translate(status, 'ai', 'xy')
reverse(status), split_part(status, 'i', 1), starts_with(status, 'pa'), regexp_replace(status, '[aeiou]', '_', 'g'), regexp_match(status, 'i(.)')
regexp_count(status, 'i'), regexp_like(status, '^p'), regexp_substr(status, 'i.'), ascii(status), chr(65)
to_char(placed_at, 'YYYY-MM-DD HH24:MI'), to_char(placed_at, 'FMMonth'), to_char(total, 'FM999,990.00'), to_number('1,5', '9G9')
to_date('2026-02-03', 'YYYY-MM-DD'), to_timestamp('2026-02', 'YYYY-MM'), to_timestamp(0)
overlay(status placing 'X' from 2), overlay(status placing 'X' from 2 for 1), string_to_array(status, 'i'), array_to_string(tags, ','), array_length(tags, 1)
cardinality(tags), array_position(tags, 'new'), array_remove(tags, 'new'), regexp_split_to_array(status, 'i'), tags[1], tags[1:2], (tags)[1]
date_trunc('month', placed_at), date_trunc('MONTH', placed_at), date_trunc('day', placed_at, 'Europe/Berlin'), date_part('year', placed_at)
date_part('epoch', placed_at) / 3600, extract(year from placed_at), extract(dow from placed_at), extract(epoch from placed_at), extract(isodow from shipped_on)
age(placed_at, timestamp '2025-01-01'), age(timestamptz '2027-01-01', placed_at), make_date(2026, 1, 2), make_interval(days => 3), make_interval(0, 1)
make_timestamp(2026, 1, 2, 3, 4, 5), justify_days(interval '40 days'), justify_hours(interval '40 hours'), isfinite(placed_at), date(placed_at)
date_bin('15 minutes', placed_at, timestamptz '2026-01-01'), placed_at at time zone 'UTC', placed_at at time zone 'America/New_York', placed_at::date
placed_at + interval '1 day', placed_at - interval '3 months', placed_at + interval '1' day, placed_at + '2 hours'::interval, interval '1 day 2 hours'
shipped_on + 7, shipped_on - date '2026-01-01', (placed_at - timestamptz '2026-01-01') / 2, interval '1 week' * quantity
total::int, total::integer, total::bigint, total::int8, quantity::numeric / 3, total::numeric(10, 1), total::float, total::double precision, quantity::real
cast(total as decimal(10, 2)), cast(quantity as varchar(10)), quantity::text, quantity::varchar, status::char(2), '2026-01-01'::timestamptz, '12:30'::time
id::text, 'b1a7c7f0-0000-4000-8000-000000000001'::uuid, quantity::bool, '{"a": 1}'::jsonb ->> 'a', '{"a": {"b": 2}}'::jsonb -> 'a' ->> 'b'
-quantity, +quantity, -(-quantity), - quantity::numeric, (quantity + 1) * 2, quantity - (2 - 1), 12 / (quantity * 2 + 1), 2 - 3 - 4, 100 / 7 / 2.0
status is null, status is not null, paid is true, paid is not true, paid is unknown, paid is not false, not paid, paid and quantity > 2 or status = 'paid'
not (paid and quantity > 2), paid and (quantity > 2 or status = 'paid'), quantity in (1, 2, 3), quantity not in (1, 2), status not in ('paid')
quantity between 2 and 4, quantity not between 2 and 4, quantity between symmetric 4 and 2, status like 'p%', status not like 'p%', status ilike 'P%'
status not ilike 'P%', status like 'p!%' escape '!', status similar to '(p|s)%', status not similar to 'p%', status ~ '^p', status !~ '^p', status ~* '^P'
status is distinct from 'paid', status is not distinct from 'paid', status = any(array['paid', 'open']), status <> all(array['paid']), 'new' = any(tags)
tags && array['new'], tags @> array['new'], array['new'] <@ tags, (quantity, status) = (1, 'paid'), (quantity, status) in ((1, 'paid'), (2, 'open'))
case when quantity > 3 then 'many' when quantity > 1 then 'some' else 'few' end, case status when 'paid' then 1 else 0 end, case when paid then 1 end
'it''s', 'back\\slash', '%', '-- no comment', '/* no comment */', '; select 1', 1.5, .5, 1e3, 00012, 12345678901234567890, null, true, '' as empty
exists (select 1 from tickets t where t.order_id = orders.id), (select count(*) from tickets t where t.order_id = orders.id) as tickets
array(select t.subject from tickets t where t.order_id = orders.id order by 1), quantity > all (select r.id from regions r where r.id < 2)
status as "Status of the order", total as "Umsatz (€)", quantity as "select", paid as "user", row_number() over (order by id) as "a""b"
""".strip().splitlines()

QUERIES = [
    *(f"select {line} from orders order by id" for line in EXPRESSIONS),
    "select count(*), count(distinct customer_id), sum(total), avg(total), min(placed_at), max(status) from orders",
    "select stddev(total), stddev_pop(total), stddev_samp(total), variance(total), var_pop(total), var_samp(total) from orders",
    "select bool_and(paid), bool_or(paid), every(paid), any_value(1), bit_or(quantity) from orders",
    "select array_agg(status order by id), array_agg(distinct status order by status desc nulls last), string_agg(status, ', ' order by id) from orders",
    "select string_agg(distinct status, ',' order by status) from orders",
    "select corr(total, quantity), covar_pop(total, quantity), regr_slope(total, quantity), regr_intercept(total, quantity), regr_r2(total, quantity) from orders",
    "select percentile_cont(0.5) within group (order by total), percentile_disc(0.9) within group (order by total desc), mode() within group (order by status)"
    " from orders",
    "select percentile_cont(array[0.25, 0.75]) within group (order by total) from orders",
    "select status, count(*) filter (where paid) as paid, sum(total) filter (where total > 20) from orders group by status order by status",
    "select date_trunc('month', placed_at) as month, sum(total) as revenue from orders group by 1 order by 1",
    "select date_trunc('month', placed_at) as month, sum(total) as revenue from orders group by month having sum(total) > 10 order by revenue desc, month limit 5",
    "select status, paid, count(*) from orders group by grouping sets ((status), (paid), ()) order by 1, 2, 3",
    "select status, paid, count(*), grouping(status, paid) from orders group by rollup (status, paid) order by 1, 2, 3, 4",
    "select status, paid, count(*) from orders group by cube (status, paid) order by 1 nulls first, 2 nulls first, 3",
    "select id, row_number() over (order by total desc, id), rank() over (partition by status order by total), dense_rank() over (order by status) from orders order by 1",
    "select id, percent_rank() over (order by total), cume_dist() over (order by total), ntile(4) over (order by total, id) from orders order by 1",
    "select id, lag(total) over (order by id), lead(total, 2, 0) over (order by id), first_value(total) over (order by id), last_value(total) over (order by id),"
    " nth_value(total, 2) over (order by id) from orders order by 1",
    "select id, sum(total) over (order by id rows between 2 preceding and current row), avg(total) over (order by id rows 3 preceding) from orders order by 1",
    "select id, sum(total) over (order by placed_at range between interval '30 days' preceding and current row) from orders order by 1",
    "select id, count(*) over (order by quantity groups between 1 preceding and 1 following exclude current row) from orders order by 1",
    "select id, sum(total) over w, count(*) over (w rows unbounded preceding) from orders window w as (partition by status order by id) order by 1",
    "select sum(total) over (rows between unbounded preceding and unbounded following) from orders",
    "select distinct status from orders order by status",
    "select distinct on (customer_id) customer_id, placed_at, total from orders order by customer_id, placed_at desc, id",
    "select o.id, t.subject from orders o join tickets t on t.order_id = o.id order by 1, 2",
    "select o.*, t.subject from orders as o left join tickets as t on t.order_id = o.id order by o.id, t.subject",
    "select * from orders o right outer join tickets t on t.order_id = o.id and t.priority = 'high' order by t.id",
    "select coalesce(o.customer_id, t.customer_id) as customer, count(*) from orders o full join tickets t using (customer_id) group by 1 order by 1",
    "select customer_id, count(*) from orders join tickets using (customer_id) group by customer_id order by customer_id",
    "select r.name, s.name from regions r cross join regions s where r.id < s.id order by 1, 2",
    "select r.name, s.name from regions r, regions s where s.parent_id = r.id order by 1, 2",
    "select a.name as child, b.name as parent from regions a inner join regions b on a.parent_id = b.id order by 1",
    "select o.id, x.n from orders o cross join lateral (select count(*) as n from tickets t where t.order_id = o.id) x order by 1",
    "select o.id, x.subject from orders o left join lateral (select t.subject from tickets t where t.order_id = o.id order by t.created_at limit 1) x on true"
    " order by 1",
    "select tag, count(*) from orders o, unnest(o.tags) as tag group by tag order by tag",
    "select o.id, u.tag, u.n from orders o cross join lateral unnest(o.tags) with ordinality as u(tag, n) order by 1, 3",
    "select g from generate_series(1, 5) as g order by g",
    "select d::date, count(o.id) from generate_series(date '2026-01-01', date '2026-01-31', interval '1 day') as d"
    " left join orders o on o.placed_at >= d and o.placed_at < d + interval '1 day' group by 1 order by 1",
    "select s.month, coalesce(sum(o.total), 0) from generate_series((select date_trunc('month', min(placed_at)) from orders), timestamptz '2026-12-01',"
    " interval '1 month') as s(month) left join orders o on date_trunc('month', o.placed_at) = s.month group by 1 order by 1",
    "select id from orders where total > (select avg(total) from orders) order by id",
    "select id from orders o where exists (select 1 from tickets t where t.order_id = o.id and t.priority = 'high') order by id",
    "select id from orders where id not in (select order_id from tickets where order_id is not null) order by id",
    "select id from orders where customer_id in (select customer_id from tickets where subject ilike '%refund%') order by id",
    "with paid as (select * from orders where status = 'paid') select count(*), sum(total) from paid",
    "with a as (select customer_id, sum(total) as s from orders group by 1), b as (select avg(s) as m from a) select a.customer_id from a, b where a.s > b.m order by 1",
    "with a(c, n) as materialized (select customer_id, count(*) from orders group by 1) select c, n from a order by n desc, c",
    "with a as not materialized (select 1 as x) select x + 1 as y from a",
    "with recursive days(n) as (select 1 union all select n + 1 from days where n < 10) select n from days order by n",
    "with recursive tree as (select id, parent_id, name, 1 as depth from regions where parent_id is null union all"
    " select r.id, r.parent_id, r.name, t.depth + 1 from regions r join tree t on r.parent_id = t.id where t.depth < 20) select * from tree order by id",
    "select status from orders union select priority from tickets order by 1",
    "select status from orders union all select priority from tickets order by status limit 4 offset 1",
    "select customer_id from orders intersect select customer_id from tickets order by 1",
    "select customer_id from orders except all select customer_id from tickets order by 1",
    "(select status from orders order by id limit 2) union all (select priority from tickets order by id limit 1)",
    "select x.a, x.b from (values (1, 'one'), (2, 'two')) as x(a, b) order by 1",
    "select c.status, c.n from (select status, count(*) as n from orders group by status) c where c.n > 1 order by 1",
    "select status, n from (select status, count(*) n from orders group by 1) order by 1",
    "select ORDERS.Status, Total from Orders where STATUS = 'paid' order by orders.id",
    'select "orders"."status", "o2"."total" as "T" from "orders" join orders "o2" on "o2".id = orders.id order by orders.id',
    "select status from source.orders order by id",
    "select id from orders order by total desc nulls last, id asc fetch first 3 rows only",
    "select quantity from orders order by quantity fetch first 2 rows with ties",
    "select id from orders order by case when status = 'paid' then 0 else 1 end, id offset 2 limit 3",
    "select id /* the key */ from orders -- all of them\n order by id",
    "select sum(total) /* über */ over (order/* /* nested */ */by id), '--' as a, '/*' as b, 'é' as c -- ende\n from orders order -- x\nby id --",
    "select extra ->> 'channel' as channel, count(*) from tickets group by 1 order by 1",
    "select jsonb_array_length(extra -> 'steps'), jsonb_typeof(extra), jsonb_extract_path_text(extra, 'channel') from tickets order by id",
    "select k, count(*) from tickets t, jsonb_object_keys(t.extra) as k group by k order by k",
    "select word, count(*) from tickets, regexp_split_to_table(lower(subject), ' ') as word group by word order by 2 desc, 1 limit 5",
    "select to_char(date_trunc('week', created_at), 'IYYY-IW') as week, avg(closed_at - created_at) as open_for from tickets where closed_at is not null group by 1"
    " order by 1",
    "select current_date - current_date, now() - current_timestamp, localtimestamp - localtimestamp, now() - interval '7 days' < now() from regions",
    "select count(*) from orders where placed_at >= now() - interval '100 years' and placed_at < current_date + 36500",
    "select ((((1)))) as a, (select (select 1)) as b;",
    """
with monthly as (
  select date_trunc('month', o.placed_at) as month, o.status, o.customer_id, count(*) as order_count, sum(o.total) as revenue,
    count(*) filter (where o.status = 'refunded') as refunds, percentile_cont(0.5) within group (order by o.total) as median_total
  from orders o
  where o.placed_at >= date '2025-01-01' and o.status in ('paid', 'open', 'refunded') and o.total between 1 and 100000
  group by 1, 2, 3
), ticketed as (
  select t.customer_id, count(*) as tickets, max(t.created_at) as last_ticket,
    extract(epoch from max(t.closed_at) - min(t.created_at)) / 3600.0 as open_hours
  from tickets t left join orders o on o.id = t.order_id and o.customer_id = t.customer_id
  where coalesce(t.priority, 'normal') <> 'low'
  group by t.customer_id
), ranked as (
  select m.*, rank() over (partition by m.month order by m.revenue desc) as place,
    lag(m.revenue, 1) over (partition by m.customer_id order by m.month) as before
  from monthly m
)
select r.month, r.status, r.place, round(r.revenue::numeric, 2) as revenue,
  round((r.revenue - coalesce(r.before, 0)) / nullif(r.before, 0) * 100, 1) as growth,
  case when t.tickets > 10 then 'many' when t.tickets > 0 then 'some' else 'none' end as ticket_class, to_char(t.last_ticket, 'YYYY-MM-DD') as last_ticket
from ranked r left join ticketed t on t.customer_id = r.customer_id
where r.place <= 10
order by r.month, r.place, r.status, r.customer_id
limit 200
""",
]

SETUP = """
create schema source;
create table source.regions (id integer, parent_id integer, name text);
insert into source.regions values (1, null, 'World'), (2, 1, 'Europe'), (3, 2, 'France'), (4, 2, 'Spain'), (5, 1, 'Asia');
create table source.orders (id uuid, customer_id integer, total numeric, status text, placed_at timestamp with time zone, quantity integer, tags text[],
  paid boolean, shipped_on date);
insert into source.orders
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, n % 5, (n * 37 % 101) + 0.25, case when n % 7 = 0 then null else (array['paid', 'open', 'refunded'])[n % 3 + 1] end,
  timestamptz '2026-01-01 10:00+00' + n * interval '37 hours', n % 6, case when n % 4 = 0 then array['new', 'gift'] when n % 4 = 1 then array['old'] end,
  case when n % 5 = 0 then null else n % 2 = 0 end, date '2026-01-03' + n
from generate_series(1, 60) as n;
create table source.tickets (id uuid, order_id uuid, customer_id integer, priority text, subject text, created_at timestamp with time zone,
  closed_at timestamp with time zone, extra jsonb);
insert into source.tickets
select ('10000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, case when n % 9 > 0 then ('00000000-0000-4000-8000-' || lpad((n * 2)::text, 12, '0'))::uuid end,
  n % 6, (array['low', 'normal', 'high'])[n % 3 + 1], (array['Refund please', 'Where is it', 'Thank you', 'refund late'])[n % 4 + 1],
  timestamptz '2026-02-01 10:00+00' + n * interval '29 hours', case when n % 2 = 0 then timestamptz '2026-03-01 10:00+00' + n * interval '29 hours' end,
  case when n % 2 = 0 then '{"channel": "mail", "steps": [1, 2]}' else '{"channel": "web", "steps": []}' end::jsonb
from generate_series(1, 40) as n;
"""
