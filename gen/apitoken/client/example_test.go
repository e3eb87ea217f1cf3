package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/tokenwright/tokenwright/gen/apitoken/client"
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

// A token is created, suspended and revoked.
func Example() {
	ctx, tokens := context.Background(), connect()
	created, err := tokens.CreateApiTokenWithResponse(ctx, nil, client.ApiTokenDetailsForCreate{
		TokenScope: client.ApiTokenDetailsForCreateTokenScopeAccount,
		ExpiresAt:  nullable.NewNullableWithValue(time.Now().Add(24 * time.Hour)),
	})
	if err != nil {
		log.Fatal(err) // the server cannot be reached
	}
	if created.JSON200 == nil {
		log.Fatalf("%s: %s", created.Status(), created.Body)
	}
	token := created.JSON200.Details
	fmt.Println(token.Status, token.TokenScope, token.EnvironmentId.IsNull())

	suspended, err := tokens.SuspendApiTokenWithResponse(ctx, token.Id)
	if err != nil {
		log.Fatal(err)
	}
	if suspended.JSON200 == nil {
		log.Fatal(suspended.Status())
	}
	fmt.Println(suspended.JSON200.Details.Status, suspended.JSON200.Details.AvailableActions.Activate)

	revoked, err := tokens.RevokeApiTokenWithResponse(ctx, token.Id)
	if err != nil {
		log.Fatal(err)
	}
	if revoked.JSON200 == nil {
		log.Fatal(revoked.Status())
	}
	fmt.Println(revoked.JSON200.Details.Status)
	// Output:
	// active account true
	// suspended true
	// revoked
}

// Where members of a request are at fault, the error says what is wrong with each.
func Example_errors() {
	created, err := connect().CreateApiTokenWithResponse(context.Background(), nil, client.ApiTokenDetailsForCreate{
		TokenScope: client.ApiTokenDetailsForCreateTokenScopeAccount,
		ExpiresAt:  nullable.NewNullableWithValue(time.Now().Add(-time.Hour)),
	})
	if err != nil {
		log.Fatal(err)
	}
	if created.JSON400 == nil {
		log.Fatal(created.Status())
	}
	refusal := *created.JSON400
	if refusal.Errors == nil {
		log.Fatal(refusal.Code, refusal.Message)
	}
	fmt.Println(refusal.Code, (*refusal.Errors)["expires_at"])
	// Output:
	// validation_errors [must be in the future]
}
