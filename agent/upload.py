"""A multipart upload, as it arrives: one file and a few short fields, the file spooled to disk."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from agent.asgi import ClientGone, Receive, Scope
from agent.documents.errors import DocumentTooLarge
from agent.errors import BadRequest
from agent.schema import storable

if TYPE_CHECKING:
    from starlette.datastructures import FormData

ENVELOPE_BYTES = 64 * 1024
"""The fields, and what separates them."""
_FIELDS = 40
_FIELD_BYTES = 48_000
"""Of one of them: what each of 200 columns means is one field."""
_WANTED = f"The body must be multipart/form-data with one file in the field file, and at most {_FIELDS} other fields of {_FIELD_BYTES:,} bytes."
_NAME_CHARACTERS = 255


@dataclass
class Upload:
    """The file and the fields; each name of a field with all its values."""

    file: BinaryIO
    filename: str
    fields: dict[str, list[str]]

    def one(self, name: str) -> str | None:
        """Return the field's value, None when it was left out. Raises: BadRequest."""
        values = self.fields.get(name, [])
        if len(values) > 1:
            raise BadRequest(f"{name}: must be given once.")
        return values[0] if values else None


class Arriving:
    """Reads one upload; a context manager that deletes the file afterwards."""

    def __init__(self, scope: Scope, receive: Receive, file_bytes: int) -> None:
        self._scope, self._receive, self._file_bytes = scope, receive, file_bytes
        self._form: FormData | None = None
        self._stopped: Exception | None = None

    async def __aenter__(self) -> Upload:
        """Raises: BadRequest, DocumentTooLarge, ClientGone."""
        from python_multipart.exceptions import FormParserError
        from starlette.datastructures import Headers
        from starlette.formparsers import MultiPartException, MultiPartParser

        headers = Headers(scope=dict(self._scope))
        if not headers.get("content-type", "").startswith("multipart/form-data"):
            raise BadRequest(_WANTED)
        parser = MultiPartParser(headers, self._pieces(), max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES)
        try:
            self._form = await parser.parse()
        except (MultiPartException, FormParserError) as err:
            raise self._stopped or BadRequest(_WANTED) from err
        try:
            return _upload(self._form)
        except BadRequest:
            await self._form.close()
            raise

    async def __aexit__(self, *_: object) -> None:
        if self._form is not None:
            await self._form.close()

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
        from starlette.formparsers import MultiPartException

        size, more = 0, True
        while more:
            message = await self._receive()
            size += len(message.get("body", b""))
            if message["type"] == "http.disconnect":
                self._stopped = ClientGone()
            elif size > self._file_bytes + ENVELOPE_BYTES:
                self._stopped = DocumentTooLarge()
            if self._stopped is not None:
                # The one exception for which the parser closes the file it has begun.
                raise MultiPartException("stopped")
            yield message.get("body", b"")
            more = message.get("more_body", False)


def _upload(form: "FormData") -> Upload:
    from starlette.datastructures import UploadFile

    fields: dict[str, list[str]] = {}
    file: UploadFile | None = None
    for name, value in form.multi_items():
        if not isinstance(value, UploadFile):
            fields.setdefault(name, []).append(value)
        elif name == "file":
            file = value
    if file is None:
        raise BadRequest(_WANTED)
    if not all(storable(value) for values in fields.values() for value in values):
        raise BadRequest("The fields must be text.")
    return Upload(file.file, filename(file.filename or ""), fields)


def filename(given: str) -> str:
    """Return the last part of the name, without what would not print. Raises: BadRequest."""
    name = "".join(c for c in given.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()).strip()
    if not name or len(name) > _NAME_CHARACTERS:
        raise BadRequest(f"file: must have a name of 1 to {_NAME_CHARACTERS} characters.")
    return name
