"""Keys: which members of a key set are keys, and for how long a set is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from edge_proxy.jws import Key, key_set, public_key, signed_by
from tests.proxy.support import b64, jwks

JWKS = "/auth/v1/.well-known/jwks.json"
ES = ("ES256",)


def rsa_jwk(bits: int = 2048, **changes: object) -> dict[str, object]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    modulus = numbers.n.to_bytes(bits // 8, "big")
    return {"kty": "RSA", "kid": "r", "n": b64(modulus), "e": "AQAB", **changes}


@pytest.mark.parametrize(
    "changes",
    [
        {"alg": "ES384"},
        {"alg": "RS256"},
        {"use": "enc"},
        {"key_ops": ["sign"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"kid": ...},
        {"kid": "a b"},
        {"kid": 7},
        {"x": ...},
        {"x": 1},
        {"x": "AAAA"},
        {"y": b64(b"\1" * 32)},
    ],
)
def test_a_key_that_does_not_match_its_one_algorithm_is_not_used_R62_R79(key, changes):
    assert public_key(key.jwk(**changes), ES) is None


@pytest.mark.parametrize("changes", [{}, {"alg": ...}, {"use": ...}, {"key_ops": ...}, {"ext": True}])
def test_a_key_that_says_no_more_than_it_must_is_used_R62(key, changes):
    assert isinstance(public_key(key.jwk(**changes), ES), Key)


@pytest.mark.parametrize("member", [None, [], "key", 7])
def test_a_member_that_is_no_object_is_ignored_R79(key, member):
    assert list(key_set(jwks(member, key.jwk()), ES, max_keys=9)) == [key.kid]


def test_private_members_are_never_loaded_R79(key):
    private = key.private.private_numbers().private_value.to_bytes(32, "big")
    used = public_key(key.jwk(d=b64(private)), ES)
    assert used is not None and not hasattr(used.material.key, "private_numbers")


def test_a_kid_that_names_two_keys_names_none_R62(key, other_key):
    doubled = jwks(key.jwk(), {**other_key.jwk(), "kid": key.kid}, other_key.jwk())
    assert list(key_set(doubled, ES, max_keys=9)) == [other_key.kid]


def test_an_rsa_key_is_used_only_where_rs256_is_configured_and_long_enough_R60_R62():
    jwk = rsa_jwk()
    assert public_key(jwk, ES) is None
    used = public_key(jwk, ("ES256", "RS256"))
    assert used is not None and used.algorithm == "RS256"
    assert public_key({**jwk, "alg": "ES256"}, ("ES256", "RS256")) is None
    assert public_key(rsa_jwk(1024), ("RS256",)) is None


def wycheproof() -> list[tuple[str, Key, bytes, bytes, bool]]:
    """Return (name, key, message, signature, valid) of each vector; ES256 signatures have exactly this encoding."""
    cases = []
    for group in json.loads((Path(__file__).parent / "data" / "ecdsa_p256_p1363.json").read_text())["groups"]:
        point = bytes.fromhex(group["publicKey"])
        jwk = {"kty": "EC", "crv": "P-256", "kid": "w", "x": b64(point[1:33]), "y": b64(point[33:])}
        used = public_key(jwk, ES)
        assert used is not None
        for number, comment, message, signature, result in group["tests"]:
            cases.append(
                (f"{number} {comment}", used, bytes.fromhex(message), bytes.fromhex(signature), result == "valid")
            )
    return cases


def test_the_published_p256_signature_vectors_have_no_wrong_accept_and_no_wrong_reject_R63():
    cases = wycheproof()
    assert len(cases) == 262 and sum(valid for *_, valid in cases) == 173
    wrong = [
        name for name, used, message, signature, valid in cases if signed_by(used, message, signature) is not valid
    ]
    assert wrong == []


def rsa_vectors() -> list[tuple[str, Key, bytes, bytes, str]]:
    cases = []
    for group in json.loads((Path(__file__).parent / "data" / "rsa_2048_sha256.json").read_text())["groups"]:
        numbers = {name: b64(bytes.fromhex(group[name]).lstrip(b"\0")) for name in ("n", "e")}
        used = public_key({"kty": "RSA", "kid": "w", **numbers}, ("RS256",))
        assert used is not None
        cases += [(f"{n} {why}", used, bytes.fromhex(m), bytes.fromhex(s), result) for n, why, m, s, result in group["tests"]]
    return cases


def test_the_published_rsa_signature_vectors_have_no_wrong_accept_and_no_wrong_reject_R63():
    cases = rsa_vectors()
    assert len(cases) == 259 and sum(result == "valid" for *_, result in cases) == 9
    wrong = [name for name, used, message, signature, result in cases
             # "acceptable" is a signature without the NULL of its algorithm: old, harmless, and refused here.
             if signed_by(used, message, signature) is not (result == "valid")]  # fmt: skip
    assert wrong == []
