"""The classes of Wycheproof's JSON Web Signature vectors, made anew with keys of the test: whole tokens against a whole key set (R63).

Each case says what is wrong with it; beside it stands the twin that differs in nothing else and is accepted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from edge_proxy.jws import BadJws, check_header, check_signature, key_set, parse
from tests.proxy.support import b64, jwks

BOTH = ("ES256", "RS256")
EC_KEY, OTHER_EC = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
RSA_KEY, SHORT_RSA = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def ec_jwk(key: Any = EC_KEY, **changes: Any) -> dict[str, Any]:
    numbers, size = key.public_key().public_numbers(), (key.key_size + 7) // 8
    curve = {"secp256r1": "P-256", "secp384r1": "P-384"}[key.curve.name]
    return {"kty": "EC", "crv": curve, "kid": "k", "alg": "ES256", "use": "sig",
            "x": b64(numbers.x.to_bytes(size, "big")), "y": b64(numbers.y.to_bytes(size, "big")), **changes}  # fmt: skip


def rsa_jwk(key: Any = RSA_KEY, **changes: Any) -> dict[str, Any]:
    n = key.public_key().public_numbers().n
    return {"kty": "RSA", "kid": "k", "alg": "RS256", "use": "sig", "n": b64(n.to_bytes(key.key_size // 8, "big")), "e": "AQAB", **changes}


def signing_input(alg: str, **more: Any) -> bytes:
    return f"{b64(json.dumps({'alg': alg, 'kid': 'k', **more}).encode())}.{b64(b'{}')}".encode()


def es256(data: bytes, key: Any = EC_KEY, shape: Callable[[int, int], bytes] | None = None) -> bytes:
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return shape(r, s) if shape else r.to_bytes(32, "big") + s.to_bytes(32, "big")


def der(data: bytes) -> bytes:
    return bytes(EC_KEY.sign(data, ec.ECDSA(hashes.SHA256())))


def rs256(data: bytes, key: Any = RSA_KEY) -> bytes:
    return bytes(key.sign(data, padding.PKCS1v15(), hashes.SHA256()))


def hs256(data: bytes, secret: bytes) -> bytes:
    return hmac.new(secret, data, hashlib.sha256).digest()


def token(data: bytes, signature: bytes) -> str:
    return f"{data.decode()}.{b64(signature)}"


def pem(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def accepted(text: str, *members: Any, algorithms: tuple[str, ...] = BOTH) -> bool:
    """Return whether the token is one that the owner of a key in this set signed."""
    try:
        keys = key_set(jwks(*members), algorithms, max_keys=9)
        jws = parse(text, max_bytes=9000)
        _, kid = check_header(jws.header, algorithms)
        if kid not in keys:
            return False
        check_signature(jws, keys[kid])
    except (BadJws, ValueError):
        return False
    return True


ES, RS = signing_input("ES256"), signing_input("RS256")
GOOD_ES, GOOD_RS = es256(ES), rs256(RS)


def test_the_twins_are_accepted_R63():
    assert accepted(token(ES, GOOD_ES), ec_jwk()) and accepted(token(RS, GOOD_RS), rsa_jwk())
    assert accepted(token(ES, GOOD_ES), ec_jwk(), rsa_jwk(kid="other"))
    assert accepted(token(ES, GOOD_ES), ec_jwk(alg="ES256", key_ops=["verify"]))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


PS = signing_input("PS256")
WRONG: dict[str, tuple[str, tuple[Any, ...]]] = {
    "ES256 signature changed": (token(ES, flipped(GOOD_ES, 7)), (ec_jwk(),)),
    "RS256 signature changed": (token(RS, flipped(GOOD_RS, 7)), (rsa_jwk(),)),
    "header changed": (token(signing_input("ES256", typ="JWT"), GOOD_ES), (ec_jwk(),)),
    "another key": (token(ES, es256(ES, OTHER_EC)), (ec_jwk(),)),
    "no signature": (token(ES, b""), (ec_jwk(),)),
    "empty signature part": (f"{ES.decode()}.", (ec_jwk(),)),
    "alg none": (token(signing_input("none"), GOOD_ES), (ec_jwk(),)),
    "alg none without a signature": (f"{signing_input('none').decode()}.", (ec_jwk(),)),
    "DER instead of r and s": (token(ES, der(ES)), (ec_jwk(),)),
    "r and s of zeros": (token(ES, bytes(64)), (ec_jwk(),)),
    "r zero": (token(ES, bytes(32) + GOOD_ES[32:]), (ec_jwk(),)),
    "s zero": (token(ES, GOOD_ES[:32] + bytes(32)), (ec_jwk(),)),
    "r of the order": (token(ES, ORDER.to_bytes(32, "big") + GOOD_ES[32:]), (ec_jwk(),)),
    "s beyond the order": (token(ES, GOOD_ES[:32] + (2**256 - 1).to_bytes(32, "big")), (ec_jwk(),)),
    "a byte too many": (token(ES, GOOD_ES + b"\0"), (ec_jwk(),)),
    "leading zeros": (token(ES, es256(ES, shape=lambda r, s: r.to_bytes(33, "big") + s.to_bytes(33, "big"))), (ec_jwk(),)),
    "a byte too few": (token(ES, GOOD_ES[:-1]), (ec_jwk(),)),
    "RS256 cut": (token(RS, GOOD_RS[:-1]), (rsa_jwk(),)),
    "RS256 longer": (token(RS, b"\0" + GOOD_RS), (rsa_jwk(),)),
    "PSS padding under RS256": (token(RS, RSA_KEY.sign(RS, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())), (rsa_jwk(),)),
    "PS256": (token(PS, RSA_KEY.sign(PS, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())), (rsa_jwk(alg="PS256"),)),
    "SHA-1 under RS256": (token(RS, RSA_KEY.sign(RS, padding.PKCS1v15(), hashes.SHA1())), (rsa_jwk(),)),
    "SHA-512 under ES256": (token(ES, b"".join(n.to_bytes(32, "big") for n in decode_dss_signature(EC_KEY.sign(ES, ec.ECDSA(hashes.SHA512()))))), (ec_jwk(),)),
    "ES256 token and RSA key": (token(ES, rs256(ES)), (rsa_jwk(),)),
    "RS256 token and EC key": (token(RS, es256(RS)), (ec_jwk(),)),
    "key says ES384": (token(ES, GOOD_ES), (ec_jwk(alg="ES384"),)),
    "key says RS512": (token(RS, GOOD_RS), (rsa_jwk(alg="RS512"),)),
    "key is for encryption": (token(ES, GOOD_ES), (ec_jwk(use="enc"),)),
    "key is for signing only": (token(ES, GOOD_ES), (ec_jwk(key_ops=["sign"]),)),
    "key of another curve": (token(ES, GOOD_ES), (ec_jwk(P384),)),
    "curve renamed": (token(ES, GOOD_ES), (ec_jwk(crv="P-384"),)),
    "point off the curve": (token(ES, GOOD_ES), (ec_jwk(y=b64(b"\1" * 32)),)),
    "short RSA key": (token(RS, rs256(RS, SHORT_RSA)), (rsa_jwk(SHORT_RSA),)),
    "HS256 with the PEM as secret": (token(signing_input("HS256"), hs256(signing_input("HS256"), pem(EC_KEY))), (ec_jwk(),)),
    "HS256 with the RSA PEM as secret": (token(signing_input("HS256"), hs256(signing_input("HS256"), pem(RSA_KEY))), (rsa_jwk(),)),
    "HS256 with a symmetric key in the set": (token(signing_input("HS256"), hs256(signing_input("HS256"), b"secret")),
                                              ({"kty": "oct", "kid": "k", "alg": "HS256", "k": b64(b"secret")}, ec_jwk(kid="other"))),
    "symmetric key under an asymmetric name": (token(ES, hs256(ES, b"secret")), ({"kty": "oct", "kid": "k", "alg": "ES256", "k": b64(b"secret")}, ec_jwk(kid="o"))),
    "two keys of one kid": (token(ES, GOOD_ES), (ec_jwk(), ec_jwk(OTHER_EC))),
    "crit": (token(signing_input("ES256", crit=["exp"], exp=1), es256(signing_input("ES256", crit=["exp"], exp=1))), (ec_jwk(),)),
    "b64 false": (token(signing_input("ES256", b64=False), es256(signing_input("ES256", b64=False))), (ec_jwk(),)),
    "key in the header": (token(signing_input("ES256", jwk=ec_jwk(OTHER_EC)), es256(signing_input("ES256", jwk=ec_jwk(OTHER_EC)), OTHER_EC)), (ec_jwk(),)),
    "space in a part": (token(ES, GOOD_ES).replace(".", ". ", 1), (ec_jwk(),)),
    "line end at the end": (token(ES, GOOD_ES) + "\n", (ec_jwk(),)),
    "padding": (token(ES, GOOD_ES) + "==", (ec_jwk(),)),
    "four parts": (token(ES, GOOD_ES) + ".AA", (ec_jwk(),)),
    "JSON serialisation": (json.dumps({"payload": b64(b"{}"), "protected": ES.decode().split(".")[0], "signature": b64(GOOD_ES)}), (ec_jwk(),)),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_none_of_the_classes_of_bad_signatures_is_accepted_R62_R63(name):
    text, members = WRONG[name]
    assert not accepted(text, *members)


def test_a_private_key_in_the_set_verifies_by_its_public_half_alone_R79():
    secret = EC_KEY.private_numbers().private_value.to_bytes(32, "big")
    keys = key_set(jwks(ec_jwk(d=b64(secret)), rsa_jwk(kid="r", d="AA", p="AA", q="AA")), BOTH, max_keys=9)
    assert set(keys) == {"k", "r"} and all(not hasattr(key.material.key, "private_numbers") for key in keys.values())
    assert accepted(token(ES, GOOD_ES), ec_jwk(d=b64(secret)))
