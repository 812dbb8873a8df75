"""Open the official client for a configured endpoint, and turn its errors into ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agent.config import Endpoint
from agent.errors import ModelBusy, ModelMalformed, ModelTimedOut, ModelUnavailable

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_S = 5.0
# Between two pieces of a stream, or before the first; the run's wall time bounds the whole.
READ_S = 60.0
# One more try on 429, 5xx and broken connections; a model call changes nothing, so it is safe.
RETRIES = 1


class LazyClient:
    """The client of one endpoint, opened on first use and in a thread: openai takes 0.7 s to import."""

    def __init__(self, endpoint: Endpoint, read_s: float = READ_S) -> None:
        self._endpoint, self._read_s = endpoint, read_s
        self._lock = asyncio.Lock()
        self._client: AsyncOpenAI | None = None

    async def get(self) -> "AsyncOpenAI":
        async with self._lock:
            if self._client is None:
                self._client = await asyncio.to_thread(_open, self._endpoint, self._read_s)
            return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None


def _open(endpoint: Endpoint, read_s: float) -> "AsyncOpenAI":
    import httpx2
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Omit

    timeout = httpx2.Timeout(read_s, connect=CONNECT_S)
    return AsyncOpenAI(
        base_url=endpoint.base_url, api_key=endpoint.api_key, timeout=timeout, max_retries=RETRIES,
        # A redirect would carry the question to a host the operator did not choose.
        http_client=DefaultAsyncHttpxClient(timeout=timeout, follow_redirects=False),
        # Without these the client reads account names of the machine's user from OPENAI_ORG_ID and OPENAI_PROJECT_ID.
        default_headers={"OpenAI-Organization": Omit(), "OpenAI-Project": Omit()},  # type: ignore[dict-item]
    )


@contextmanager
def typed_model_errors() -> Iterator[None]:
    """Raise ModelError for whatever the client raises; the provider's own words go to nobody, they may quote data."""
    import httpx2
    import openai
    import pydantic

    try:
        yield
    except (openai.APITimeoutError, httpx2.TimeoutException) as err:
        raise ModelTimedOut from err
    except openai.RateLimitError as err:
        raise ModelBusy from err
    except (openai.APIResponseValidationError, pydantic.ValidationError, ValueError, AttributeError, TypeError) as err:
        # The last two: the client builds its objects without checking, so a wrong shape shows when it is read.
        raise ModelMalformed from err
    except (openai.OpenAIError, httpx2.HTTPError) as err:
        raise ModelUnavailable from err
