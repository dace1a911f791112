"""HTTP authentication: Basic (RFC 7617) and Digest (RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable

from signary.address import Address

SCHEME = re.compile(r"(?:^|,)\s*(basic|digest)\s+", re.IGNORECASE)
FIELD = re.compile(r'([a-z-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', re.IGNORECASE)
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def authorization(address: Address, challenges: Iterable[str]) -> str:
    """Return the Authorization header of a GET, Digest before Basic; empty for any other scheme.

    Parameters
    ----------
    address : Address
    challenges : iterable of str
        Values of WWW-Authenticate headers.
    """
    known = dict(part for value in challenges for part in _challenges(value))
    if "digest" in known and (answer := _digest(address, known["digest"])):
        return answer
    if "basic" in known:
        pair = f"{address.user or ''}:{address.password or ''}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"
    return ""


def _challenges(value: str) -> Iterable[tuple[str, dict[str, str]]]:
    if not value.isprintable():  # a folded header must not break ours
        return
    _, *parts = SCHEME.split(value)
    for scheme, fields in zip(parts[::2], parts[1::2], strict=True):
        yield scheme.lower(), {name.lower(): quoted or bare for name, quoted, bare in FIELD.findall(fields)}


def _digest(address: Address, challenge: dict[str, str]) -> str:
    named = challenge.get("algorithm", "MD5")
    algorithm = HASHES.get(named.upper().removesuffix("-SESS"))
    qop = "auth" if "auth" in re.split(r"[\s,]+", challenge.get("qop", "")) else ""
    if algorithm is None or "nonce" not in challenge or (challenge.get("qop") and not qop):
        return ""

    def digest(*parts: str) -> str:
        return hashlib.new(algorithm, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    realm, nonce, own, user = challenge.get("realm", ""), challenge["nonce"], secrets.token_hex(8), address.user or ""
    secret = digest(user, realm, address.password or "")
    if named.upper().endswith("-SESS"):
        secret = digest(secret, nonce, own)
    asked = digest("GET", address.target)
    response = digest(secret, nonce, "00000001", own, qop, asked) if qop else digest(secret, nonce, asked)
    user = user.replace("\\", r"\\").replace('"', r"\"")
    fields = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{address.target}"']
    fields += [f'response="{response}"', f"algorithm={named}"]
    if "opaque" in challenge:
        fields.append(f'opaque="{challenge["opaque"]}"')
    if qop:
        fields += [f"qop={qop}", "nc=00000001", f'cnonce="{own}"']
    return f"Digest {', '.join(fields)}"
