// Drives a server with the official client for Go: sign-up by the API flow, a session, identities, clients, a token and its
// introspection, and permissions. The addresses of the listeners come from the environment.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"os"

	ory "github.com/ory/client-go"
)

var ctx = context.Background()

func client(variable string) *ory.APIClient {
	configuration := ory.NewConfiguration()
	configuration.Servers = ory.ServerConfigurations{{URL: os.Getenv(variable)}}
	return ory.NewAPIClient(configuration)
}

func check(err error) {
	if err != nil {
		log.Output(2, err.Error())
		os.Exit(1)
	}
}

func ensure(holds bool, what string) {
	if !holds {
		log.Output(2, "it does not hold that "+what)
		os.Exit(1)
	}
	fmt.Println("    ok  " + what)
}

func signUp() {
	frontend := client("KLEIS_IDENTITY").FrontendAPI
	flow, _, err := frontend.CreateNativeRegistrationFlow(ctx).Execute()
	check(err)
	method := ory.NewUpdateRegistrationFlowWithPasswordMethod(
		"password", "correct horse battery staple", map[string]interface{}{"email": "go@example.org"})
	body := ory.UpdateRegistrationFlowWithPasswordMethodAsUpdateRegistrationFlowBody(method)
	registered, _, err := frontend.UpdateRegistrationFlow(ctx).Flow(flow.Id).UpdateRegistrationFlowBody(body).Execute()
	check(err)
	session, _, err := frontend.ToSession(ctx).XSessionToken(registered.GetSessionToken()).Execute()
	check(err)
	traits := session.Identity.Traits.(map[string]interface{})
	ensure(session.GetActive() && traits["email"] == "go@example.org", "registration signs in")
}

func manageIdentities() {
	identities := client("KLEIS_IDENTITY_ADMIN").IdentityAPI
	body := ory.NewCreateIdentityBody("default", map[string]interface{}{"email": "go-admin@example.org"})
	created, _, err := identities.CreateIdentity(ctx).CreateIdentityBody(*body).Execute()
	check(err)
	patch := ory.JsonPatch{Op: "add", Path: "/metadata_public", Value: map[string]interface{}{"plan": "large"}}
	patched, _, err := identities.PatchIdentity(ctx, created.Id).JsonPatch([]ory.JsonPatch{patch}).Execute()
	check(err)
	ensure(patched.MetadataPublic != nil, "an identity is patched")
	update := ory.NewUpdateIdentityBody("default", "inactive", map[string]interface{}{"email": "go-2@example.org"})
	updated, _, err := identities.UpdateIdentity(ctx, created.Id).UpdateIdentityBody(*update).Execute()
	check(err)
	ensure(updated.GetState() == "inactive", "an identity is replaced")
	found, _, err := identities.ListIdentities(ctx).CredentialsIdentifier("go@example.org").Execute()
	check(err)
	ensure(len(found) == 1, "an identity is found by its identifier")
	_, err = identities.DeleteIdentity(ctx, created.Id).Execute()
	check(err)
	_, answer, err := identities.GetIdentity(ctx, created.Id).Execute()
	ensure(err != nil && answer.StatusCode == 404, "a deleted identity is gone")
}

func tokenOf(client *ory.OAuth2Client) string {
	fields := url.Values{
		"grant_type":    {"client_credentials"},
		"scope":         {"jobs.run"},
		"client_id":     {client.GetClientId()},
		"client_secret": {client.GetClientSecret()},
	}
	answer, err := http.PostForm(os.Getenv("KLEIS_OAUTH")+"/oauth2/token", fields)
	check(err)
	defer answer.Body.Close()
	ensure(answer.StatusCode == 200, "a token is issued")
	var tokens struct {
		AccessToken string `json:"access_token"`
	}
	check(json.NewDecoder(answer.Body).Decode(&tokens))
	return tokens.AccessToken
}

func useClients() {
	oauth := client("KLEIS_OAUTH_ADMIN").OAuth2API
	name, scope, method := "Go", "jobs.run", "client_secret_post"
	registration := ory.OAuth2Client{
		ClientName: &name, GrantTypes: []string{"client_credentials"}, Scope: &scope, TokenEndpointAuthMethod: &method,
	}
	created, _, err := oauth.CreateOAuth2Client(ctx).OAuth2Client(registration).Execute()
	check(err)
	id := created.GetClientId()
	patch := ory.JsonPatch{Op: "replace", Path: "/client_name", Value: "Go 2"}
	patched, _, err := oauth.PatchOAuth2Client(ctx, id).JsonPatch([]ory.JsonPatch{patch}).Execute()
	check(err)
	ensure(patched.GetClientName() == "Go 2", "a client is patched")
	listed, _, err := oauth.ListOAuth2Clients(ctx).ClientName("Go 2").Execute()
	check(err)
	ensure(len(listed) == 1, "a client is found by its name")
	token := tokenOf(created)
	active, _, err := oauth.IntrospectOAuth2Token(ctx).Token(token).Execute()
	check(err)
	ensure(active.Active && active.GetClientId() == id && active.GetScope() == "jobs.run", "introspection shows the live token")
	_, err = oauth.DeleteOAuth2Client(ctx, id).Execute()
	check(err)
	inactive, _, err := oauth.IntrospectOAuth2Token(ctx).Token(token).Execute()
	check(err)
	ensure(!inactive.Active, "the token ends with its client")
	_, answer, err := oauth.GetOAuth2Client(ctx, id).Execute()
	ensure(err != nil && answer.StatusCode == 404, "a deleted client is gone")
}

func main() {
	signUp()
	manageIdentities()
	useClients()
	checkPermissions()
}
