"""What Schemathesis cannot read from the specs: the fixtures, and what a secret is good for after its token is revoked."""

import datetime
import json
import os
import re
import uuid

import requests
import schemathesis
from hypothesis import strategies as st

TARGET = json.loads(os.environ["CONTRACT_TARGET"])
# The members of createPat that the server does not look at.
IGNORED = {"id", "secret", "createdAt", "seenAt", "userId"}

# What the descriptions of names exclude, since no pattern says it that all readers of patterns take.
DECEPTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

# An id that nothing has.
NOBODY = 999999999

# The operations of service that change a token, and what has to be done before.
CHANGES = {
    "suspendServiceToken": [], "activateServiceToken": ["suspend"], "deleteServiceToken": ["revoke"],
    "updateServiceToken": [], "rotateServiceToken": [],
    "finishServiceTokenRotation": ["rotate"], "cancelServiceTokenRotation": ["rotate"],
}

# What tokens were made in this run: their secrets by their ids.
secrets: dict[str, str] = {}


def future(days: int) -> str:
    then = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def is_past(value) -> bool:
    try:
        then = datetime.datetime.fromisoformat(value.upper().replace("Z", "+00:00"))
    except (AttributeError, ValueError):
        return False
    return then <= datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=1)


# The specs cannot say that an expiry has to be in the future.
schemathesis.openapi.format("date-time", st.integers(min_value=1, max_value=180).map(future))


@schemathesis.deserializer("application/statuslist+jwt")
def as_text(context, response):
    """A JWT is a text."""
    return response.text


@schemathesis.deserializer("application/x-ndjson")
def as_lines(context, response):
    """Lines of JSON are a text."""
    return response.text


@schemathesis.hook
def after_load_schema(context, schema):
    """Lets stateful tests begin with a create whose body names an account: that is in the fixtures, where no operation of
    the spec makes one."""
    operations = schema.analysis.dependency_graph.operations
    made = {output.resource.name for node in operations.values() for output in node.outputs}
    for node in operations.values():
        node.inputs[:] = [slot for slot in node.inputs if slot.resource.name in made]


def fit_key(case):
    """A key belongs to one request: another one with it is rejected, whatever the schema says."""
    if case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())


def operation_id(case) -> str:
    return case.operation.definition.raw.get("operationId", "")


def positive(case) -> bool:
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def before_call(context, case, kwargs):
    """Fits what is sent to what the server has."""
    keep_own_credential(case)
    if positive(case):
        fit_key(case)
        fit_path(case)
        fit_query(case)
        if isinstance(case.body, dict):
            fit_body(case.body)
            fit_token(case)
            if operation_id(case) == "introspectToken":
                only_declared(case.body)


def keep_own_credential(case):
    """Nobody may disable or change the user that makes the requests, or what the fixtures are in, or end the credential: such a
    request goes to an unknown id."""
    path = case.path_parameters or {}
    ends = case.method in ("DELETE", "PATCH") or case.operation.path.endswith(("/disable", "/suspend", "/revoke", "/rotate", "/cancel"))
    own = {TARGET["token"]} if "dialect" in path else {TARGET["user"], TARGET["account"], TARGET["environment"]}
    if case.operation.path.startswith("/service/") and ends and str(path.get("id")) in own:
        path["id"] = NOBODY


def fit_path(case):
    """What no link leads to."""
    if operation_id(case).endswith("Introspection"):
        case.path_parameters.update(dialect="apitoken", id=TARGET["apitoken"])
    elif operation_id(case) == "getStatusList":
        case.path_parameters["list"] = 1
    elif operation_id(case) == "updateUser" and not str(case.path_parameters.get("id")).isdigit():
        case.path_parameters["id"] = int(TARGET["other"])  # a link that the tool itself infers is to the id of an account
    elif operation_id(case) in CHANGES and case.meta.phase.name != "stateful":
        case.path_parameters.update(dialect="muninx", id=token_for(operation_id(case)))


def token_for(operation) -> str:
    """A new token in the state that the operation needs."""
    made = fixture("/tokens", json={"name": "for " + operation})
    for action in CHANGES[operation]:
        fixture(f"/service/tokens/muninx/{made['id']}/{action}", json={"overlap": "1h"} if action == "rotate" else None)
    return made["id"]


def fixture(path, **body):
    credential = {"Authorization": "Bearer " + TARGET["credentials"]["service"]}
    got = requests.post(TARGET["fixtures"] + path, headers=credential, timeout=10, **body)
    got.raise_for_status()
    return got.json()


def fit_query(case):
    """A cursor is an earlier answer's, and an account is one that is there."""
    if case.query:
        case.query.pop("cursor", None)
        if "account" in case.query:
            case.query["account"] = TARGET["account"]


def fit_body(body):
    if body.get("account_id") is not None:
        body["account_id"] = TARGET["account"]
    if body.get("token_scope") == "environment":
        body["environment_id"] = TARGET["environment"]
    elif body.get("token_scope") == "account":
        body.pop("environment_id", None)
    for name in ("name", "subject"):
        if isinstance(body.get(name), str):
            body[name] = DECEPTIVE.sub("0", body[name])
    for name in ("expires_at", "expiresAt"):
        if is_past(body.get(name)):
            body[name] = future(30)


def fit_token(case):
    """What depends on the dialect, and on the token as it is."""
    body = case.body
    if operation_id(case) == "createServiceToken":
        if body.get("dialect") == "apitoken":
            body.pop("name", None)
            body.setdefault("token_scope", "account")
            body.pop("environment_id", None)
            if body["token_scope"] == "environment":
                body["environment_id"] = TARGET["environment"]
        else:  # a user has no more than ten of unleash
            body["dialect"] = "muninx"
            body["name"] = "x" + body.get("name", "")[:200]
            for name in ("token_scope", "account_id", "environment_id"):
                body.pop(name, None)
    elif operation_id(case) == "updateServiceToken":
        if "name" in body:
            body["name"] = "x" + body["name"][:200]
        if case.meta.phase.name == "stateful":  # of any dialect, and with any expiry
            body.pop("name", None)
            body.pop("expires_at", None)
    elif operation_id(case) == "rotateServiceToken":
        body["overlap"] = "1h"


def only_declared(body):
    """An undeclared array would be a parameter that is given twice, which RFC 6749 section 3.2 forbids."""
    for name in set(body) - {"token", "token_type_hint"}:
        del body[name]


@schemathesis.hook
def filter_failure(context, failure, case, response) -> bool:
    """Drops the failures that docs/contracts.md explains."""
    return not excluded(failure.__class__.__name__, case, response)


def excluded(kind: str, case, response) -> bool:
    name = operation_id(case)
    if kind == "JsonSchemaError":  # it reads YAML as what is in it, which the spec calls a text
        return name == "getSpec" and response.headers["content-type"] == ["application/yaml"]
    if kind == "UnsupportedMethodResponse":
        return name == "verifyRequest"  # it takes every method
    if kind == "AcceptedNegativeData":
        return name == "createPat" and fits_without_ignored(case.body)
    if kind == "EnsureResourceAvailability":  # see keep_own_credential
        return (case.path_parameters or {}).get("id") == NOBODY
    if kind == "UseAfterFree":
        return name == "deletePat"  # it answers the same whether there was such a token
    return False


def fits_without_ignored(body) -> bool:
    """Whether all that is wrong with the body is in members that the contract says are not looked at."""
    if not isinstance(body, dict):
        return False
    description = body.get("description", "x")
    expiry = body.get("expiresAt", future(1))
    fits = isinstance(description, str) and 1 <= len(description) <= 255 and isinstance(expiry, str) and "T" in expiry
    return fits and not IGNORED.isdisjoint(body)


@schemathesis.check
def revoked_secret_is_refused(ctx, response, case):
    """A secret works until its token is revoked or deleted, and not after that."""
    name = operation_id(case)
    if response.status_code >= 300:
        return
    token = str((case.path_parameters or {}).get("id"))
    if name.startswith("create"):
        remember(response)
    elif name.startswith(("revoke", "delete")) and token in secrets:
        expect(secrets.pop(token), 401)


def remember(response):
    """Keeps the secret that a create has answered, if it has."""
    answer = response.json()
    secret = answer.get("token") or answer.get("secret")
    token = answer.get("details", answer).get("id")
    if secret and token:
        secrets[str(token)] = secret
        expect(secret, 200)


def expect(secret: str, status: int):
    got = requests.get(TARGET["url"] + "/service/me", headers={"Authorization": "Bearer " + secret}, timeout=10)
    assert got.status_code == status, f"the secret of a token got {got.status_code}, and should get {status}"
