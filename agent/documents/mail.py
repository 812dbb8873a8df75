"""E-mail files, by the standard library: who, when, what about, and the text; attachments only by name."""

from email import message_from_binary_file, policy
from email.message import Message
from typing import BinaryIO

from agent.documents.html import html_text
from agent.documents.limits import DocumentLimits
from agent.documents.text import Text, TooMuch, Unreadable, one_line

_HEADERS = ("From", "To", "Cc", "Date")
_READ = frozenset({"subject", "content-type", "content-disposition", "content-transfer-encoding"} | {name.lower() for name in _HEADERS})


def read_mail(file: BinaryIO, limits: DocumentLimits) -> Text:
    """Return the message, its subject as heading, and those forwarded in it. Raises: Unreadable, TooMuch."""
    message = message_from_binary_file(file, policy=policy.default)
    if not message.keys():
        raise Unreadable
    text = Text(limits, [])
    _message(message, text, 1, limits)
    return text


def _check_headers(part: Message, limits: DocumentLimits) -> None:
    """Raises: TooMuch."""
    if any(len(str(value)) > limits.header_characters for name, value in part.raw_items() if name.lower() in _READ):
        raise TooMuch


def _message(message: Message, text: Text, level: int, limits: DocumentLimits) -> None:
    _check_headers(message, limits)
    text.heading(min(level, 6), str(message.get("Subject", "")) or "(no subject)")
    for name in _HEADERS:
        if message.get(name):
            text.line(f"{name}: {one_line(str(message[name]))}")
    text.end_block()
    _part(message, text, level, level, limits)


def _part(part: Message, text: Text, level: int, depth: int, limits: DocumentLimits) -> None:
    """Append one part; of alternatives the plain one."""
    if depth > limits.nesting:
        raise TooMuch
    _check_headers(part, limits)
    kind = part.get_content_type()
    inner = part.get_payload()
    if kind == "message/rfc822" and isinstance(inner, list) and inner:
        _message(inner[0], text, level + 1, limits)
    elif kind == "multipart/alternative" and isinstance(inner, list) and inner:
        # The richest form stands last.
        chosen = [one for one in inner if one.get_content_type() == "text/plain"] or inner[-1:]
        _part(chosen[0], text, level, depth + 1, limits)
    elif isinstance(inner, list):
        for one in inner:
            _part(one, text, level, depth + 1, limits)
    elif part.get_content_disposition() == "attachment" or part.get_filename():
        text.line(f"Attachment: {one_line(str(part.get_filename() or kind))}")
        text.end_block()
    elif kind == "text/html":
        html_text(_string(part).encode("utf-8", "replace"), text, "utf-8")
    elif kind == "text/plain":
        text.paragraph(_string(part))


def _string(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
