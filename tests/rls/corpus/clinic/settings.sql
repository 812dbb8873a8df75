alter role authenticator in database {database} set pgrst.db_schemas = 'api';
revoke temporary on database {database} from public;
