// A front end that renders each flow on the server, with the library that renders the pages of the reference front end.
import { createServer } from "node:http"
import { UserAuthCard, UserSettingsScreen } from "@ory/elements-markup"

export async function serveMarkup(port, kleis) {
  const ask = async (path, request) => {
    const headers = { accept: "application/json", cookie: request.headers.cookie ?? "" }
    const answer = await fetch(kleis + path, { headers, redirect: "manual" })
    return answer.ok ? await answer.json() : undefined
  }

  const card = (flow, flowType) => {
    const browser = (name) => `${kleis}/self-service/${name}/browser`
    const additionalProps = {
      forgotPasswordURL: browser("recovery"),
      loginURL: browser("login"),
      signupURL: browser("registration"),
    }
    return UserAuthCard({ flow, flowType, additionalProps }, { locale: "en" })
  }

  // The body of a page, or its redirect target.
  const page = async (request) => {
    const { pathname, searchParams } = new URL(request.url, kleis)
    const name = pathname.slice(1)
    if (name === "welcome") {
      const logout = await ask("/self-service/logout/browser", request)
      return { body: logout ? `<a href="${logout.logout_url}">Sign out</a>` : "Not signed in" }
    }
    if (!["login", "recovery", "registration", "settings", "verification"].includes(name)) {
      return { body: "There is no such page" }
    }
    const id = searchParams.get("flow")
    const flow = id && (await ask(`/self-service/${name}/flows?id=${encodeURIComponent(id)}`, request))
    if (!flow) {
      return { location: `${kleis}/self-service/${name}/browser` }
    }
    const options = { locale: "en" }
    return { body: name === "settings" ? UserSettingsScreen({ flow }, { flow }, options).Body : card(flow, name) }
  }

  const server = createServer(async (request, response) => {
    try {
      const { body, location } = await page(request)
      response.writeHead(location ? 303 : 200, { "content-type": "text/html; charset=utf-8", ...(location && { location }) })
      response.end(body && `<!doctype html><html lang="en"><title>Front end</title><main>${body}</main></html>`)
    } catch (error) {
      response.writeHead(500, { "content-type": "text/plain" }).end(String(error.stack))
    }
  })
  await new Promise((done) => server.listen(port, "127.0.0.1", done))
  return {
    stop: () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
