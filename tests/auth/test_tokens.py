"""Access tokens and the keys behind them, checked by PyJWT as any other service would."""

from __future__ import annotations

import hmac
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from jwt.utils import base64url_encode
from supabase_auth import SyncGoTrueClient

from edge_proxy.local.auth.config import ConfigError
from edge_proxy.local.auth.keys import SigningKeys, new_key
from tests.auth.harness import Emulator, MovableClock, Person


def access_token(client: SyncGoTrueClient) -> str:
    session = client.get_session()
    assert session
    return session.access_token


def published(emulator: Emulator) -> httpx.Response:
    return emulator.http.get("/.well-known/jwks.json")


def test_a_token_verifies_against_the_published_keys(signed_in: SyncGoTrueClient, emulator: Emulator, person: Person) -> None:
    token = access_token(signed_in)
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["typ"]) == ("ES256", "JWT")
    key = jwt.PyJWKSet.from_dict(published(emulator).json())[header["kid"]]
    claims = jwt.decode(
        token, key, ["ES256"], audience="authenticated", issuer=emulator.config.issuer, options={"require": ["exp", "iat"]}
    )
    assert set(claims) == {
        "iss", "aud", "exp", "iat", "sub", "role", "aal", "session_id", "email", "phone", "is_anonymous",
        "app_metadata", "user_metadata", "amr",
    }
    assert (claims["sub"], claims["email"], claims["phone"]) == (person.id, person.email, "")
    assert (claims["role"], claims["aal"], claims["is_anonymous"]) == ("authenticated", "aal1", False)
    assert claims["amr"] == [{"method": "password", "timestamp": claims["iat"]}]
    assert claims["exp"] - claims["iat"] == 3600
    sessions = emulator.rows("select id::text, aal::text from auth.sessions where user_id = %s", person.id)
    assert {"id": claims["session_id"], "aal": "aal1"} in sessions


def test_the_clients_own_verification_accepts_the_token(signed_in: SyncGoTrueClient, person: Person) -> None:
    answer = signed_in.get_claims()
    assert answer and answer["claims"]["sub"] == person.id


def test_every_public_key_is_published_and_nothing_private(emulator: Emulator) -> None:
    answer = published(emulator)
    assert answer.headers["cache-control"] == "public, max-age=600"
    keys = answer.json()["keys"]
    assert [key["kid"] for key in keys] == [key["kid"] for key in emulator.keys.jwks]
    assert len(keys) == 2
    for key in keys:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use", "key_ops", "ext"}
        assert key["key_ops"] == ["verify"]


def test_the_first_key_signs_and_every_published_key_is_accepted(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    token = access_token(signed_in)
    first, second = emulator.keys.jwks
    assert jwt.get_unverified_header(token)["kid"] == first["kid"]
    by_the_second = SigningKeys((second,)).sign(emulator.keys.verify(token))
    assert emulator.get_user(by_the_second).status_code == 200


def other_key_same_kid(emulator: Emulator, claims: dict[str, Any]) -> str:
    return SigningKeys((new_key() | {"kid": emulator.keys.jwks[0]["kid"]},)).sign(claims)


def unsigned(emulator: Emulator, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, "", "none", headers={"kid": emulator.keys.jwks[0]["kid"]})


def hmac_with_the_public_key(emulator: Emulator, claims: dict[str, Any]) -> str:
    # By hand: PyJWT will not take a public key for a secret, other libraries do.
    public = json.dumps(emulator.keys.public()["keys"][0])
    header = {"alg": "HS256", "kid": emulator.keys.jwks[0]["kid"]}
    signed = b".".join(base64url_encode(json.dumps(part).encode()) for part in (header, claims))
    return b".".join((signed, base64url_encode(hmac.digest(public.encode(), signed, "sha256")))).decode()


def changed(**changes: Any) -> Callable[[Emulator, dict[str, Any]], str]:
    def forge(emulator: Emulator, claims: dict[str, Any]) -> str:
        return emulator.keys.sign({name: value for name, value in (claims | changes).items() if value is not None})

    return forge


FORGERIES = {
    "another key under the same kid": other_key_same_kid,
    "no signature": unsigned,
    "the public key as a secret": hmac_with_the_public_key,
    "an unknown kid": lambda _, claims: SigningKeys((new_key(),)).sign(claims),
    "not a token": lambda _, claims: "a.b.c",
    "a publishable key": lambda _, claims: "sb_publishable_abcdefghijklmnopqrst",
    "another audience": changed(aud="somebody"),
    "another issuer": changed(iss="https://elsewhere.test/auth/v1"),
    "no expiry": changed(exp=None),
    "no session": changed(session_id=None),
    "a subject that is no id": changed(sub="ada"),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_token_that_is_not_ours_is_refused(
    signed_in: SyncGoTrueClient, emulator: Emulator, forge: Callable[[Emulator, dict[str, Any]], str]
) -> None:
    claims = emulator.keys.verify(access_token(signed_in))
    assert emulator.get_user(emulator.keys.sign(claims)).status_code == 200
    answer = emulator.get_user(forge(emulator, claims))
    assert (answer.status_code, answer.json()["error_code"]) == (403, "bad_jwt")


def test_an_expired_token_is_refused(signed_in: SyncGoTrueClient, emulator: Emulator, clock: MovableClock) -> None:
    token = access_token(signed_in)
    clock.advance(3599)
    assert emulator.get_user(token).status_code == 200
    clock.advance(2)
    assert emulator.get_user(token).json()["error_code"] == "bad_jwt"


def test_a_session_of_somebody_else_does_not_fit_the_token(signed_in: SyncGoTrueClient, emulator: Emulator) -> None:
    stranger = emulator.post("/signup", json={"email": f"s-{id(signed_in)}@acme.test", "password": "long enough"}).json()
    claims = emulator.keys.verify(access_token(signed_in))
    foreign = emulator.keys.verify(stranger["access_token"])["session_id"]
    answer = emulator.get_user(emulator.keys.sign(claims | {"session_id": foreign}))
    assert (answer.status_code, answer.json()["error_code"]) == (403, "session_not_found")


def test_the_key_file_is_made_once_for_our_eyes_only(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = SigningKeys.load_or_create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKeys.load_or_create(path) == made
    assert [file.name for file in tmp_path.iterdir()] == ["keys.json"]


def test_the_published_file_holds_what_the_endpoint_serves(emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    emulator.keys.publish_jwks(path)
    assert json.loads(path.read_text()) == published(emulator).json()


def test_a_key_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SigningKeys.load_or_create(tmp_path / "keys.json")
    SigningKeys.load_or_create(tmp_path / "keys.json")
    somebody_else = os.geteuid() + 12345
    monkeypatch.setattr(os, "geteuid", lambda: somebody_else)
    with pytest.raises(ConfigError, match="belongs to another user"):
        SigningKeys.load_or_create(tmp_path / "keys.json")


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    SigningKeys.load_or_create(path)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        SigningKeys.load_or_create(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"keys": []}',
        json.dumps(SigningKeys((new_key(),)).public()),
        json.dumps({"keys": [new_key() | {"alg": "HS256"}]}),
        json.dumps({"keys": [{name: part for name, part in new_key().items() if name != "kid"}]}),
    ],
    ids=["nothing", "a list", "no key", "public keys", "another algorithm", "no kid"],
)
def test_a_key_file_that_cannot_sign_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.json"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"keys\.json"):
        SigningKeys.load_or_create(path)
