import apitoken.api.ApiTokenApi;
import java.net.http.HttpRequest;
import java.util.Objects;
import java.util.function.Consumer;
import muninx.api.TokensApi;
import service.api.AdministrationApi;
import service.api.CallersApi;
import service.api.HealthApi;
import service.api.RegistryApi;
import service.api.VerificationApi;
import unleash.api.PersonalAccessTokensApi;

/** What the tests are told of the server that runs for them, and what they all use. */
final class World {
  static final String SERVER = variable("SERVER");
  static final String ACCOUNT = variable("ACCOUNT");
  static final String ENVIRONMENT = variable("ENVIRONMENT");
  static final String REFUSING = variable("REFUSING");
  static final Clients MINE = new Clients(SERVER, variable("MEMBER"));
  static final Clients BOSS = new Clients(SERVER, variable("ADMIN"));
  static final Clients NOBODY = new Clients(SERVER, "unknown");

  private World() {}

  private static String variable(String name) {
    return Objects.requireNonNull(System.getenv("TOKENWRIGHT_" + name), name);
  }

  /** The clients of all contracts with one credential. */
  static final class Clients {
    final TokensApi muninx;
    final ApiTokenApi apitoken;
    final PersonalAccessTokensApi unleash;
    final CallersApi callers;
    final AdministrationApi administration;
    final RegistryApi registry;
    final VerificationApi verification;
    final HealthApi health;

    Clients(String server, String credential) {
      Consumer<HttpRequest.Builder> bearer = r -> r.header("Authorization", "Bearer " + credential);
      muninx = new TokensApi(client(new muninx.ApiClient(), server, bearer));
      apitoken = new ApiTokenApi(client(new apitoken.ApiClient(), server, bearer));
      unleash = new PersonalAccessTokensApi(client(new unleash.ApiClient(), server, r -> r.header("Authorization", credential)));
      var service = new service.ApiClient();
      service.updateBaseUri(server);
      service.setRequestInterceptor(bearer);
      callers = new CallersApi(service);
      administration = new AdministrationApi(service);
      registry = new RegistryApi(service);
      verification = new VerificationApi(service);
      health = new HealthApi(service);
    }

    private static muninx.ApiClient client(muninx.ApiClient client, String server, Consumer<HttpRequest.Builder> authorize) {
      client.updateBaseUri(server);
      return client.setRequestInterceptor(authorize);
    }

    private static apitoken.ApiClient client(apitoken.ApiClient client, String server, Consumer<HttpRequest.Builder> authorize) {
      client.updateBaseUri(server);
      return client.setRequestInterceptor(authorize);
    }

    private static unleash.ApiClient client(unleash.ApiClient client, String server, Consumer<HttpRequest.Builder> authorize) {
      client.updateBaseUri(server);
      return client.setRequestInterceptor(authorize);
    }
  }

  static void same(String what, Object got, Object want) {
    if (!Objects.equals(got, want)) {
      throw new AssertionError(what + ": " + got + ", want " + want);
    }
  }

  /** A call that the server has to refuse. */
  interface Call {
    void run() throws Exception;
  }

  /** Returns the exception that a call of one contract throws, which has to have a status. */
  static <E extends Exception> E refused(Class<E> kind, int status, Call call) throws Exception {
    try {
      call.run();
    } catch (Exception thrown) {
      if (!kind.isInstance(thrown)) {
        throw thrown;
      }
      same("status", kind.getMethod("getCode").invoke(thrown), status);
      return kind.cast(thrown);
    }
    throw new AssertionError("this was to be refused with " + status);
  }
}
