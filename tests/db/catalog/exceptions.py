"""What the checks find and we keep, with the reason. Reviewed: a line here needs the reason a reader would ask for."""

EXCEPTIONS: dict[tuple[str, str], str] = {
    ("a13", "app.membership_user_id_idx"): "every statement starts from the person: which organizations are theirs",
    ("a13", "app.team_member_user_id_idx"): "as that: which teams are theirs",
    ("a13", "app.chunk_embedding_idx"): "an HNSW index has one column; each row it gives is put to the policy, and small organizations never read it",
    ("a9", "app.api_token_session_id_key"): "a session is one person's, and the trigger before it lets nobody name another's",
    ("a13", "app.api_token_session_id_key"): "every statement starts from the session: whether it is an API token's",
    ("a13", "app.invitation_email_idx"): "who accepts belongs to no organization yet: their address is where they start from",
    ("a16", "app.organization"): "it is the organization; its own id is what org_id refers to",
    ("a16", "app.permission"): "the registry of permission names is the same for everyone and changes by migration only",
    ("r14", "app.bot_runner.user_id"): "sharing a bot names the person; the policy asks for level owner or bots.manage, the key for a member",
    ("r14", "app.chunk.owner_id"): "a copy of the document's, held equal by the foreign key chunk_document_access_fkey",
    ("r14", "app.document_part.owner_id"): "as that, by document_part_document_access_fkey",
    ("r14", "app.kb_grant.user_id"): "sharing names the person; the policy asks for level owner or documents.manage, the key for a member",
    ("r14", "app.document_grant.user_id"): "as that",
    ("r14", "app.team_member.user_id"): "a team is made of members; the policy asks for teams.manage or a manager of the team, the key for a member",
    ("r14", "app.deny_rule.user_id"): "a rule names whom it concerns; the policy asks for rules.manage, the key for a member",
    ("r7", "supabase_auth_admin -> schema authz"): "Supabase Auth calls the custom access token hook",
    ("r7", "supabase_auth_admin -> authz.access_token_hook(jsonb)"): "the hook is for Supabase Auth, and the only function it may call",
    ("r20", "authz.access_token_hook(jsonb)"): "sets it, for its own call, to the claims of the token being made, and puts it back; only Supabase Auth calls it",
    ("r20", "authz.pre_request()"): "refuses a request in which the legacy identity setting is present",
}

# Every argument of every definer function: none names a person or an organization on whose behalf it would act (R9). Why it may be there.
DEFINER_ARGUMENTS: dict[str, str] = {
    "access_token_hook.event": "Supabase Auth names the person it makes a token for; nobody else may call it",
    "keep_choice.org_id": "which of their own organizations the person narrows their session to",
    "denied.kind": "which kind of resource",
    "found_organization.name": "of the organization to be made",
    "found_organization.slug": "of the organization to be made",
    "granted_documents.level": "how far: viewer, editor or owner",
    "granted_knowledge_bases.level": "as that",
    "matching_chunks.embedding": "a vector to tell the distance to; nothing is chosen by it",
    "join_by_invitation.token": "a secret of whoever was invited; the member it makes is the person asking",
    "matching_chunks.wanted": "knowledge bases, tags and times, to narrow what the policy gives",
    "orgs_with.permission": "a name of the registry",
    "set_suspended.org_id": "which of the organizations that the person asking owns; any other is as if there were none",
    "set_suspended.suspended": "yes or no",
    "shared_bots.level": "which level at least",
    "in_scope.permissions": "names of the registry",
    "new_session_level.session_id": "which other session of the person asking; anybody else's is as if there were none",
    "note_token_use.token_sha256": "the hash of the token whose session asks",
}
