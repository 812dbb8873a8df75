"""Why a file was not taken: the kinds of BadDocument, in the tree of `agent.errors`."""

from agent.errors import BadDocument


class UnsupportedDocument(BadDocument):
    """Files of this kind are not taken."""

    status, code = 415, "unsupported_document"


class BrokenDocument(BadDocument):
    """The file is damaged, or is not what its name says."""

    status, code = 422, "broken_document"


class EncryptedDocument(BadDocument):
    """The file needs a password. Save it without one."""

    status, code = 422, "encrypted_document"


class EmptyDocument(BadDocument):
    """The document holds no text."""

    status, code = 422, "empty_document"


class DocumentTooLarge(BadDocument):
    """The file, or what is packed in it, is too large."""

    status, code = 413, "document_too_large"


class DocumentTooExpensive(BadDocument):
    """Reading the file takes more time or memory than a file is given."""

    status, code = 422, "document_too_expensive"
