-- What belongs to the database and not to a copy of it: run in every copy. {database} is its name.
alter role authenticator in database {database} set pgrst.db_schemas = 'public';
alter role authenticator in database {database} set pgrst.db_pre_request = 'private.check_request';
