"""The life of a token in each contract, as a program lives it that uses the generated clients."""

import datetime
import unittest
from typing import Any

from apitoken.api.api_token import (
    activate_api_token,
    create_api_token,
    delete_api_token,
    get_api_token,
    list_api_tokens,
    revoke_api_token,
    suspend_api_token,
)
from apitoken.models import (
    ApiTokenCreated,
    ApiTokenDetailsForCreate,
    ApiTokenDetailsForCreateTokenScope,
    ApiTokenError,
    ApiTokenList,
    ApiTokenSuccess,
    ListApiTokensStatus,
)
from muninx.api.tokens import create_token, delete_token, get_token, list_tokens
from muninx.models import Problem, Token, TokenCreate, TokenCreated, TokenList, TokenStatus
from service.api.administration import activate_service_token, revoke_service_token, suspend_service_token
from service.api.callers import get_me
from service.api.health import get_health
from service.api.registry import create_user, create_user_token, disable_user
from service.api.specs import get_spec
from service.api.verification import get_keys, get_status_list, introspect_token, introspect_tokens, verify_request
from service.models import (
    DisabledUser,
    GetSpecResponse200,
    Health,
    Introspection,
    IntrospectionBatch,
    IntrospectionRequest,
    IntrospectionResults,
    KeySet,
    Me,
    ServiceToken,
    User,
    UserDraft,
    UserDraftRole,
    UserToken,
    UserTokenDraft,
)
from service.models import Problem as ServiceProblem
from unleash.api.personal_access_tokens import create_pat, delete_pat, get_pat, get_pats
from unleash.models import ApiErrorSchema, PatCreatedSchema, PatItemSchema, PatSchema, PatsSchema
from world import ACCOUNT, BOSS, ENVIRONMENT, MINE, SERVER, Clients, need


def works(secret: str) -> str | None:
    """The id of the token whose secret this is; None if it does not work."""
    answer = get_me.sync_detailed(client=Clients(secret).service)
    if isinstance(answer.parsed, ServiceProblem):
        assert answer.parsed.type_ == "urn:tokenwright:problem:credential-invalid"
        return None
    token = need(answer, Me).token
    assert token is not None
    return token.id


class Life(unittest.TestCase):
    def change(self, how: Any, dialect: str, id_: str) -> str:
        """Does what only an admin can do to a token."""
        return str(need(how.sync_detailed(dialect, id_, client=BOSS.service), ServiceToken).status)

    def governed(self, dialect: str, id_: str, secret: str) -> None:
        """Takes a token through the states that only an admin can give it."""
        self.assertEqual(works(secret), id_)
        self.assertEqual(self.change(suspend_service_token, dialect, id_), "suspended")
        self.assertIsNone(works(secret))
        self.assertEqual(self.change(activate_service_token, dialect, id_), "active")
        self.assertEqual(works(secret), id_)
        self.assertEqual(self.change(revoke_service_token, dialect, id_), "revoked")
        self.assertIsNone(works(secret))

    def test_muninx(self) -> None:
        mine = MINE.muninx
        made = need(create_token.sync_detailed(client=mine, body=TokenCreate(name="python")), TokenCreated)
        self.assertIsInstance(made.created_at, datetime.datetime)
        page = need(list_tokens.sync_detailed(client=mine, limit=1), TokenList)
        self.assertEqual((page.items[0].id, page.items[0].expires_at), (made.id, None))
        assert page.next_cursor is not None
        rest = need(list_tokens.sync_detailed(client=mine, cursor=page.next_cursor), TokenList)
        self.assertNotIn(made.id, [token.id for token in rest.items])
        self.governed("muninx", made.id, made.token)
        self.assertIs(need(get_token.sync_detailed(made.id, client=mine), Token).status, TokenStatus.REVOKED)
        self.assertEqual(delete_token.sync_detailed(made.id, client=mine).status_code, 204)
        need(get_token.sync_detailed(made.id, client=mine), Problem, 404)

    def test_apitoken(self) -> None:
        mine = MINE.apitoken
        body = ApiTokenDetailsForCreate(
            token_scope=ApiTokenDetailsForCreateTokenScope.ENVIRONMENT, environment_id=ENVIRONMENT
        )
        made = need(create_api_token.sync_detailed(client=mine, body=body), ApiTokenCreated)
        id_, secret = made.details.id, made.token
        self.assertEqual((made.details.account_id, made.details.environment_id), (ACCOUNT, ENVIRONMENT))
        self.assertEqual(works(secret), id_)
        suspended = need(suspend_api_token.sync_detailed(id_, client=mine), ApiTokenSuccess)
        self.assertTrue(suspended.details.available_actions.activate)
        self.assertIsNone(works(secret))
        need(activate_api_token.sync_detailed(id_, client=mine), ApiTokenSuccess)
        self.assertEqual(works(secret), id_)
        page = need(list_api_tokens.sync_detailed(client=mine, status=ListApiTokensStatus.ACTIVE), ApiTokenList)
        self.assertIn(id_, [token.id for token in page.details])
        revoked = need(revoke_api_token.sync_detailed(id_, client=mine), ApiTokenSuccess)
        self.assertEqual(revoked.details.status, "revoked")
        self.assertIsNone(works(secret))
        need(get_api_token.sync_detailed(id_, client=mine), ApiTokenSuccess)
        self.assertEqual(delete_api_token.sync_detailed(id_, client=mine).status_code, 204)
        need(get_api_token.sync_detailed(id_, client=mine), ApiTokenError, 404)

    def test_unleash(self) -> None:
        mine = MINE.unleash
        answer = create_pat.sync_detailed(client=mine, body=PatSchema(description="python"))
        made = need(answer, PatCreatedSchema, 201)
        self.assertEqual(answer.headers["Location"], f"{SERVER}/api/admin/user/tokens/{made.id}")
        page = need(get_pats.sync_detailed(client=mine), PatsSchema)
        self.assertIn("python", [pat.description for pat in page.pats])
        need(get_pats.sync_detailed(client=Clients(made.secret).unleash), PatsSchema)
        self.governed("unleash", str(made.id), made.secret)
        self.assertEqual(need(get_pat.sync_detailed(made.id, client=mine), PatItemSchema).id, made.id)
        self.assertEqual(delete_pat.sync_detailed(made.id, client=mine).status_code, 200)
        need(get_pat.sync_detailed(made.id, client=mine), ApiErrorSchema, 404)

    def test_service(self) -> None:
        boss = BOSS.service
        self.assertEqual(need(get_health.sync_detailed(client=boss), Health).status, "ok")
        draft = UserDraft(subject="python", name="Python", role=UserDraftRole.MEMBER, account_id=ACCOUNT)
        answer = create_user.sync_detailed(client=boss, body=draft)
        user = need(answer, User, 201)
        self.assertEqual(answer.headers["Location"], f"{SERVER}/service/users/{user.id}")
        first = UserTokenDraft(name="first")
        token = need(create_user_token.sync_detailed(user.id, client=boss, body=first), UserToken, 201)
        self.assertEqual(works(token.token), token.id)
        self.assertTrue(need(disable_user.sync_detailed(user.id, client=boss), DisabledUser).disabled)
        self.assertIsNone(works(token.token))

    def test_checks(self) -> None:
        boss = BOSS.service
        made = need(create_token.sync_detailed(client=MINE.muninx, body=TokenCreate(name="checked")), TokenCreated)
        one = IntrospectionRequest(token=made.token)
        verdict = need(introspect_token.sync_detailed(client=boss, body=one), Introspection)
        self.assertEqual((verdict.active, verdict.jti), (True, made.id))
        many = IntrospectionBatch(tokens=[made.token, "unknown"])
        results = need(introspect_tokens.sync_detailed(client=boss, body=many), IntrospectionResults).results
        self.assertEqual([result.active for result in results], [True, False])
        verified = verify_request.sync_detailed(client=Clients(made.token).service)
        self.assertEqual((verified.status_code, verified.headers["X-Token-Id"]), (204, made.id))
        self.assertEqual(need(get_keys.sync_detailed(client=boss), KeySet).keys[0].crv, "P-256")
        spec = need(get_spec.sync_detailed("muninx.json", client=boss), GetSpecResponse200)
        self.assertEqual(spec["openapi"], "3.0.3")
        body = ApiTokenDetailsForCreate(token_scope=ApiTokenDetailsForCreateTokenScope.ACCOUNT)
        need(create_api_token.sync_detailed(client=MINE.apitoken, body=body), ApiTokenCreated)
        self.assertEqual(need(get_status_list.sync_detailed(1, client=boss), str).count("."), 2)


if __name__ == "__main__":
    unittest.main()
