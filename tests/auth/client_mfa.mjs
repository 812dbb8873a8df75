// Puts auth.mfa of @supabase/auth-js through its paces against the emulator and prints what happened as one JSON object.
import { createRequire } from 'node:module'

import { code } from './totp.mjs'

const [url, nodeModules, email, password] = process.argv.slice(2)
const { AuthClient } = createRequire(`${nodeModules}/`)('@supabase/auth-js')

const newClient = () => new AuthClient({ url, autoRefreshToken: false, persistSession: true, storage: memory() })

function memory() {
  const held = new Map()
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value), removeItem: (key) => held.delete(key) }
}

const failure = ({ error }) => error && { name: error.name, code: error.code, status: error.status }
const levels = async (client) => {
  const { data } = await client.mfa.getAuthenticatorAssuranceLevel()
  return { current: data.currentLevel, next: data.nextLevel, methods: data.currentAuthenticationMethods.map((entry) => entry.method) }
}

const seen = {}
const client = newClient()
await client.signUp({ email, password })
seen.before = await levels(client)

const enrolled = await client.mfa.enroll({ factorType: 'totp', friendlyName: 'phone app', issuer: 'acme.test' })
const { id: factorId, type, totp } = enrolled.data
seen.enrol = { error: failure(enrolled), type, picture: totp.qr_code.slice(0, 31), uri: totp.uri.startsWith('otpauth://totp/acme.test:') }
const other = newClient()
await other.signInWithPassword({ email, password })

const challenged = await client.mfa.challenge({ factorId })
seen.challenge = { error: failure(challenged), type: challenged.data.type, later: challenged.data.expires_at > Date.now() / 1000 }
const wrong = ['000000', '111111', '222222', '333333'].find((one) => ![-1, 0, 1].some((steps) => code(totp.secret, steps) === one))
seen.wrong = failure(await client.mfa.verify({ factorId, challengeId: challenged.data.id, code: wrong }))
const verified = await client.mfa.verify({ factorId, challengeId: challenged.data.id, code: code(totp.secret, 0) })
seen.verify = { error: failure(verified), user: verified.data.user.email === email }
seen.after = await levels(client)
seen.weakerSession = failure(await other.getUser())
seen.replay = failure(await client.mfa.challengeAndVerify({ factorId, code: code(totp.secret, 0) }))

const listed = await client.mfa.listFactors()
seen.list = { error: failure(listed), totp: listed.data.totp.map((factor) => [factor.id === factorId, factor.status, factor.friendly_name]) }
const refreshed = await client.refreshSession()
seen.refresh = { error: failure(refreshed), level: (await levels(client)).current }

const again = newClient()
await again.signInWithPassword({ email, password })
seen.nextSignIn = await levels(again)
seen.password = failure(await again.updateUser({ password: `${password}x` }))
seen.unenrolWeak = failure(await again.mfa.unenroll({ factorId }))
const stepped = await again.mfa.challengeAndVerify({ factorId, code: code(totp.secret, 1) })
seen.stepUp = { error: failure(stepped), level: (await levels(again)).current }
seen.unenrol = failure(await again.mfa.unenroll({ factorId }))
await again.refreshSession()
seen.end = await levels(again)

console.log(JSON.stringify(seen))
