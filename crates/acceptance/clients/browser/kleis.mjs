// Starts a server with its own configuration on free ports, and reads the mail that it would have sent.
import { spawn } from "node:child_process"
import { openSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"

const START_LIMIT_MILLISECONDS = 60_000
const STOP_LIMIT_MILLISECONDS = 20_000

// An interrupted program also stops the programs that it started: see `start`.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1))

// Free ports. All sockets are open at the same time, so that no port is returned twice.
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise((done, failed) => {
        server.once("error", failed)
        server.listen(0, "127.0.0.1", () => done(server))
      })
    }),
  )
  const ports = servers.map((server) => server.address().port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

// Waits until `check` returns a value, and fails with `what` after the time limit.
export async function until(check, what, limit = START_LIMIT_MILLISECONDS) {
  const end = Date.now() + limit
  for (;;) {
    const found = await check()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not after ${limit / 1000} s`)
    await pause(50)
  }
}

export const answers = (url) =>
  fetch(url).then(
    (answer) => answer.ok,
    () => false,
  )

// A program in its own process group, so that its child processes end with it. Its input stays open, because some programs end
// with it.
export function start(program, args, options, log) {
  const output = openSync(log, "a")
  const child = spawn(program, args, { ...options, detached: true, stdio: ["pipe", output, output] })
  const ended = new Promise((done) => {
    child.once("exit", done)
    child.once("error", done)
  })
  const send = (signal) => {
    try {
      process.kill(-child.pid, signal)
    } catch {
      // The process has already ended.
    }
  }
  const stop = async () => {
    send("SIGTERM")
    const limit = setTimeout(() => send("SIGKILL"), STOP_LIMIT_MILLISECONDS)
    await ended
    clearTimeout(limit)
  }
  process.once("exit", () => send("SIGTERM"))
  return { child, stop, log: () => readFileSync(log, "utf8") }
}

function merge(base, over) {
  const isObject = (it) => typeof it === "object" && it !== null && !Array.isArray(it)
  if (!isObject(base) || !isObject(over)) return over
  const names = new Set([...Object.keys(base), ...Object.keys(over)])
  return Object.fromEntries([...names].map((it) => [it, it in over ? merge(base[it], over[it]) : base[it]]))
}

export class Kleis {
  // `configure` gets the ports and returns an addition to the configuration; `files` are read before it.
  static async start(folder, configure = () => ({}), files = []) {
    const names = ["identity", "identityAdmin", "oauth", "oauthAdmin", "gateway", "gatewayApi"]
    const ports = Object.fromEntries((await freePorts(names.length)).map((port, index) => [names[index], port]))
    const listener = (port) => ({ host: "127.0.0.1", port })
    const configuration = {
      identity: {
        serve: { public: listener(ports.identity), admin: listener(ports.identityAdmin) },
        selfservice: { methods: { password: { config: { haveibeenpwned_enabled: false } } } },
      },
      oauth: { serve: { public: listener(ports.oauth), admin: listener(ports.oauthAdmin) } },
      // Port 0 is a free one, which nothing here calls.
      permissions: { serve: { read: listener(0), write: listener(0), opl: listener(0), metrics: listener(0) } },
      gateway: { serve: { proxy: listener(ports.gateway), api: listener(ports.gatewayApi) } },
    }
    const file = join(folder, "kleis.yml")
    // JSON is YAML.
    writeFileSync(file, JSON.stringify(merge(configuration, configure(ports))))
    const args = ["serve", "--config", [...files, file].join(","), "--data", join(folder, "data")]
    const server = start(process.env.CONFORMANCE_BINARY, args, {}, join(folder, "kleis.log"))
    const kleis = new Kleis()
    Object.assign(kleis, { ports, server, file })
    await until(async () => {
      if (server.child.exitCode !== null) throw new Error(`kleis ended before it was ready:\n${server.log()}`)
      const ready = ["identity/health/ready", "oauth/health/ready", "gatewayApi/health/alive"].map((it) => {
        const [listener, ...path] = it.split("/")
        return answers(`${kleis.url(listener)}/${path.join("/")}`)
      })
      return (await Promise.all(ready)).every(Boolean)
    }, "kleis is ready")
    return kleis
  }

  url(listener) {
    return `http://127.0.0.1:${this.ports[listener]}`
  }

  // The newest code that was sent to an address, except `before`; subjects in the mailbox end with the code.
  async code(recipient, before) {
    const pattern = new RegExp(`(\\d{6})\\s+${recipient}\\s`)
    return await until(async () => {
      const mailbox = await fetch(`${this.url("identityAdmin")}/mailbox`)
      // The text of the page, whatever its elements.
      const words = (await mailbox.text()).replace(/<[^>]*>/g, " ")
      const code = words.match(pattern)?.[1]
      return code !== before && code
    }, `a code for ${recipient}`)
  }

  stop() {
    return this.server.stop()
  }
}
