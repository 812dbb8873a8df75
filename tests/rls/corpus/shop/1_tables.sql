-- One company for each person, as a column of the person's row: the oldest way. Numbers for keys, an enum of roles, a partitioned
-- table of orders, and views for reports.

create schema internal;
grant usage on schema internal to authenticated, service_role;
create type public.staff_role as enum ('clerk', 'manager', 'director');

create table public.companies (
  id bigint generated always as identity primary key,
  title text not null,
  vat_number text
);
create table public.staff (
  id uuid primary key references auth.users (id) on delete cascade,
  company_id bigint not null references public.companies (id),
  role public.staff_role not null default 'clerk',
  full_name text not null default '',
  active boolean not null default true
);
create index staff_company_id_idx on public.staff (company_id);
create function internal.my_company() returns bigint language sql stable security definer set search_path = '' as $$
  select s.company_id from public.staff s where s.id = (select auth.uid()) and s.active
$$;
create function internal.is_manager() returns boolean language sql stable security definer set search_path = '' as $$
  select coalesce((select s.role in ('manager', 'director') from public.staff s where s.id = (select auth.uid()) and s.active), false)
$$;
revoke execute on function internal.my_company(), internal.is_manager() from public;
grant execute on function internal.my_company(), internal.is_manager() to authenticated;

create table public.currencies (code text primary key, digits int not null default 2);
create table public.suppliers (
  company_id bigint not null default internal.my_company() references public.companies (id),
  supplier_no int not null,
  title text not null,
  iban text,
  primary key (company_id, supplier_no)
);
create table public.articles (
  company_id bigint not null default internal.my_company() references public.companies (id),
  sku text not null,
  title text not null,
  supplier_no int,
  price numeric not null default 0,
  currency text not null default 'EUR' references public.currencies (code),
  primary key (company_id, sku),
  foreign key (company_id, supplier_no) references public.suppliers (company_id, supplier_no)
);
create table public.stock_moves (
  company_id bigint not null default internal.my_company(),
  id uuid not null default gen_random_uuid(),
  sku text not null,
  quantity int not null,
  moved_by uuid not null default auth.uid(),
  primary key (company_id, id),
  foreign key (company_id, sku) references public.articles (company_id, sku)
);
create table public.orders (
  company_id bigint not null default internal.my_company() references public.companies (id),
  id uuid not null default gen_random_uuid(),
  ordered_on date not null default current_date,
  buyer_email text not null,
  total numeric not null default 0,
  primary key (company_id, id, ordered_on)
) partition by range (ordered_on);
create table public.orders_2026 partition of public.orders for values from ('2026-01-01') to ('2027-01-01');
create table public.orders_rest partition of public.orders default;
create table public.order_lines (
  company_id bigint not null default internal.my_company(),
  order_id uuid not null,
  ordered_on date not null,
  line int not null,
  sku text not null,
  quantity int not null,
  primary key (company_id, order_id, line),
  foreign key (company_id, order_id, ordered_on) references public.orders (company_id, id, ordered_on) on delete cascade,
  foreign key (company_id, sku) references public.articles (company_id, sku)
);
create table public.price_rules (
  company_id bigint not null default internal.my_company() references public.companies (id),
  id uuid not null default gen_random_uuid(),
  valid int4range not null,
  rebate numeric not null check (rebate between 0 and 1),
  primary key (company_id, id)
);
create table internal.mail_outbox (
  id uuid primary key default gen_random_uuid(),
  company_id bigint not null,
  recipient text not null,
  body text not null
);

alter table public.companies enable row level security;
alter table public.staff enable row level security;
alter table public.currencies enable row level security;
alter table public.suppliers enable row level security;
alter table public.articles enable row level security;
alter table public.stock_moves enable row level security;
alter table public.orders enable row level security;
alter table public.orders_2026 enable row level security;
alter table public.orders_rest enable row level security;
alter table public.order_lines enable row level security;
alter table public.price_rules enable row level security;

create policy companies_own on public.companies for select to authenticated using (id = (select internal.my_company()));
create policy staff_own on public.staff for select to authenticated using (company_id = (select internal.my_company()));
create policy staff_rename_self on public.staff for update to authenticated
  using (id = (select auth.uid()) and company_id = (select internal.my_company()))
  with check (id = (select auth.uid()) and company_id = (select internal.my_company()));
create policy currencies_all on public.currencies for select to anon, authenticated using (true);
grant select on public.companies, public.staff, public.currencies to authenticated;
grant select on public.currencies to anon;
grant update (full_name) on public.staff to authenticated;

create policy suppliers_read on public.suppliers for select to authenticated using (company_id = (select internal.my_company()));
create policy suppliers_write on public.suppliers for all to authenticated
  using (company_id = (select internal.my_company()) and (select internal.is_manager()))
  with check (company_id = (select internal.my_company()) and (select internal.is_manager()));
grant select (company_id, supplier_no, title), insert, update (title, iban), delete on public.suppliers to authenticated;
create policy articles_read on public.articles for select to authenticated using (company_id = (select internal.my_company()));
create policy articles_write on public.articles for all to authenticated
  using (company_id = (select internal.my_company()) and (select internal.is_manager()))
  with check (company_id = (select internal.my_company()) and (select internal.is_manager()));
grant select, insert, update, delete on public.articles to authenticated;
create policy stock_moves_read on public.stock_moves for select to authenticated using (company_id = (select internal.my_company()));
create policy stock_moves_add on public.stock_moves for insert to authenticated
  with check (company_id = (select internal.my_company()) and moved_by = (select auth.uid()));
grant select, insert on public.stock_moves to authenticated;
create policy orders_own on public.orders for all to authenticated
  using (company_id = (select internal.my_company())) with check (company_id = (select internal.my_company()));
grant select, insert, update, delete on public.orders to authenticated;
create policy order_lines_own on public.order_lines for all to authenticated
  using (company_id = (select internal.my_company())) with check (company_id = (select internal.my_company()));
grant select, insert, update, delete on public.order_lines to authenticated;
create policy price_rules_read on public.price_rules for select to authenticated using (company_id = (select internal.my_company()));
grant select on public.price_rules to authenticated;

create view public.turnover with (security_invoker = on) as
  select company_id, ordered_on, sum(total) as total from public.orders group by company_id, ordered_on;
create view public.open_orders with (security_invoker = on) as
  select o.company_id, o.id, o.buyer_email, count(l.line) as lines
  from public.orders o left join public.order_lines l on l.company_id = o.company_id and l.order_id = o.id group by 1, 2, 3;
grant select on public.turnover, public.open_orders to authenticated;

create function public.place_order(buyer text, skus text[]) returns uuid
language plpgsql volatile security invoker set search_path = pg_catalog, pg_temp as $$
declare
  v_order uuid := gen_random_uuid();
begin
  insert into public.orders (id, buyer_email) values (v_order, buyer);
  insert into public.order_lines (order_id, ordered_on, line, sku, quantity)
    select v_order, current_date, n, sku, 1 from unnest(skus) with ordinality as t (sku, n);
  return v_order;
end
$$;
create function public.promote(person uuid, new_role public.staff_role) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
  if person = (select auth.uid()) or not exists (
    select 1 from public.staff d where d.id = (select auth.uid()) and d.role = 'director' and d.active) then
    raise exception 'not allowed' using errcode = '42501';
  end if;
  update public.staff s set role = new_role
    where s.id = person and s.company_id = (select internal.my_company());
  if not found then
    raise exception 'no such person' using errcode = 'PT404';
  end if;
end
$$;
create function public.company_totals() returns table (orders bigint, revenue numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select count(*), sum(o.total) from public.orders o where o.company_id = (select internal.my_company())
$$;
revoke execute on function public.place_order(text, text[]), public.promote(uuid, public.staff_role), public.company_totals() from public;
grant execute on function public.place_order(text, text[]), public.promote(uuid, public.staff_role), public.company_totals() to authenticated;
