"""What the checks find and we keep, with the reason. Reviewed: a line here needs the reason a reader would ask for."""

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("a13", "app.membership_user_id_idx"): "every statement starts from the person: which organizations are theirs",
    ("a16", "app.organization"): "it is the organization; its own id is what org_id refers to",
    ("a16", "app.permission"): "the registry of permission names is the same for everyone and changes by migration only",
    ("r14", "app.membership.user_id"): "adding a member names the person; the policy asks for members.manage",
    ("r14", "app.bot_runner.user_id"): "sharing a bot names the person; the policy asks for bots.manage, the key for a member",
    ("r14", "app.chunk.owner_id"): "a copy of the document's, held equal by the foreign key chunk_document_access_fkey",
    ("r7", "supabase_auth_admin -> schema authz"): "Supabase Auth calls the custom access token hook",
    ("r7", "supabase_auth_admin -> authz.access_token_hook(jsonb)"): "the hook is for Supabase Auth, and the only function it may call",
    ("r20", "authz.access_token_hook(jsonb)"): "sets it, for its own call, to the claims of the token being made, and puts it back; only Supabase Auth calls it",
    ("r20", "authz.pre_request()"): "refuses a request in which the legacy identity setting is present",
}
