package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/tokenwright/tokenwright/gen/muninx/client"
)

// authorize sends the caller's credential with each request.
func authorize(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+os.Getenv("TOKENWRIGHT_CREDENTIAL"))
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

// A token is created, listed and deleted. Its secret is only in the first response.
func Example() {
	ctx, tokens := context.Background(), connect()
	created, err := tokens.CreateTokenWithResponse(ctx, nil, client.TokenCreate{Name: "CI token"})
	if err != nil {
		log.Fatal(err) // the server cannot be reached
	}
	if created.JSON200 == nil {
		log.Fatalf("%s: %s", created.Status(), created.Body)
	}
	fmt.Println(created.JSON200.Name, len(created.JSON200.Token))

	listed, err := tokens.ListTokensWithResponse(ctx, &client.ListTokensParams{})
	if err != nil {
		log.Fatal(err)
	}
	if listed.JSON200 == nil {
		log.Fatal(listed.Status())
	}
	newest := listed.JSON200.Items[0]
	fmt.Println(newest.Name, newest.Status, newest.ExpiresAt.IsNull())

	deleted, err := tokens.DeleteTokenWithResponse(ctx, newest.Id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.Status())
	// Output:
	// CI token 43
	// CI token active true
	// 204 No Content
}

// Every error is a problem (RFC 9457). The response has a member for each status; all but one are nil.
func Example_errors() {
	created, err := connect().CreateTokenWithResponse(context.Background(), nil, client.TokenCreate{Name: ""})
	if err != nil {
		log.Fatal(err)
	}
	if problem := created.ApplicationproblemJSON400; problem != nil {
		fmt.Println(problem.Status, problem.Type)
		for _, fault := range *problem.Errors {
			fmt.Println(*fault.Pointer, fault.Detail)
		}
	}
	// Output:
	// 400 urn:tokenwright:problem:invalid
	// /name must have 1 to 255 characters
}
