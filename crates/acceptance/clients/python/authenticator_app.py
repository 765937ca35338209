"""A third-party authenticator app: pyotp reads the secret of the settings and generates the codes. The clock is real, so
that other times are tested by their codes: a code is accepted one step early or late, once, and not if it is older than a
used one."""

import json
import time

import ory_kratos_client as kratos
import pyotp

EMAIL = "python-app@example.org"
PASSWORD = "correct horse battery staple"
STEP = 30
CODE_INVALID = 4000008
# The time that must be left in a step, so that a code that is computed here is still valid when the server checks it.
MARGIN = 12


def check(frontend, ok):
    owner = sign_up(frontend)
    flow = frontend.create_native_settings_flow(x_session_token=owner)
    app = pyotp.TOTP(text_of(flow, "totp_secret_key").context["secret"])

    for steps in (-10, -2, 2, 10):
        refused(lambda: link(frontend, owner, flow.id, code(app, steps)), node="totp_code")
    ok("a code two steps or five minutes off does not set an app up")
    assert link(frontend, owner, flow.id, code(app, -1)).state == "success"
    ok("a code one step late sets an app up")

    session = sign_in(frontend)
    try:
        frontend.to_session(x_session_token=session)
    except kratos.ApiException as error:
        assert error.status == 403, error
    else:
        raise AssertionError("a password is enough")
    ok("the password alone does not sign in")
    for steps in (-2, 2, 10):
        refused(lambda: prove(frontend, session, code(app, steps)))
    ok("a code two steps off, or of a clock five minutes fast, is refused")
    used = code(app, 0)
    assert prove(frontend, session, used).session.authenticator_assurance_level == "aal2"
    methods = [it.method for it in frontend.to_session(x_session_token=session).authentication_methods]
    assert methods == ["password", "totp"], methods
    ok("a code of this step signs in")

    other = sign_in(frontend)
    refused(lambda: prove(frontend, other, used))
    ok("a code is accepted once")
    early = code(app, 1)
    assert prove(frontend, other, early).session.authenticator_assurance_level == "aal2"
    ok("a code one step early signs in")
    refused(lambda: prove(frontend, sign_in(frontend), used))
    ok("a code that is older than a used one is refused")


def code(app, steps):
    """The code of another step, while enough of this one is left."""
    left = STEP - time.time() % STEP
    if left < MARGIN:
        time.sleep(left + 0.1)
    return app.at(time.time(), counter_offset=steps)


def sign_up(frontend):
    flow = frontend.create_native_registration_flow()
    body = kratos.UpdateRegistrationFlowWithPasswordMethod(method="password", password=PASSWORD, traits={"email": EMAIL})
    return frontend.update_registration_flow(flow.id, kratos.UpdateRegistrationFlowBody(body)).session_token


def sign_in(frontend):
    flow = frontend.create_native_login_flow()
    body = kratos.UpdateLoginFlowWithPasswordMethod(method="password", identifier=EMAIL, password=PASSWORD)
    return frontend.update_login_flow(flow.id, kratos.UpdateLoginFlowBody(body)).session_token


def link(frontend, session, flow, totp_code):
    body = kratos.UpdateSettingsFlowWithTotpMethod(method="totp", totp_code=totp_code)
    return frontend.update_settings_flow(flow, kratos.UpdateSettingsFlowBody(body), x_session_token=session)


def prove(frontend, session, totp_code):
    flow = frontend.create_native_login_flow(aal="aal2", x_session_token=session)
    body = kratos.UpdateLoginFlowWithTotpMethod(method="totp", totp_code=totp_code)
    return frontend.update_login_flow(flow.id, kratos.UpdateLoginFlowBody(body), x_session_token=session)


def text_of(flow, id):
    nodes = (node.attributes.actual_instance for node in flow.ui.nodes)
    return next(node.text for node in nodes if getattr(node, "id", None) == id)


def refused(call, node=None):
    try:
        call()
    except kratos.ApiException as error:
        assert error.status == 400, error
        ui = json.loads(error.body)["ui"]
        fields = [it for it in ui["nodes"] if it["attributes"].get("name") == node]
        messages = fields[0]["messages"] if node else ui.get("messages", [])
        assert [it["id"] for it in messages] == [CODE_INVALID], messages
    else:
        raise AssertionError("the code was accepted")
