// A front end built with Ory Elements: a page for each flow, and a home page that shows the session.
import "@ory/elements-react/theme/styles.css"
import { Configuration, FrontendApi } from "@ory/client-fetch"
import { SessionProvider } from "@ory/elements-react/client"
import { Login, Recovery, Registration, Settings, Verification } from "@ory/elements-react/theme"
import { createRoot } from "react-dom/client"

const kleis = window.KLEIS_URL
const frontend = new FrontendApi(
  new Configuration({ basePath: kleis, credentials: "include", headers: { Accept: "application/json" } }),
)
const config = {
  sdk: { url: kleis },
  project: {
    name: "Elements",
    default_redirect_url: "/",
    error_ui_url: "/error",
    login_ui_url: "/login",
    recovery_enabled: true,
    recovery_ui_url: "/recovery",
    registration_enabled: true,
    registration_ui_url: "/registration",
    settings_ui_url: "/settings",
    verification_enabled: true,
    verification_ui_url: "/verification",
  },
}
const FLOWS = {
  "/login": [Login, (id) => frontend.getLoginFlow({ id })],
  "/recovery": [Recovery, (id) => frontend.getRecoveryFlow({ id })],
  "/registration": [Registration, (id) => frontend.getRegistrationFlow({ id })],
  "/settings": [Settings, (id) => frontend.getSettingsFlow({ id })],
  "/verification": [Verification, (id) => frontend.getVerificationFlow({ id })],
}

async function home() {
  const session = await frontend.toSession().catch(() => null)
  if (!session) {
    return <p>Not signed in</p>
  }
  const { logout_url } = await frontend.createBrowserLogoutFlow()
  return (
    <p>
      Signed in as {session.identity.traits.email} <a href={logout_url}>Sign out</a>
    </p>
  )
}

async function page() {
  const { pathname, search } = location
  if (!(pathname in FLOWS)) {
    return pathname === "/" ? await home() : <p>{decodeURIComponent(pathname + search)}</p>
  }
  const [Flow, read] = FLOWS[pathname]
  const id = new URLSearchParams(search).get("flow")
  if (!id) {
    location.replace(`${kleis}/self-service${pathname}/browser${search}`)
    return null
  }
  const flow = await read(id)
  return (
    <SessionProvider baseUrl={kleis}>
      <Flow flow={flow} config={config} />
    </SessionProvider>
  )
}

const root = createRoot(document.getElementById("root"))
page().then(
  (content) => root.render(content),
  (error) => root.render(<p>The page failed: {String(error)}</p>),
)
