-- The definer functions have been handed over: their owner creates nothing more.
revoke create on schema authz from ringfence_owner;

-- A running PostgREST reads the new functions and its settings.
notify pgrst, 'reload schema';
notify pgrst, 'reload config';
