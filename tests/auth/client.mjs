// Puts @supabase/auth-js through its paces against the emulator and prints what happened as one JSON object.
import { createRequire } from 'node:module'

const [url, nodeModules, email, password] = process.argv.slice(2)
const { AuthClient } = createRequire(`${nodeModules}/`)('@supabase/auth-js')

const newClient = () => new AuthClient({ url, autoRefreshToken: false, persistSession: true, storage: memory() })

function memory() {
  const held = new Map()
  return { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value), removeItem: (key) => held.delete(key) }
}

const failure = ({ error }) => error && { name: error.name, code: error.code, status: error.status, message: error.message, reasons: error.reasons }

const seen = {}
const client = newClient()

const signUp = await client.signUp({ email, password, options: { data: { name: 'Ada' } } })
seen.signUp = { error: failure(signUp), email: signUp.data.user?.email, name: signUp.data.user?.user_metadata.name, session: !!signUp.data.session }
seen.signUpAgain = failure(await newClient().signUp({ email, password }))
seen.weak = failure(await newClient().signUp({ email: `weak-${email}`, password: '12345' }))
seen.wrong = failure(await newClient().signInWithPassword({ email, password: `${password}x` }))
seen.unknown = failure(await newClient().signInWithPassword({ email: `nobody-${email}`, password }))

const signIn = await client.signInWithPassword({ email, password })
seen.signIn = { error: failure(signIn), sameUser: signIn.data.user?.id === signUp.data.user?.id }
const claims = await client.getClaims()
seen.claims = { error: failure(claims), sub: claims.data?.claims.sub === signIn.data.user?.id, aal: claims.data?.claims.aal }
const user = await client.getUser()
seen.user = { error: failure(user), email: user.data.user?.email }
const level = await client.mfa.getAuthenticatorAssuranceLevel()
seen.level = level.data

const refreshed = await client.refreshSession()
seen.refresh = { error: failure(refreshed), rotated: refreshed.data.session?.refresh_token !== signIn.data.session?.refresh_token }
seen.badRefresh = failure(await newClient().refreshSession({ refresh_token: 'never given out' }))

const updated = await client.updateUser({ data: { name: 'Eve' } })
seen.update = { error: failure(updated), name: updated.data.user?.user_metadata.name }
seen.samePassword = failure(await client.updateUser({ password }))

const other = newClient()
await other.signInWithPassword({ email, password })
const token = (await other.getSession()).data.session.access_token
seen.signOut = { error: failure(await client.signOut({ scope: 'global' })), session: !!(await client.getSession()).data.session }
seen.afterSignOut = failure(await newClient().getUser(token))
seen.signOutOfNothing = failure(await other.signOut())

console.log(JSON.stringify(seen))
