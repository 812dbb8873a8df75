insert into auth.users (id, email) values ('a5555555-0000-4000-8000-000000000001', 'dora@alpha.test'), ('a5555555-0000-4000-8000-000000000002', 'carl@alpha.test'),
  ('b5555555-0000-4000-8000-000000000001', 'bert@beta.test'), ('c5555555-0000-4000-8000-000000000001', 'otto@free.test');
insert into public.currencies values ('EUR', 2), ('JPY', 0);
insert into public.companies (title, vat_number) values ('ALPHA', 'A1'), ('BETA', 'B1');
insert into public.staff (id, company_id, role) values ('a5555555-0000-4000-8000-000000000001', 1, 'director'),
  ('a5555555-0000-4000-8000-000000000002', 1, 'clerk'), ('b5555555-0000-4000-8000-000000000001', 2, 'director');
insert into public.suppliers (company_id, supplier_no, title, iban) select id, 1, title || ' supplier', title || ' iban' from public.companies;
insert into public.articles (company_id, sku, title, supplier_no) select id, 'sku-1', title || ' article', 1 from public.companies;
insert into public.stock_moves (company_id, sku, quantity, moved_by)
  select s.company_id, 'sku-1', 10, s.id from public.staff s where s.role = 'director';
insert into public.orders (company_id, ordered_on, buyer_email, total) select id, '2026-05-01', title || '@buyer.test', 100 from public.companies;
insert into public.orders (company_id, ordered_on, buyer_email, total) select id, '2025-05-01', title || '@old.test', 50 from public.companies;
insert into public.order_lines select o.company_id, o.id, o.ordered_on, 1, 'sku-1', 2 from public.orders o;
insert into public.price_rules (company_id, valid, rebate) select id, '[1,100]', 0.1 from public.companies;
insert into internal.mail_outbox (company_id, recipient, body) select id, 'x@x.test', title || ' mail' from public.companies;
