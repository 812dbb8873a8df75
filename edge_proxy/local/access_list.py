"""POSIX access control lists, for the one thing the local stack needs of them: one user may pass through a folder.

The format is the kernel's own, of the attribute that setfacl writes (linux/posix_acl_xattr.h): a version, then entries of
tag, permissions and id, in the order of their tags.
"""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

_ATTRIBUTE = "system.posix_acl_access"
_VERSION = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")
_OWNER, _USER, _GROUP_OWNER, _GROUP, _MASK, _OTHERS = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_PASS = 0x1

Entries = dict[tuple[int, int], int]
"""Permissions by (tag, id)."""


def let_pass(folder: Path, user_id: int) -> None:
    """Let one user pass through `folder`, not list it; nobody else gains anything. Raises: OSError where there are no such lists."""
    entries = read(folder)
    entries[_USER, user_id] = entries.get((_USER, user_id), 0) | _PASS
    # The mask bounds users and groups named here and the owning group: a group that had nothing keeps nothing.
    entries[_MASK, _NO_ID] = entries.get((_MASK, _NO_ID), entries[_GROUP_OWNER, _NO_ID]) | _PASS
    packed = b"".join(_ENTRY.pack(tag, permissions, id_) for (tag, id_), permissions in sorted(entries.items()))
    os.setxattr(folder, _ATTRIBUTE, _VERSION.pack(2) + packed)


def read(folder: Path) -> Entries:
    """Return the list of a folder; without one, what its mode says."""
    try:
        stored = os.getxattr(folder, _ATTRIBUTE)
    except OSError as err:
        if err.errno != errno.ENODATA:
            raise
        mode = folder.stat().st_mode
        return {(_OWNER, _NO_ID): mode >> 6 & 7, (_GROUP_OWNER, _NO_ID): mode >> 3 & 7, (_OTHERS, _NO_ID): mode & 7}
    return {(tag, id_): permissions for tag, permissions, id_ in _ENTRY.iter_unpack(stored[_VERSION.size:])}
