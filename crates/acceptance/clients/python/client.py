"""Drives a server with the official clients for Python: sign-up by the API flow, a session, identities, clients, a token,
its introspection, and permissions. The addresses of the listeners come from the environment."""

import json
import os
import urllib.parse
import urllib.request

import ory_hydra_client as hydra
import ory_kratos_client as kratos

import authenticator_app
import permissions


def api(library, name, base):
    return getattr(library, name)(library.ApiClient(library.Configuration(host=base)))


frontend = api(kratos, "FrontendApi", os.environ["KLEIS_IDENTITY"])
identities = api(kratos, "IdentityApi", os.environ["KLEIS_IDENTITY_ADMIN"])
oauth = api(hydra, "OAuth2Api", os.environ["KLEIS_OAUTH_ADMIN"])


def ok(what):
    print(f"    ok  {what}", flush=True)


def refused_with_404(library, call, id):
    try:
        call(id)
    except library.ApiException as error:
        assert error.status == 404, error
    else:
        raise AssertionError(f"{id} still exists")


def sign_up():
    flow = frontend.create_native_registration_flow()
    body = kratos.UpdateRegistrationFlowWithPasswordMethod(
        method="password", password="correct horse battery staple", traits={"email": "python@example.org"}
    )
    registered = frontend.update_registration_flow(flow.id, kratos.UpdateRegistrationFlowBody(body))
    assert registered.session_token, "registration signs in"
    session = frontend.to_session(x_session_token=registered.session_token)
    assert session.active
    assert session.identity.traits["email"] == "python@example.org"
    ok("registration signs in")


def manage_identities():
    created = identities.create_identity(
        kratos.CreateIdentityBody(schema_id="default", traits={"email": "python-admin@example.org"})
    )
    patch = kratos.JsonPatch(op="add", path="/metadata_public", value={"plan": "large"})
    assert identities.patch_identity(created.id, json_patch=[patch]).metadata_public == {"plan": "large"}
    ok("an identity is patched")
    body = kratos.UpdateIdentityBody(schema_id="default", state="inactive", traits={"email": "python-2@example.org"})
    assert identities.update_identity(created.id, update_identity_body=body).state == "inactive"
    ok("an identity is replaced")
    assert len(identities.list_identities(credentials_identifier="python@example.org")) == 1
    ok("an identity is found by its identifier")
    identities.delete_identity(created.id)
    refused_with_404(kratos, identities.get_identity, created.id)
    ok("a deleted identity is gone")


def token_of(client):
    fields = {
        "grant_type": "client_credentials",
        "scope": "jobs.run",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
    }
    url = os.environ["KLEIS_OAUTH"] + "/oauth2/token"
    with urllib.request.urlopen(url, data=urllib.parse.urlencode(fields).encode()) as answer:
        return json.load(answer)["access_token"]


def use_clients():
    created = oauth.create_o_auth2_client(
        hydra.OAuth2Client(
            client_name="Python",
            grant_types=["client_credentials"],
            scope="jobs.run",
            token_endpoint_auth_method="client_secret_post",
        )
    )
    id = created.client_id
    patch = hydra.JsonPatch(op="replace", path="/client_name", value="Python 2")
    assert oauth.patch_o_auth2_client(id, [patch]).client_name == "Python 2"
    ok("a client is patched")
    assert len(oauth.list_o_auth2_clients(client_name="Python 2")) == 1
    ok("a client is found by its name")
    token = token_of(created)
    ok("a token is issued")
    active = oauth.introspect_o_auth2_token(token)
    assert active.active
    assert active.client_id == id
    assert active.scope == "jobs.run"
    ok("introspection shows the live token")
    oauth.delete_o_auth2_client(id)
    assert not oauth.introspect_o_auth2_token(token).active
    ok("the token ends with its client")
    refused_with_404(hydra, oauth.get_o_auth2_client, id)
    ok("a deleted client is gone")


sign_up()
manage_identities()
use_clients()
permissions.check(ok)
authenticator_app.check(frontend, ok)
