package jwt

import "testing"

// TestIDsAreNoFlags makes enough keys that about eight would begin with a hyphen by chance.
func TestIDsAreNoFlags(t *testing.T) {
	for range 512 {
		_, k, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		if k.id[0] == '-' {
			t.Fatalf("the id %s looks like a flag", k.id)
		}
	}
}
