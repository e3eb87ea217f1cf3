package client_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/tokenwright/tokenwright/gen/unleash/client"
)

// authorize sends the caller's credential with each request. This contract takes it without the word Bearer too.
func authorize(_ context.Context, r *http.Request) error {
	r.Header.Set("Authorization", os.Getenv("TOKENWRIGHT_CREDENTIAL"))
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

// A token is created and deleted.
func Example() {
	ctx, tokens := context.Background(), connect()
	description, end := "laptop", time.Now().Add(24*time.Hour)
	created, err := tokens.CreatePatWithResponse(ctx, nil, client.PatSchema{Description: &description, ExpiresAt: &end})
	if err != nil {
		log.Fatal(err) // the server cannot be reached
	}
	if created.JSON201 == nil {
		log.Fatalf("%s: %s", created.Status(), created.Body)
	}
	fmt.Println(created.JSON201.Description.MustGet(), created.JSON201.SeenAt.IsNull(), created.Headers201.Location != "")

	deleted, err := tokens.DeletePatWithResponse(ctx, created.JSON201.Id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(deleted.Status())
	// Output:
	// laptop true true
	// 200 OK
}

// The name of an error says what sort it is; its details say what is wrong.
func Example_errors() {
	past := time.Now().Add(-time.Hour)
	created, err := connect().CreatePatWithResponse(context.Background(), nil, client.PatSchema{ExpiresAt: &past})
	if err != nil {
		log.Fatal(err)
	}
	if refusal := created.JSON400; refusal != nil {
		fmt.Println(refusal.Name, refusal.Details[0].Message)
	}
	// Output:
	// BadDataError expiresAt must be in the future
}
