"""Every error of the contracts is read as a value of its own type."""

import datetime
import unittest

from apitoken.api.api_token import create_api_token, delete_api_token, get_api_token
from apitoken.models import (
    ApiTokenCreated,
    ApiTokenDetailsForCreate,
    ApiTokenDetailsForCreateTokenScope,
    ApiTokenError,
    ApiTokenErrorCode,
    ApiTokenErrorErrors,
)
from apitoken.types import UNSET
from muninx.api.tokens import create_token, get_token, list_tokens
from muninx.models import Problem, TokenCreate
from service.api.callers import get_me
from service.api.registry import create_account, disable_user, get_user, list_users
from service.api.verification import introspect_token
from service.models import AccountDraft, IntrospectionRequest
from service.models import Problem as ServiceProblem
from unleash.api.personal_access_tokens import create_pat, get_pat, get_pats
from unleash.models import ApiErrorSchema, ApiErrorSchemaName, PatCreatedSchema, PatSchema
from world import BOSS, ENVIRONMENT, MEMBER, MINE, NOBODY, REFUSING, Clients, need

PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
LONG = "x" * 70_000
TEXT = Clients(MEMBER, text=True)
ACCOUNT_SCOPE = ApiTokenDetailsForCreateTokenScope.ACCOUNT


def scoped(clients: Clients, scope: ApiTokenDetailsForCreateTokenScope, environment: str | None = None) -> str:
    """Creates a token of an account or an environment and returns its secret."""
    body = ApiTokenDetailsForCreate(token_scope=scope, environment_id=environment)
    return need(create_api_token.sync_detailed(client=clients.apitoken, body=body), ApiTokenCreated).token


class Errors(unittest.TestCase):
    def test_muninx(self) -> None:
        def create(clients: Clients, status: int, name: str = "x") -> Problem:
            answer = create_token.sync_detailed(client=clients.muninx, body=TokenCreate(name=name))
            problem = need(answer, Problem, status)
            self.assertEqual((problem.status, problem.request_id), (status, answer.headers["X-Request-Id"]))
            return problem

        faults = create(MINE, 400, "").errors
        assert isinstance(faults, list)
        self.assertEqual(faults[0].pointer, "/name")
        faults = need(list_tokens.sync_detailed(client=MINE.muninx, limit=0), Problem, 400).errors
        assert isinstance(faults, list)
        self.assertEqual(faults[0].parameter, "limit")
        self.assertEqual(create(NOBODY, 401).type_, "urn:tokenwright:problem:credential-invalid")
        create(Clients(scoped(MINE, ACCOUNT_SCOPE)), 403)
        need(get_token.sync_detailed("unknown", client=MINE.muninx), Problem, 404)
        create(MINE, 413, LONG)
        create(TEXT, 415)

    def test_apitoken(self) -> None:
        def create(clients: Clients, status: int, account: str | None = None) -> ApiTokenErrorCode:
            body = ApiTokenDetailsForCreate(token_scope=ACCOUNT_SCOPE, account_id=account or UNSET)
            return need(create_api_token.sync_detailed(client=clients.apitoken, body=body), ApiTokenError, status).code

        late = ApiTokenDetailsForCreate(token_scope=ACCOUNT_SCOPE, expires_at=PAST)
        faulty = need(create_api_token.sync_detailed(client=MINE.apitoken, body=late), ApiTokenError, 400)
        self.assertIs(faulty.code, ApiTokenErrorCode.VALIDATION_ERRORS)
        assert isinstance(faulty.errors, ApiTokenErrorErrors)
        self.assertEqual(faulty.errors["expires_at"], ["must be in the future"])
        self.assertIs(create(NOBODY, 401), ApiTokenErrorCode.UNAUTHORIZED)
        bound = Clients(scoped(MINE, ApiTokenDetailsForCreateTokenScope.ENVIRONMENT, ENVIRONMENT))
        self.assertIs(create(bound, 403), ApiTokenErrorCode.FORBIDDEN)
        need(get_api_token.sync_detailed("unknown", client=MINE.apitoken), ApiTokenError, 404)
        self.assertIs(create(MINE, 413, LONG), ApiTokenErrorCode.PAYLOAD_TOO_LARGE)
        self.assertIs(create(TEXT, 415), ApiTokenErrorCode.UNSUPPORTED_MEDIA_TYPE)
        body = ApiTokenDetailsForCreate(token_scope=ACCOUNT_SCOPE)
        active = need(create_api_token.sync_detailed(client=MINE.apitoken, body=body), ApiTokenCreated).details.id
        need(delete_api_token.sync_detailed(active, client=MINE.apitoken), ApiTokenError, 409)

    def test_unleash(self) -> None:
        def create(clients: Clients, status: int, body: PatSchema) -> ApiErrorSchema:
            return need(create_pat.sync_detailed(client=clients.unleash, body=body), ApiErrorSchema, status)

        taken = PatSchema(description="taken")
        need(create_pat.sync_detailed(client=MINE.unleash, body=taken), PatCreatedSchema, 201)
        self.assertIs(create(MINE, 409, taken).name, ApiErrorSchemaName.NAMEEXISTSERROR)
        early = create(MINE, 400, PatSchema(expires_at=PAST))
        self.assertEqual(early.details[0].path, "/body/expiresAt")
        self.assertIs(create(NOBODY, 401, taken).name, ApiErrorSchemaName.UNAUTHORIZEDERROR)
        userless = Clients(scoped(MINE, ACCOUNT_SCOPE))
        self.assertIs(create(userless, 403, taken).name, ApiErrorSchemaName.FORBIDDENERROR)
        need(get_pat.sync_detailed(999_999, client=MINE.unleash), ApiErrorSchema, 404)
        create(MINE, 413, PatSchema(description=LONG))
        create(TEXT, 415, taken)

    def test_service(self) -> None:
        boss = BOSS.service
        empty = create_account.sync_detailed(client=boss, body=AccountDraft(name=""))
        faults = need(empty, ServiceProblem, 400).errors
        assert isinstance(faults, list)
        self.assertEqual(faults[0].pointer, "/name")
        need(get_me.sync_detailed(client=NOBODY.service), ServiceProblem, 401)
        need(list_users.sync_detailed(client=MINE.service), ServiceProblem, 403)
        need(get_user.sync_detailed(999_999, client=boss), ServiceProblem, 404)
        need(disable_user.sync_detailed(1, client=boss), ServiceProblem, 409)
        refused = introspect_token.sync_detailed(client=NOBODY.service, body=IntrospectionRequest(token="x"))
        self.assertEqual(need(refused, ServiceProblem, 401).error, "invalid_client")

    def test_faults_of_the_server(self) -> None:
        for status in (429, 500, 503):
            broken = Clients("x", server=f"{REFUSING}/{status}")
            token = create_token.sync_detailed(client=broken.muninx, body=TokenCreate(name="x"))
            self.assertEqual(need(token, Problem, status).status, status)
            body = ApiTokenDetailsForCreate(token_scope=ACCOUNT_SCOPE)
            need(create_api_token.sync_detailed(client=broken.apitoken, body=body), ApiTokenError, status)
            need(get_pats.sync_detailed(client=broken.unleash), ApiErrorSchema, status)
            me = get_me.sync_detailed(client=broken.service)
            need(me, ServiceProblem, status)
            self.assertEqual(me.headers.get("Retry-After"), None if status == 500 else "1")


if __name__ == "__main__":
    unittest.main()
