"""Triggers of documents and knowledge bases."""

from __future__ import annotations

from tests.db.triggers.case import Fires

_ON = "authz.tg_document_guard on app.document"
_OPEN = ("app.document", "app.knowledge_base", "app.chunk", "app.organization")
_ADD = ("insert into app.document (org_id, knowledge_base_id, title, uri, sha256, owner_id, trust) values (:org, :knowledge_base, 'Probe', 'test:probe', repeat('0', 64), :owner, '{}')")
_SET = "update app.document set {} where org_id = :org and id = :document"
_MEMBERS = "update app.document set owner_id = :member, owner_left_at = null where org_id = :org and id = :document"
_KB = "insert into app.kb_grant (org_id, knowledge_base_id, user_id, level, created_by) values (:org, :knowledge_base, :member, '{}', :owner)"
_READS = "42501 who reads a document is for its owners to change"
_PUBLISHES = "42501 publishing in this knowledge base takes level editor"
_PRIVATE = "update app.document set visibility = 'private' where org_id = :org and id = :document"
_NO_PARTS = "delete from app.chunk"
_MANAGES = "update app.membership set permissions = permissions | authz.permission_bit('documents.manage') where org_id = :org and user_id = :member"
_SEEN = ("drop policy opened on app.knowledge_base", "create policy opened on app.knowledge_base using ({})")


def guard(says: str, act: str, *planted: str, who: str = "member", refused: str = "", then: str = "true", image: tuple[str, ...] = ()) -> Fires:
    return Fires(_ON, says, act, then, refused, who, opened=_OPEN, image=image, planted=planted)


_GRANT = "authz.tg_left_grant on app.document_grant"
_SHARE = "insert into app.document_grant (org_id, document_id, user_id, created_by) values (:org, :document, {}, :member)"
_UNSHARE = "delete from app.document_grant where document_id = :document and user_id = {}"
_GIVEN = "insert into app.document_grant (org_id, document_id, user_id, level, created_by) values (:org, :document, {}, '{}', :member)"
_LEFT = "update app.document set owner_id = :member, owner_left_at = now() where org_id = :org and id = :document"
_NOT_YOURS = "42501 you left the organization since you added this document"

_GOES = "delete from app.document where org_id = :org and id = :document"


def share(says: str, *planted: str, act: str = _SHARE.format(":analyst"), who: str = "member", refused: str = "", role: str = "", image: tuple[str, ...] = ()) -> Fires:
    return Fires(_GRANT, says, act, who=who, refused=refused, role=role, opened=("app.document", "app.document_grant"), image=image,
                 planted=("delete from app.document_grant where document_id = :document", *planted))


_BASE = "authz.tg_knowledge_base_guard on app.knowledge_base"
_OPENS = "update app.knowledge_base set visibility = 'organization' where org_id = :org and id = :other_base"
_CLOSED = "update app.knowledge_base set visibility = 'restricted' where org_id = :org and id = :other_base"
_NAMES = "update app.knowledge_base set name = 'Renamed' where org_id = :org and id = :other_base"


def base(says: str, act: str, *planted: str, who: str = "member", refused: str = "") -> Fires:
    return Fires(_BASE, says, act, who=who, refused=refused, opened=("app.knowledge_base",), planted=planted)


_CITES = "update app.message set citations = jsonb_build_array({}) where org_id = :org and role = {}"
_TWO = "jsonb_build_object('n', 1, 'document_id', :document), jsonb_build_object('n', 2, 'document_id', :private_document)"
_RECEIPT = ("insert into app.deletion_receipt (org_id, document_id, knowledge_base_id, sha256, chunks, parts, citations_redacted, deleted_by)"
            " values (:org, {}, :knowledge_base, repeat('0', 64), 1, 1, {}, :owner)")
_FORGET = ("app.message", "app.deletion_receipt")

_NEXT = ("insert into app.document (org_id, knowledge_base_id, title, uri, sha256, owner_id, state, visibility)"
         " values ({org}, {base}, '{title}', '{uri}', repeat('0', 64), {owner}, '{state}', '{visibility}')")


def replacing(title: str, org: str = ":org", base: str = ":knowledge_base", uri: str = "manual", owner: str = ":builder", state: str = "loading",
              visibility: str = "organization") -> str:
    return _NEXT.format(org=org, base=base, title=title, uri=f"test:{uri}", owner=owner, state=state, visibility=visibility)


_INHERITS = ("app.document", "app.document_grant", "app.deny_rule")
_HEIRS = (*(replacing("Other", **other) for other in (
    {"base": ":other_base"}, {"uri": "else"}, {"owner": ":admin"}, {"state": "ready"}, {"visibility": "private"})), replacing("Heir"),
    "update app.document set uri = 'test:manual', owner_id = :owner where org_id = :org and id = :document", _GIVEN.format(":analyst", "viewer"), _GIVEN.format(":owner", "viewer"),
    _GIVEN.format(":agent", "viewer").replace(":document", ":private_document"),
    "insert into app.deny_rule (org_id, user_id, document_id, reason, created_by) values (:org, :customer, :document, 'x', :owner), (:org, :agent, :private_document, 'x', :owner)")
_HEIRLOOMS = ("(select array_agg(distinct d.title || ' ' || g.user_id order by d.title || ' ' || g.user_id) from app.document d join app.{} g on g.document_id = d.id"
              " where d.title in ('Heir', 'Other')) = array['Heir ' || {}::text]")

CASES: list[Fires] = [
    guard("a new document is as open as its knowledge base", _ADD.format("untrusted"), "delete from app.document where org_id = :globex",
          "update app.knowledge_base set visibility = 'restricted' where not (org_id = :org and id = :knowledge_base)", who="", image=("app.knowledge_base",),
          then="(select base_visibility from app.document where title = 'Probe') = 'organization'"),
    guard("how old a check may be is kept", _SET.format("title = 'x'"), "update app.document set acl_synced_at = now(), acl_max_age_hours = 5 where org_id = :org and id = :document",
          "alter table app.document drop constraint document_acl_max_age_hours_fkey", who="", then="(select acl_max_age_hours from app.document where org_id = :org and id = :document) = 5"),
    guard("its own passages are counted when it is loaded", _SET.format("state = 'ready'"), "update app.document set state = 'loading', passages = 0 where org_id = :org and id = :document",
          who="", image=("app.chunk",), then="(select passages from app.document where org_id = :org and id = :document) = 3"),
    guard("and not else", _SET.format("title = 'x'"), "update app.document set passages = 77 where org_id = :org and id = :document", who="",
          then="(select passages from app.document where org_id = :org and id = :document) = 77"),
    guard("who may not manage documents adds none that is trusted", _ADD.format("trusted"), refused="42501 only documents.manage calls a document trusted"),
    guard("but others", _ADD.format("untrusted")),
    guard("who may does", _ADD.format("trusted"), who="builder"),
    guard("one that is trusted is renamed", _SET.format("title = 'x'"), _MEMBERS, "update app.document set trust = 'trusted' where org_id = :org and id = :document"),
    guard("one that is not is called so by nobody else", _SET.format("trust = 'trusted'"), _MEMBERS, refused="42501 only documents.manage calls a document trusted"),
    guard("who does not own it changes its name", _SET.format("title = 'x'")),
    guard("and not its class", _SET.format("classification = 0"), refused=_READS),
    guard("its owner does", _SET.format("classification = 0"), _MEMBERS, _NO_PARTS),
    guard("but not one who left since", _SET.format("classification = 0"), _MEMBERS, "update app.document set owner_left_at = now() where org_id = :org and id = :document", refused=_READS),
    guard("who owns the knowledge base does", _SET.format("classification = 0"), _NO_PARTS, _KB.format("owner")),
    guard("but not of what is private there", _SET.format("classification = 0"), _PRIVATE, _KB.format("owner"), refused=_READS),
    guard("access was not checked in the future", _SET.format("acl_synced_at = now() + interval '1 day'"), _MEMBERS, _NO_PARTS, refused="22023 synced_at"),
    guard("nor before the last time", _SET.format("acl_synced_at = '2020-01-01'"), _MEMBERS, _NO_PARTS,
                                "update app.document set acl_synced_at = '2021-01-01', acl_max_age_hours = 5 where org_id = :org and id = :document", refused="22023 synced_at"),
    guard("its owner publishes nothing alone", _SET.format("visibility = 'organization'"), _MEMBERS, _PRIVATE, _NO_PARTS, refused=_PUBLISHES),
    guard("nor what was loading", _SET.format("state = 'ready'"), _MEMBERS, _NO_PARTS, "update app.document set state = 'loading' where org_id = :org and id = :document", refused=_PUBLISHES),
    guard("an editor of the knowledge base does", _SET.format("visibility = 'organization'"), _MEMBERS, _PRIVATE, _NO_PARTS, _KB.format("editor")),
    guard("what is private is renamed", _SET.format("title = 'x'"), _MEMBERS, _PRIVATE, _NO_PARTS),
    guard("and what is not", _SET.format("title = 'x'"), _MEMBERS),
    guard("who manages documents and publishes does", _SET.format("visibility = 'organization'"), _PRIVATE, _NO_PARTS, who="builder"),
    guard("who only manages them does not", _SET.format("visibility = 'organization'"), _MEMBERS, _MANAGES, _PRIVATE, _NO_PARTS, refused=_PUBLISHES),
    guard("who does not manage them publishes nothing to some either", _SET.format("visibility = 'knowledge_base'"), _MEMBERS, _PRIVATE, _NO_PARTS,
          "update app.document set base_visibility = 'restricted' where org_id = :org and id = :document", refused=_PUBLISHES),
    *(guard(f"nor who sees {says}", _SET.format("visibility = 'organization'"), _PRIVATE, _NO_PARTS, _SEEN[0], _SEEN[1].format(seen), who="builder", refused=_PUBLISHES,
            image=("app.knowledge_base",))
      for says, seen in (("no knowledge base", "false"), ("the one of another organization", "org_id = :globex"), ("another one", "id = :other_base"))),

    base("who may not publish opens none", _OPENS, _CLOSED, refused="42501 sharing with the whole organization takes the permission resources.publish"),
    base("who may does", _OPENS, _CLOSED, who="builder"),
    base("an operator does", _OPENS, _CLOSED, who=""),
    base("one that stays closed is renamed", _NAMES, _CLOSED),
    base("and one that is open", _NAMES),
    Fires("authz.tg_knowledge_base_loading on app.knowledge_base", "takes along what is loading in it, and nothing else",
          "delete from app.knowledge_base where org_id = :org and id = :other_base",
          "(select array_agg(id order by id = :unbound_document) from app.document where org_id = :org and id in (:document, :unbound_document, :loading_document))"
          " = array[:document, :unbound_document]",
          opened=("app.document",), image=("app.document",), late=True, planted=(
              "alter table app.document drop constraint document_knowledge_base_id_fkey", "update app.document set state = 'loading' where id = :document",
              "update app.document set knowledge_base_id = :other_base where id = :loading_document")),

    share("who left shares no more what they added", _LEFT, refused=_NOT_YOURS),
    share("not even with themselves", _LEFT, act=_SHARE.format(":member"), refused=_NOT_YOURS),
    share("nor takes it from others", _LEFT, _GIVEN.format(":analyst", "viewer"), act=_UNSHARE.format(":analyst"), refused=_NOT_YOURS),
    share("but gives up what was given to them", _LEFT, _GIVEN.format(":member", "viewer"), act=_UNSHARE.format(":member")),
    share("an operator shares it", _LEFT, role="none"),
    share("and the owner of the definers", _LEFT, role="ringfence_owner"),
    share("who manages documents does", _LEFT.replace(":member", ":builder"), who="builder"),
    share("to whom it is shared as an owner does", _LEFT, _GIVEN.format(":member", "owner")),
    share("who owns the knowledge base does", _LEFT, _KB.format("owner")),
    share("but not what is private there", _LEFT, _PRIVATE, _KB.format("owner"), refused=_NOT_YOURS),
    share("what others left is shared", _LEFT.replace(":member", ":auditor")),
    share("and what one never left", _LEFT.replace("now()", "null")),
    share("what one left elsewhere is nothing to it", "update app.document set owner_id = :member, owner_left_at = now()", _LEFT.replace("now()", "null"), image=("app.document",)),
    # Which of two rows is looked at first nothing says: here there is one, elsewhere.
    share("also where the document is not here", "update app.document set owner_id = :member, owner_left_at = now()", _GOES, image=("app.document",),
          refused="23503 document_grant_document_id_fkey"),
    share("it is the document that is shared which counts", "update app.document set owner_id = :member, owner_left_at = now() where id <> :document",
          _LEFT.replace("now()", "null")),

    Fires("authz.tg_document_forget on app.document", "blots out what was cited, and counts it on its last receipt", _GOES,
          "(select array_agg(citations_redacted order by citations_redacted) from app.deletion_receipt where org_id = :org) = '{1,5,null}'"
          " and (select array_agg(distinct citations::text order by citations::text) from app.message where org_id = :org and run_id = :run) = array["
          "'[{\"n\": 1, \"redacted\": true}, {\"n\": 2, \"document_id\": \"' || :private_document::text || '\"}]', '[{\"n\": 2, \"document_id\": \"' || :private_document::text || '\"}]']",
          image=_FORGET, late=True, opened=_FORGET, planted=(
              _CITES.format(_TWO, "'assistant'"), _CITES.format(_TWO.split("), ")[1], "'user'"), "update app.message set citations = '[]' where run_id <> :run",
              "delete from app.deletion_receipt", _RECEIPT.format(":document", 5), _RECEIPT.format(":document", "null"), _RECEIPT.format(":private_document", "null"))),
    Fires("authz.tg_document_inherit on app.document", "what takes its place is shared as it was, but not with who had it", _GOES, _HEIRLOOMS.format("document_grant", ":analyst"),
          who="builder", role="none", image=_INHERITS, late=True, opened=_INHERITS, planted=_HEIRS),
    Fires("authz.tg_document_inherit on app.document", "and ruled as it was", _GOES, _HEIRLOOMS.format("deny_rule", ":customer"),
          who="builder", role="none", image=_INHERITS, late=True, opened=_INHERITS, planted=_HEIRS),
    Fires("authz.tg_document_inherit on app.document", "in its organization alone", _GOES, _HEIRLOOMS.format("document_grant", ":analyst"), who="builder", role="none", opened=_INHERITS,
          planted=(*_HEIRS, replacing("Other", org=":globex"))),
    Fires("authz.tg_document_receipt on app.document", "counts what there was of it", _GOES.replace(":document", ":shared_document"),
          "(select array_agg(array[chunks, parts]) from app.deletion_receipt where org_id = :org and document_id = :shared_document) = '{{1,2}}'",
          image=("app.chunk", "app.document_part"), late=True, who="owner", role="none", planted=(
              "delete from app.document_part", "insert into app.document_part (org_id, document_id, knowledge_base_id, visibility, owner_id, position, content)"
              " select :org, d, :knowledge_base, 'private', :admin, n, 'x'::bytea from unnest(array[:shared_document, :shared_document, :document]) with ordinality t (d, n)")),
]
