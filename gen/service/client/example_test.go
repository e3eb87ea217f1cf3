package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/tokenwright/tokenwright/gen/service/client"
)

// authorize sends an admin's credential with each request.
func authorize(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+os.Getenv("TOKENWRIGHT_ADMIN"))
	return nil
}

// connect returns a client for the server.
func connect() *client.ClientWithResponses {
	c, err := client.NewClientWithResponses(os.Getenv("TOKENWRIGHT_SERVER"), client.WithRequestEditorFn(authorize))
	if err != nil {
		log.Fatal(err)
	}
	return c
}

// An admin registers a user and makes the user's first credential.
func Example() {
	ctx, admin := context.Background(), connect()
	me, err := admin.GetMeWithResponse(ctx)
	if err != nil {
		log.Fatal(err) // the server cannot be reached
	}
	if me.JSON200 == nil {
		log.Fatalf("%s: %s", me.Status(), me.Body)
	}
	user, err := admin.CreateUserWithResponse(ctx, client.UserDraft{
		Subject: "alice", Name: "Alice", Role: client.UserDraftRoleMember, AccountId: me.JSON200.Account.Id,
	})
	if err != nil {
		log.Fatal(err)
	}
	if user.JSON201 == nil {
		log.Fatal(user.Status())
	}
	first, err := admin.CreateUserTokenWithResponse(ctx, user.JSON201.Id, nil, client.UserTokenDraft{Name: "first"})
	if err != nil {
		log.Fatal(err)
	}
	if first.JSON201 == nil {
		log.Fatal(first.Status())
	}
	fmt.Println(user.JSON201.Name, user.JSON201.Role, first.JSON201.Dialect, len(first.JSON201.Token))
	// Output:
	// Alice member muninx 43
}

// Another service asks whether a token works, and whose it is (RFC 7662).
func Example_introspection() {
	token := os.Getenv("TOKENWRIGHT_MEMBER")
	verdict, err := connect().IntrospectTokenWithFormdataBodyWithResponse(context.Background(), client.IntrospectionRequest{Token: token})
	if err != nil {
		log.Fatal(err)
	}
	if verdict.JSON200 == nil {
		log.Fatalf("%s: %s", verdict.Status(), verdict.Body)
	}
	fmt.Println(verdict.JSON200.Active, *verdict.JSON200.Username, *verdict.JSON200.Dialect)
	// Output:
	// true member muninx
}

// Every error is a problem (RFC 9457). The response has a member for each status; all but one are nil.
func Example_errors() {
	user, err := connect().GetUserWithResponse(context.Background(), 404)
	if err != nil {
		log.Fatal(err)
	}
	if problem := user.ApplicationproblemJSON404; problem != nil {
		fmt.Println(problem.Status, problem.Type, problem.Detail)
	}
	// Output:
	// 404 urn:tokenwright:problem:not-found there is nothing with this id
}
