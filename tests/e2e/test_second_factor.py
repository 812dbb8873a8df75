"""A second factor through the edge of the whole stack, by the real client: from enrolment to an organization that requires one."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pyotp
import pytest
from supabase_auth import SyncGoTrueClient

from agent.cli.errors import CliError
from agent.cli.login import sign_in
from agent.cli.options import Target
from edge_proxy.local.state import State
from tests.e2e.conftest import Answer, send


class Device:
    """A client of its own with the edge as its project."""

    def __init__(self, stack: dict[str, Any], http: httpx.Client) -> None:
        self.url = stack["url"]
        self.auth = SyncGoTrueClient(
            url=f"{stack['url']}/auth/v1", headers={"apikey": stack["publishable_key"]}, auto_refresh_token=False, http_client=http)

    def token(self) -> str:
        session = self.auth.get_session()
        assert session
        return session.access_token

    def claims(self) -> dict[str, Any]:
        return dict(jwt.decode(self.token(), options={"verify_signature": False}))

    def rpc(self, name: str, /, **arguments: Any) -> Answer:
        headers = {"authorization": f"Bearer {self.token()}", "content-type": "application/json"}
        return send(self.url, "POST", f"/rest/v1/rpc/{name}", headers, arguments)


@pytest.fixture
def new_device(stack: dict[str, Any]) -> Iterator[Callable[[], Device]]:
    with httpx.Client(timeout=60) as http:
        yield lambda: Device(stack, http)


@pytest.fixture
def account() -> dict[str, Any]:
    return {"email": f"{secrets.token_hex(8)}@acme.test", "password": secrets.token_urlsafe(12)}


def test_from_enrolment_to_an_organization_that_requires_it_F06_F07_R42(new_device: Callable[[], Device], account: dict[str, Any]) -> None:
    first = new_device()
    first.auth.sign_up(account)  # type: ignore[arg-type]
    org = first.rpc("create_organization", slug="strict", name="Strict").json()["id"]
    refused = first.rpc("set_mfa_policy", org_id=org, required=True)
    assert (refused.status, refused.json()["code"], refused.json()["sqlstate"]) == (401, "aal_required", "PT401")
    assert "confirm your second factor" in refused.json()["message"]

    factor = first.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone app", "issuer": "acme.test"})
    assert factor.totp
    app = pyotp.TOTP(factor.totp.secret)
    first.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": app.at(time.time(), counter_offset=-1)})
    assert (first.claims()["aal"], first.claims()["org_roles"]) == ("aal2", {org: "owner"})
    assert first.rpc("set_mfa_policy", org_id=org, required=True).json() == {"org_id": org, "require_mfa": True}

    second = new_device()
    second.auth.sign_in_with_password(account)  # type: ignore[arg-type]
    me = second.rpc("whoami").json()
    assert (me["aal"], me["organizations"], me["second_factor_missing"]) == ("aal1", [], True)
    assert (second.rpc("list_members", org_id=org).json(), "org_roles" in second.claims()) == ([], False)
    second.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": app.at(time.time(), counter_offset=1)})
    me = second.rpc("whoami").json()
    assert (me["aal"], [o["id"] for o in me["organizations"]], me["second_factor_missing"]) == ("aal2", [org], False)
    assert [m["role"] for m in second.rpc("list_members", org_id=org).json()] == ["owner"]
    assert second.claims()["org_roles"] == {org: "owner"}


def test_the_command_line_signs_in_with_a_code(new_device: Callable[[], Device], stack: dict[str, Any], account: dict[str, Any], tmp_path: Path) -> None:
    device = new_device()
    device.auth.sign_up(account)  # type: ignore[arg-type]
    where = Target(stack["url"], stack["publishable_key"], State(tmp_path))

    def login(code: str | None) -> str:
        token = sign_in(where, account["email"], account["password"], code)
        return str(jwt.decode(token, options={"verify_signature": False})["aal"])

    assert login(None) == "aal1"
    with pytest.raises(CliError, match="no authenticator app"):
        login("123456")
    factor = device.auth.mfa.enroll({"factor_type": "totp", "friendly_name": "phone app", "issuer": "acme.test"})
    assert factor.totp
    app = pyotp.TOTP(factor.totp.secret)
    device.auth.mfa.challenge_and_verify({"factor_id": factor.id, "code": app.at(time.time(), counter_offset=-1)})
    assert login(app.at(time.time(), counter_offset=1)) == "aal2"
    with pytest.raises(CliError, match="not accepted: Invalid TOTP code entered"):
        login(app.at(time.time(), counter_offset=5))
