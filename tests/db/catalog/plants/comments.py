"""Objects without a comment, and functions that share a name."""

from __future__ import annotations

from tests.db.catalog.plants.plant import FUNCTION, plants

COMMENTS = [
    *plants(
        "a10",
        ("comment on schema authz is null", "schema authz"),
        ("comment on table app.run is null", "app.run"),
        ("comment on column app.chunk.content is '  '", "app.chunk.content"),
        ("alter table app.chunk add column planted int", "app.chunk.planted"),
        ("comment on function authz.uid() is null", "authz.uid()"),
        (FUNCTION, "api.planted()"),
        ("comment on policy chunk_floor on app.chunk is null", "app.chunk.chunk_floor"),
        ("create type app.planted as enum ('a')", "type app.planted"),
        ("create role ringfence_planted", "role ringfence_planted"),
        ("create view app.planted as select 1 as a", ("app.planted", "app.planted.a"))),
    *plants(
        "a11",
        ("create function api.get_order(org_id uuid) returns int language sql as 'select 1'", "api.get_order"),
        ("create function authz.orgs_with(permission text, role text) returns setof uuid language sql as 'select null::uuid'", "authz.orgs_with")),
]
