import apitoken.model.ApiTokenDetailsForCreate;
import java.util.List;
import muninx.model.TokenCreate;
import service.model.CallingToken;
import service.model.IntrospectionBatch;
import service.model.ServiceToken;
import service.model.UserDraft;
import service.model.UserTokenDraft;
import unleash.model.PatSchema;

/** The life of a token in each contract, as a program lives it that uses the generated clients. */
final class Life {
  private Life() {}

  public static void main(String[] arguments) throws Exception {
    muninx();
    apitoken();
    unleash();
    service();
    checks();
    System.out.println("the life of a token: 5 stories");
  }

  /** The id of the token whose secret this is; null if it does not work. */
  private static String works(String secret) throws Exception {
    try {
      CallingToken token = new World.Clients(World.SERVER, secret).callers.getMe().getToken();
      return token.getId();
    } catch (service.ApiException refusal) {
      World.same("a token that does not work", refusal.getCode(), 401);
      return null;
    }
  }

  /** Takes a token through the states that only an admin can give it. */
  private static void governed(String dialect, String id, String secret) throws Exception {
    var boss = World.BOSS.administration;
    World.same("fresh", works(secret), id);
    World.same("suspend", boss.suspendServiceToken(dialect, id).getStatus(), ServiceToken.StatusEnum.SUSPENDED);
    World.same("suspended", works(secret), null);
    World.same("activate", boss.activateServiceToken(dialect, id).getStatus(), ServiceToken.StatusEnum.ACTIVE);
    World.same("active", works(secret), id);
    World.same("revoke", boss.revokeServiceToken(dialect, id).getStatus(), ServiceToken.StatusEnum.REVOKED);
    World.same("revoked", works(secret), null);
  }

  private static void muninx() throws Exception {
    var mine = World.MINE.muninx;
    var made = mine.createToken(new TokenCreate().name("java"));
    var page = mine.listTokens(1, null);
    World.same("newest", page.getItems().get(0).getId(), made.getId());
    World.same("expires", page.getItems().get(0).getExpiresAt(), null);
    var rest = mine.listTokens(null, page.getNextCursor());
    World.same("older", rest.getItems().stream().noneMatch(t -> t.getId().equals(made.getId())), true);
    governed("muninx", made.getId(), made.getToken());
    World.same("status", mine.getToken(made.getId()).getStatus(), muninx.model.Token.StatusEnum.REVOKED);
    World.same("delete", mine.deleteTokenWithHttpInfo(made.getId()).getStatusCode(), 204);
    World.refused(muninx.ApiException.class, 404, () -> mine.getToken(made.getId()));
  }

  private static void apitoken() throws Exception {
    var mine = World.MINE.apitoken;
    var made = mine.createApiToken(new ApiTokenDetailsForCreate()
        .tokenScope(ApiTokenDetailsForCreate.TokenScopeEnum.ENVIRONMENT).environmentId(World.ENVIRONMENT));
    var id = made.getDetails().getId();
    World.same("environment", made.getDetails().getEnvironmentId(), World.ENVIRONMENT);
    World.same("fresh", works(made.getToken()), id);
    World.same("suspend", mine.suspendApiToken(id).getDetails().getAvailableActions().getActivate(), true);
    World.same("suspended", works(made.getToken()), null);
    World.same("activate", mine.activateApiToken(id).getDetails().getAvailableActions().getSuspend(), true);
    World.same("active", works(made.getToken()), id);
    var page = mine.listApiTokens(null, null, "active", null, null, null);
    World.same("listed", page.getDetails().stream().anyMatch(t -> t.getId().equals(id)), true);
    World.same("revoke", mine.revokeApiToken(id).getDetails().getAvailableActions().getDelete(), true);
    World.same("revoked", works(made.getToken()), null);
    World.same("get", mine.getApiToken(id).getDetails().getAccountId(), World.ACCOUNT);
    World.same("delete", mine.deleteApiTokenWithHttpInfo(id).getStatusCode(), 204);
    World.refused(apitoken.ApiException.class, 404, () -> mine.getApiToken(id));
  }

  private static void unleash() throws Exception {
    var mine = World.MINE.unleash;
    var answer = mine.createPatWithHttpInfo(new PatSchema().description("java"));
    var made = answer.getData();
    World.same("location", answer.getHeaders().get("location"), List.of(World.SERVER + "/api/admin/user/tokens/" + made.getId()));
    World.same("listed", mine.getPats(null, null).getPats().stream().anyMatch(p -> "java".equals(p.getDescription())), true);
    governed("unleash", String.valueOf(made.getId()), made.getSecret());
    World.same("get", mine.getPat(made.getId()).getUserId(), made.getUserId());
    World.same("delete", mine.deletePatWithHttpInfo(made.getId()).getStatusCode(), 200);
    World.refused(unleash.ApiException.class, 404, () -> mine.getPat(made.getId()));
  }

  private static void service() throws Exception {
    var boss = World.BOSS.registry;
    World.same("health", World.BOSS.health.getHealth().getStatus().getValue(), "ok");
    var answer = boss.createUserWithHttpInfo(new UserDraft().subject("java").name("Java")
        .role(UserDraft.RoleEnum.MEMBER).accountId(World.ACCOUNT));
    var user = answer.getData();
    World.same("location", answer.getHeaders().get("location"), List.of(World.SERVER + "/service/users/" + user.getId()));
    var first = boss.createUserToken(user.getId(), new UserTokenDraft().name("first"));
    World.same("first", works(first.getToken()), first.getId());
    World.same("disable", boss.disableUser(user.getId(), null).getDisabled(), true);
    World.same("disabled", works(first.getToken()), null);
  }

  private static void checks() throws Exception {
    var boss = World.BOSS.verification;
    var made = World.MINE.muninx.createToken(new TokenCreate().name("checked"));
    World.same("introspect", boss.introspectToken(made.getToken(), null).getJti(), made.getId());
    var batch = new IntrospectionBatch().tokens(List.of(made.getToken(), "unknown"));
    World.same("batch", boss.introspectTokens(batch).getResults().stream().map(r -> r.getActive()).toList(), List.of(true, false));
    var verified = new World.Clients(World.SERVER, made.getToken()).verification.verifyRequestWithHttpInfo(null, null);
    World.same("verify", verified.getHeaders().get("x-token-id"), List.of(made.getId()));
    World.same("keys", boss.getKeys(null).getKeys().get(0).getCrv().getValue(), "P-256");
  }
}
