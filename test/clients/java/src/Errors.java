import apitoken.model.ApiTokenDetailsForCreate;
import apitoken.model.ApiTokenError;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import muninx.model.Problem;
import muninx.model.TokenCreate;
import service.model.AccountDraft;
import unleash.model.ApiErrorSchema;
import unleash.model.PatSchema;

/** Every error of the contracts is read as a value of its own type. */
final class Errors {
  private static final String LONG = "x".repeat(70_000);
  private static final OffsetDateTime PAST = OffsetDateTime.parse("2020-01-01T00:00:00Z");
  private static final Map<String, String> TEXT = Map.of("Content-Type", "text/plain");

  private Errors() {}

  public static void main(String[] arguments) throws Exception {
    muninx();
    apitoken();
    unleash();
    service();
    faultsOfTheServer();
    System.out.println("errors: 5 stories");
  }

  private static TokenCreate named(String name) {
    return new TokenCreate().name(name);
  }

  private static Problem problem(int status, World.Call call) throws Exception {
    var refusal = World.refused(muninx.ApiException.class, status, call);
    var problem = muninx.ApiClient.createDefaultObjectMapper().readValue(refusal.getResponseBody(), Problem.class);
    World.same("status in the body", problem.getStatus(), status);
    World.same("request id", problem.getRequestId(), refusal.getResponseHeaders().firstValue("X-Request-Id").orElseThrow());
    return problem;
  }

  private static void muninx() throws Exception {
    var mine = World.MINE.muninx;
    World.same("pointer", problem(400, () -> mine.createToken(named(""))).getErrors().get(0).getPointer(), "/name");
    World.same("parameter", problem(400, () -> mine.listTokens(0, null)).getErrors().get(0).getParameter(), "limit");
    var unknown = problem(401, () -> World.NOBODY.muninx.listTokens(null, null));
    World.same("type", unknown.getType().toString(), "urn:tokenwright:problem:credential-invalid");
    problem(403, () -> userless().muninx.listTokens(null, null));
    problem(404, () -> mine.getToken("unknown"));
    problem(413, () -> mine.createToken(named(LONG)));
    problem(415, () -> mine.createToken(named("x"), TEXT));
  }

  /** The clients with a token of the account, which belongs to no user. */
  private static World.Clients userless() throws Exception {
    return new World.Clients(World.SERVER, World.MINE.apitoken.createApiToken(account()).getToken());
  }

  private static ApiTokenDetailsForCreate account() {
    return new ApiTokenDetailsForCreate().tokenScope(ApiTokenDetailsForCreate.TokenScopeEnum.ACCOUNT);
  }

  private static ApiTokenError apiTokenError(int status, World.Call call) throws Exception {
    var body = World.refused(apitoken.ApiException.class, status, call).getResponseBody();
    return apitoken.ApiClient.createDefaultObjectMapper().readValue(body, ApiTokenError.class);
  }

  private static void apitoken() throws Exception {
    var mine = World.MINE.apitoken;
    var late = apiTokenError(400, () -> mine.createApiToken(account().expiresAt(PAST)));
    World.same("400", late.getCode(), ApiTokenError.CodeEnum.VALIDATION_ERRORS);
    World.same("faults", late.getErrors().get("expires_at"), List.of("must be in the future"));
    var plain = apiTokenError(401, () -> World.NOBODY.apitoken.createApiToken(account()));
    World.same("401", plain.getCode(), ApiTokenError.CodeEnum.UNAUTHORIZED);
    var bound = mine.createApiToken(new ApiTokenDetailsForCreate()
        .tokenScope(ApiTokenDetailsForCreate.TokenScopeEnum.ENVIRONMENT).environmentId(World.ENVIRONMENT));
    var narrow = new World.Clients(World.SERVER, bound.getToken()).apitoken;
    World.same("403", apiTokenError(403, () -> narrow.createApiToken(account())).getCode(), ApiTokenError.CodeEnum.FORBIDDEN);
    World.same("404", apiTokenError(404, () -> mine.getApiToken("unknown")).getCode(), ApiTokenError.CodeEnum.NOT_FOUND);
    var id = bound.getDetails().getId();
    World.same("409", apiTokenError(409, () -> mine.deleteApiToken(id)).getCode(), ApiTokenError.CodeEnum.CONFLICT);
    apiTokenError(413, () -> mine.createApiToken(account().accountId(LONG)));
    apiTokenError(415, () -> mine.createApiToken(account(), TEXT));
  }

  private static ApiErrorSchema unleashError(int status, World.Call call) throws Exception {
    var body = World.refused(unleash.ApiException.class, status, call).getResponseBody();
    return unleash.ApiClient.createDefaultObjectMapper().readValue(body, ApiErrorSchema.class);
  }

  private static void unleash() throws Exception {
    var mine = World.MINE.unleash;
    mine.createPat(new PatSchema().description("taken"));
    var taken = unleashError(409, () -> mine.createPat(new PatSchema().description("taken")));
    World.same("409", taken.getName().getValue(), "NameExistsError");
    var early = unleashError(400, () -> mine.createPat(new PatSchema().expiresAt(PAST)));
    World.same("400", early.getDetails().get(0).getPath(), "/body/expiresAt");
    unleashError(401, () -> World.NOBODY.unleash.getPats(null, null));
    unleashError(403, () -> userless().unleash.getPats(null, null));
    unleashError(404, () -> mine.getPat(999_999L));
    unleashError(413, () -> mine.createPat(new PatSchema().description(LONG)));
    unleashError(415, () -> mine.createPat(new PatSchema(), TEXT));
  }

  private static service.model.Problem serviceProblem(int status, World.Call call) throws Exception {
    var body = World.refused(service.ApiException.class, status, call).getResponseBody();
    return service.ApiClient.createDefaultObjectMapper().readValue(body, service.model.Problem.class);
  }

  private static void service() throws Exception {
    var boss = World.BOSS.registry;
    var empty = serviceProblem(400, () -> boss.createAccount(new AccountDraft().name("")));
    World.same("400", empty.getErrors().get(0).getPointer(), "/name");
    serviceProblem(401, () -> World.NOBODY.callers.getMe());
    serviceProblem(403, () -> World.MINE.registry.listUsers(null, null));
    serviceProblem(404, () -> boss.getUser(999_999L));
    serviceProblem(409, () -> boss.disableUser(1L, null));
    var refused = serviceProblem(401, () -> World.NOBODY.verification.introspectToken("x", null));
    World.same("introspection", refused.getError(), "invalid_client");
  }

  private static void faultsOfTheServer() throws Exception {
    for (int status : new int[] {429, 500, 503}) {
      var broken = new World.Clients(World.REFUSING + "/" + status, "x");
      problem(status, () -> broken.muninx.createToken(named("x")));
      apiTokenError(status, () -> broken.apitoken.createApiToken(account()));
      unleashError(status, () -> broken.unleash.createPat(new PatSchema()));
      serviceProblem(status, () -> broken.callers.getMe());
    }
  }
}
