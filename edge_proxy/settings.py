"""How one setting is read: each function returns its value or raises ConfigRefused naming the variable, never its value."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from edge_proxy.limits import Rate

_RATE = re.compile(r"(\d+(?:\.\d+)?)/(\d+)\Z")


class ConfigRefused(Exception):
    """The settings are unsafe or incomplete; the message names the variable and never its value."""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def service_url(name: str, value: str) -> str:
    """Return the URL without a trailing slash: https, or http on this machine (R79)."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as err:
        raise ConfigRefused(f"{name} is not a URL") from err
    if not host or parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigRefused(f"{name} must be a plain URL without credentials, query or fragment")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigRefused(f"{name} must be https, or http on a loopback address")
    return value.rstrip("/")


def port(name: str, value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value) <= 65535:
        raise ConfigRefused(f"{name} must be a port number")
    return int(value)


def rate(environ: Mapping[str, str], name: str, default: Rate) -> Rate:
    match = _RATE.match(environ.get(name) or f"{default.per_second}/{default.burst}")
    if not match or float(match[1]) <= 0 or int(match[2]) < 1:
        raise ConfigRefused(f"{name} must be PER_SECOND/BURST, for example 50/200")
    return Rate(float(match[1]), int(match[2]))


def count(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name) or str(default)
    if not (value.isascii() and value.isdecimal() and len(value) < 10 and int(value) > 0):
        raise ConfigRefused(f"{name} must be a number from 1 up")
    return int(value)


def redis_url(environ: Mapping[str, str]) -> str:
    """Return the URL of the shared counters: over TLS, or on this machine."""
    name = "RINGFENCE_REDIS_URL"
    value = environ.get(name, "")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError as err:
        raise ConfigRefused(f"{name} is not a URL") from err
    allowed = parts.scheme in ("rediss", "unix") or (parts.scheme == "redis" and is_loopback(host))
    if value and not (allowed and (host or parts.scheme == "unix")):
        raise ConfigRefused(f"{name} must be rediss://, or redis:// on a loopback address")
    return value


def tls_files(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return certificate and key file, both or neither."""
    names = ("RINGFENCE_TLS_CERT_FILE", "RINGFENCE_TLS_KEY_FILE")
    cert, key = (environ.get(name, "") for name in names)
    if bool(cert) != bool(key):
        raise ConfigRefused(f"{names[0]} and {names[1]} belong together")
    for name, path in zip(names, (cert, key), strict=True):
        if path and not os.access(path, os.R_OK):
            raise ConfigRefused(f"{name}: the file cannot be read")
    return cert, key


def clear_text(host: str) -> ConfigRefused:
    return ConfigRefused(
        f"RINGFENCE_HOST: on {host} access tokens would travel in the clear; set RINGFENCE_TLS_CERT_FILE and "
        "RINGFENCE_TLS_KEY_FILE, or name the proxy in front that speaks TLS in RINGFENCE_TRUSTED_PROXIES"
    )


def share(environ: Mapping[str, str], name: str) -> float:
    value = environ.get(name) or "1"
    if not re.fullmatch(r"0?\.\d{1,6}|[01](\.0*)?", value):
        raise ConfigRefused(f"{name} must be a number from 0 to 1")
    return float(value)


def words(environ: Mapping[str, str], name: str, default: str = "") -> tuple[str, ...]:
    return tuple(word.strip() for word in environ.get(name, default).split(",") if word.strip())


def networks(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    found = words(environ, name)
    try:
        for network in found:
            ipaddress.ip_network(network)
    except ValueError as err:
        raise ConfigRefused(f"{name} must be addresses or networks, for example 10.0.0.0/8") from err
    return found
