// Runs the configurations of docs/guides/put-it-behind-a-proxy.md: the proxy with TLS, Kleis and an application behind both.
// Names resolve to this machine, and ports and paths are replaced by free ones; everything else is the text of the guide.
import assert from "node:assert/strict"
import { execFile, execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"
import { blocksByHeading } from "./blocks.mjs"
import { launch, steps } from "./chromium.mjs"
import { freePorts, Kleis, start, until } from "./kleis.mjs"

const GUIDE = join(process.env.CONFORMANCE_GUIDES, "put-it-behind-a-proxy.md")
const PASSWORD = "seven lanterns over the harbour"
const PROXIES = ["nginx", "Caddy"]

// Debian installs nginx outside the path of ordinary users.
process.env.PATH += `${delimiter}/usr/sbin`

const blocks = Object.values(blocksByHeading(readFileSync(GUIDE, "utf8"))).flat()
const textOf = (name) => blocks.find((it) => it.name === name).text

function replaced(text, pairs) {
  for (const [there, here] of pairs) {
    assert.ok(text.includes(there), `the guide says ${there}`)
    text = text.replaceAll(there, here)
  }
  return text
}

// Returns the headers that it receives, and greets over a WebSocket with the name from a header (RFC 6455).
function application(port) {
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json")
    response.end(JSON.stringify(request.headers))
  })
  server.on("upgrade", (request, socket) => {
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash("sha1").update(key).digest("base64")
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
    const text = Buffer.from(`hello ${request.headers["x-user"]}`)
    socket.write(Buffer.concat([Buffer.from([0x81, text.length]), text]))
    socket.on("error", () => socket.destroy())
  })
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)))
}

function certificate(folder) {
  const names = "subjectAltName=DNS:example.org,DNS:*.example.org"
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=example.org"]
  const files = ["-keyout", join(folder, "privkey.pem"), "-out", join(folder, "fullchain.pem")]
  execFileSync("openssl", ["req", "-x509", ...options, "-addext", names, ...files], { stdio: "ignore" })
}

function nginx(folder, ports, local) {
  certificate(folder)
  const text = replaced(textOf("kleis.conf"), [
    ["/etc/letsencrypt/live/example.org", folder],
    ["listen 80;", `listen 127.0.0.1:${ports.http};`],
    ["listen 443 ssl;", `listen 127.0.0.1:${ports.https} ssl;`],
    ...local,
  ])
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((it) => `${it}_temp_path ${folder}/${it};`)
  const main = `daemon off; pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${places.join(" ")}\n${text} }`
  writeFileSync(join(folder, "nginx.conf"), main)
  return ["nginx", "-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")]
}

function caddy(folder, ports, local) {
  const options = [`http_port ${ports.http}`, `https_port ${ports.https}`, "local_certs", "skip_install_trust", "admin off"]
  const storage = `storage file_system ${folder}/certificates`
  const text = replaced(textOf("Caddyfile"), local)
  writeFileSync(join(folder, "Caddyfile"), `{\n${[...options, storage, "default_bind 127.0.0.1"].join("\n")}\n}\n${text}`)
  return ["caddy", "run", "--config", join(folder, "Caddyfile")]
}

// `curl` from an address of this machine that is not the proxy's.
async function curl(from, ...args) {
  const options = ["-s", "-m", "10", "--interface", from, "-w", "\n%{http_code}"]
  const { stdout } = await promisify(execFile)("curl", [...options, ...args])
  const lines = stdout.split("\n")
  return { status: Number(lines.pop()), text: lines.join("\n") }
}

// The certificate is of no public authority, and the names resolve to the proxy.
function throughProxy(ports, url, ...args) {
  const target = `::127.0.0.1:${url.startsWith("https:") ? ports.https : ports.http}`
  return curl("127.0.0.2", "-k", "--connect-to", target, ...args, url)
}

const forged = ["X-Forwarded-For: 203.0.113.7", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "X-User: root"]
const forgedArguments = forged.flatMap((it) => ["-H", it])

async function check(page, ports, kleis) {
  const ask = (url, ...args) => throughProxy(ports, url, ...args)
  let cookie
  let id
  const signedIn = () => ["-H", `Cookie: ${cookie.name}=${cookie.value}`]
  await steps(page, {
    "redirects from HTTP to HTTPS": async () => {
      const { status, text } = await ask("http://accounts.example.org/x?y=1", "-i")
      assert.equal(status, 308)
      assert.match(text, /location: https:\/\/accounts\.example\.org\/x\?y=1/i)
    },
    "names its issuer by HTTPS": async () => {
      const { issuer, jwks_uri } = JSON.parse((await ask("https://auth.example.org/.well-known/openid-configuration")).text)
      assert.equal(issuer, "https://auth.example.org/")
      assert.match(jwks_uri, /^https:\/\/auth\.example\.org\//)
    },
    "sends Strict-Transport-Security": async () => {
      for (const name of ["accounts", "auth", "app", "api"]) {
        assert.match((await ask(`https://${name}.example.org/`, "-i")).text, /strict-transport-security: max-age=31536000/i, name)
      }
    },
    "does not serve the admin API": async () => {
      assert.equal((await ask("https://accounts.example.org/admin/identities")).status, 404)
      assert.equal((await ask("https://auth.example.org/admin/clients")).status, 404)
      assert.equal((await ask("https://api.example.org/rules")).status, 401)
    },
    "refuses requests without a session": async () => {
      assert.equal((await ask("https://app.example.org/", "-H", "Accept: application/json")).status, 401)
      assert.equal((await ask("https://api.example.org/", ...forgedArguments)).status, 401)
    },
    "signs in and comes back to the application": async () => {
      await page.goto("https://app.example.org/page?a=1")
      await page.locator("[name=identifier]").fill("ada@example.org")
      await page.locator("[name=password]").fill(PASSWORD)
      await page.locator("[name=password]").press("Enter")
      await page.waitForURL("https://app.example.org/page?a=1")
      const headers = JSON.parse(await page.locator("body").innerText())
      id = headers["x-user"]
      assert.match(id, /^[0-9a-f-]{36}$/)
      cookie = (await page.context().cookies()).find((it) => it.name === "ory_kratos_session")
      assert.ok(cookie.secure && cookie.httpOnly && cookie.domain === ".example.org", JSON.stringify(cookie))
    },
    "opens a WebSocket through the gateway": async () => {
      const greeting = page.evaluate(
        () =>
          new Promise((done, failed) => {
            const socket = new WebSocket("wss://app.example.org/socket")
            socket.onmessage = (event) => done(event.data)
            socket.onerror = () => failed(new Error("the socket failed"))
          }),
      )
      assert.equal(await greeting, `hello ${id}`)
    },
    "decides for the proxy": async () => {
      const { status, text } = await ask("https://api.example.org/orders?a=1", ...signedIn(), ...forgedArguments)
      assert.equal(status, 200)
      assert.equal(JSON.parse(text)["x-user"], id)
    },
    "forwards no forged header": async () => {
      const { text } = await ask("https://app.example.org/", ...signedIn(), ...forgedArguments)
      const headers = JSON.parse(text)
      assert.equal(headers["x-user"], id)
      assert.doesNotMatch(text, /203\.0\.113\.7|evil/)
      assert.equal(headers["x-forwarded-proto"], "https")
    },
    "logs the client behind the proxy": async () => {
      await ask("https://accounts.example.org/health/alive?behind", ...forgedArguments)
      assert.match(kleis.server.log(), /client=127\.0\.0\.2/)
      assert.doesNotMatch(kleis.server.log(), /203\.0\.113\.7/)
    },
    "trusts no client that bypasses the proxy": async () => {
      const past = (url, ...args) => curl("127.0.0.3", ...forgedArguments, ...args, url)
      assert.equal((await past(`${kleis.url("gatewayApi")}/decisions`)).status, 403)
      const https = ["-H", "X-Forwarded-Proto: https", "-i"]
      assert.doesNotMatch((await past(`${kleis.url("identity")}/health/alive`, ...https)).text, /strict-transport-security/i)
      assert.match(kleis.server.log(), /client=127\.0\.0\.3/)
      assert.doesNotMatch(kleis.server.log(), /203\.0\.113\.7/)
    },
  })
}

async function run(name) {
  console.log(`==> ${name}`)
  const folder = mkdtempSync(join(tmpdir(), `${name.toLowerCase()}-`))
  const [http, https, app] = await freePorts(3)
  const ports = { http, https }
  const rules = join(folder, "rules.yml")
  writeFileSync(rules, replaced(textOf("rules.yml"), [["127.0.0.1:8080", `127.0.0.1:${app}`]]))
  const file = join(folder, "guide.yml")
  writeFileSync(file, replaced(textOf("kleis.yml"), [["/etc/kleis/rules.yml", rules]]))
  const kleis = await Kleis.start(folder, () => ({}), [file])
  const local = [
    ["127.0.0.1:4433", `127.0.0.1:${kleis.ports.identity}`],
    ["127.0.0.1:4444", `127.0.0.1:${kleis.ports.oauth}`],
    ["127.0.0.1:4455", `127.0.0.1:${kleis.ports.gateway}`],
    ["127.0.0.1:4456", `127.0.0.1:${kleis.ports.gatewayApi}`],
    ["127.0.0.1:8080", `127.0.0.1:${app}`],
  ]
  const server = await application(app)
  const [program, ...args] = name === "nginx" ? nginx(folder, ports, local) : caddy(folder, ports, local)
  const proxy = start(program, args, { cwd: folder, env: { ...process.env, HOME: folder } }, join(folder, "proxy.log"))
  const names = "MAP *.example.org:443 127.0.0.1:" + https
  const browser = await launch([`--host-resolver-rules=${names}`, "--ignore-certificate-errors"])
  const page = await browser.visit()
  try {
    await fetch(`${kleis.url("identityAdmin")}/admin/identities`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        schema_id: "default",
        traits: { email: "ada@example.org" },
        credentials: { password: { config: { password: PASSWORD } } },
      }),
    })
    await until(async () => {
      if (proxy.child.exitCode !== null) throw new Error("the proxy ended before it was ready")
      try {
        return (await throughProxy(ports, "https://accounts.example.org/health/alive")).status === 200
      } catch {
        return false
      }
    }, "the proxy answers")
    await check(page, ports, kleis)
  } catch (error) {
    const warnings = kleis.server.log().split("\n").filter((it) => /WARN|ERROR|granted=false/.test(it))
    throw new Error(`${name}: ${error.message}\nThe proxy wrote:\n${proxy.log()}\nKleis wrote:\n${warnings.slice(-10).join("\n")}`)
  } finally {
    await browser.close()
    await proxy.stop()
    server.closeAllConnections()
    server.close()
    await kleis.stop()
  }
}

const chosen = process.argv.slice(2)
for (const name of PROXIES.filter((it) => chosen.length === 0 || chosen.includes(it))) {
  await run(name)
}
