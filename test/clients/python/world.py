"""What the tests are told of the server that runs for them, and what they all use."""

import os
from typing import Protocol, TypeVar

import apitoken
import httpx
import muninx
import service
import unleash

SERVER = os.environ["TOKENWRIGHT_SERVER"]
ADMIN = os.environ["TOKENWRIGHT_ADMIN"]
MEMBER = os.environ["TOKENWRIGHT_MEMBER"]
ACCOUNT = os.environ["TOKENWRIGHT_ACCOUNT"]
ENVIRONMENT = os.environ["TOKENWRIGHT_ENVIRONMENT"]
REFUSING = os.environ["TOKENWRIGHT_REFUSING"]

T = TypeVar("T")


class Answer(Protocol):
    """An answer of a generated client, of whatever contract."""

    @property
    def status_code(self) -> int: ...

    @property
    def parsed(self) -> object: ...


def need(answer: Answer, kind: type[T], status: int = 200) -> T:
    """Returns the body of an answer, which has to be of one type."""
    assert answer.status_code == status, (answer.status_code, answer.parsed)
    assert isinstance(answer.parsed, kind), answer.parsed
    return answer.parsed


def as_text(request: httpx.Request) -> None:
    """Says of a body that it is no JSON."""
    request.headers["Content-Type"] = "text/plain"


class Clients:
    """The clients of all contracts with one credential."""

    def __init__(self, credential: str, server: str = SERVER, text: bool = False) -> None:
        hooks = {"event_hooks": {"request": [as_text]}} if text else {}
        self.muninx = muninx.AuthenticatedClient(base_url=server, token=credential, httpx_args=hooks)
        self.apitoken = apitoken.AuthenticatedClient(base_url=server, token=credential, httpx_args=hooks)
        self.unleash = unleash.AuthenticatedClient(base_url=server, token=credential, httpx_args=hooks, prefix="")
        self.service = service.AuthenticatedClient(base_url=server, token=credential, httpx_args=hooks)


MINE = Clients(MEMBER)
BOSS = Clients(ADMIN)
NOBODY = Clients("unknown")
