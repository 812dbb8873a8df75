// Uses @supabase/supabase-js with the edge as its project URL and prints what happened as one JSON object.
import { createRequire } from 'node:module'

import { code } from '../../auth/totp.mjs'

const { url, key, nodeModules, account, member, org, word } = JSON.parse(process.argv[2])
const { createClient } = createRequire(`${nodeModules}/`)('@supabase/supabase-js')
// Node 20 has no WebSocket of its own, and the client asks for one even where nothing is subscribed to.
const realtime = { transport: globalThis.WebSocket ?? class {} }
const newClient = (storage = memory(), autoRefreshToken = false) =>
  createClient(url, key, { auth: { persistSession: true, autoRefreshToken, storage, storageKey: 'session' }, realtime })

function memory() {
  const held = new Map()
  return { getItem: (name) => held.get(name) ?? null, setItem: (name, value) => held.set(name, value), removeItem: (name) => held.delete(name) }
}

const outcome = ({ data, error, status }) => ({ data, error: error && { code: error.code, message: error.message, details: error.details }, status })
const failure = ({ error }) => error && { name: error.name, code: error.code, status: error.status }
const whoami = async (client) => { const { data, error } = await client.rpc('whoami'); return data?.email ?? error.code }
const tokenOf = async (client) => (await client.auth.getSession()).data.session.access_token
// A client that is given a token and asks nobody about it.
const withToken = (token) => createClient(url, key, { accessToken: async () => token, realtime })
const expired = (token) => {
  const [header, claims, signature] = token.split('.')
  const decoded = { ...JSON.parse(Buffer.from(claims, 'base64url')), exp: Math.floor(Date.now() / 1000) - 60 }
  return [header, Buffer.from(JSON.stringify(decoded)).toString('base64url'), signature].join('.')
}

const seen = {}

async function anAccount() {
  const client = newClient()
  seen.signedOut = outcome(await client.rpc('whoami'))
  const made = await client.auth.signUp({ ...account, options: { data: { name: 'Ada' } } })
  seen.signUp = { error: failure(made), email: made.data.user?.email, whoami: await whoami(client) }
  seen.signUpAgain = failure(await newClient().auth.signUp(account))
  seen.wrong = failure(await newClient().auth.signInWithPassword({ ...account, password: 'wrong password' }))
  const updated = await client.auth.updateUser({ data: { name: 'Eve 日本語' } })
  seen.update = { error: failure(updated), name: updated.data.user?.user_metadata.name }
  seen.getUser = (await client.auth.getUser()).data.user?.user_metadata.name
}

async function refreshing() {
  const client = newClient()
  await client.auth.signInWithPassword(account)
  const first = (await client.auth.getSession()).data.session
  const second = (await client.auth.refreshSession()).data.session
  seen.refresh = { rotated: second.refresh_token !== first.refresh_token, newToken: second.access_token !== first.access_token, whoami: await whoami(client) }

  const elsewhere = newClient()
  const third = await elsewhere.auth.setSession({ access_token: expired(second.access_token), refresh_token: second.refresh_token })
  seen.setSession = { error: failure(third), newToken: third.data.session?.access_token !== second.access_token, whoami: await whoami(elsewhere) }
  seen.setSessionUnknown = failure(await newClient().auth.setSession({ access_token: expired(second.access_token), refresh_token: 'not-a-token' }))

  // As after a night with the lid closed: what is stored has expired, and the next call refreshes it by itself.
  const storage = memory()
  storage.setItem('session', JSON.stringify({ ...third.data.session, access_token: expired(third.data.session.access_token), expires_at: Math.floor(Date.now() / 1000) - 60 }))
  const events = []
  const woken = newClient(storage, true)
  woken.auth.onAuthStateChange((event) => events.push(event))
  seen.byItself = { whoami: await whoami(woken), kept: JSON.parse(storage.getItem('session')).expires_at > Date.now() / 1000, events }
  await woken.auth.stopAutoRefresh()
}

async function secondFactor() {
  const client = newClient()
  await client.auth.signInWithPassword(account)
  const levels = async () => {
    const { data } = await client.auth.mfa.getAuthenticatorAssuranceLevel()
    return [data.currentLevel, data.nextLevel, (await client.rpc('whoami')).data.aal]
  }
  const before = await levels()
  const enrolled = await client.auth.mfa.enroll({ factorType: 'totp', friendlyName: 'phone', issuer: 'clients.test' })
  const factorId = enrolled.data.id
  const challenged = await client.auth.mfa.challenge({ factorId })
  const wrong = ['000000', '111111', '222222', '333333'].find((one) => ![-1, 0, 1].some((steps) => code(enrolled.data.totp.secret, steps) === one))
  const refused = failure(await client.auth.mfa.verify({ factorId, challengeId: challenged.data.id, code: wrong }))
  const verified = await client.auth.mfa.verify({ factorId, challengeId: challenged.data.id, code: code(enrolled.data.totp.secret, 0) })
  seen.mfa = { before, refused, verified: failure(verified), after: await levels() }
}

async function signingOut() {
  seen.signOut = {}
  for (const scope of ['local', 'others', 'global']) {
    const here = newClient(), there = newClient()
    await here.auth.signInWithPassword(account)
    await there.auth.signInWithPassword(account)
    const tokens = [await tokenOf(here), await tokenOf(there)]
    const error = failure(await here.auth.signOut({ scope }))
    seen.signOut[scope] = { error, here: await whoami(withToken(tokens[0])), there: await whoami(withToken(tokens[1])) }
  }
}

async function functions() {
  const client = newClient()
  await client.auth.signInWithPassword(member)
  const search = (query, max_rows = 5) => client.rpc('search_documents', { org_id: org, query, max_rows })
  const found = (answer) => { const { data, ...rest } = outcome(answer); return { ...rest, data: data?.content ?? data } }
  seen.one = found(await search(word).single())
  seen.none = found(await search('unheardof').single())
  seen.many = found(await search('lengthy').single())
  seen.maybeOne = found(await search(word).maybeSingle())
  seen.maybeNone = found(await search('unheardof').maybeSingle())
  seen.maybeMany = found(await search('lengthy').maybeSingle())
  seen.invalid = outcome(await search(''))
  seen.missing = outcome(await client.rpc('search_documents', { org_id: org }))
  seen.notFound = outcome(await client.rpc('get_order', { org_id: org, number: 'ORD-0' }))
  seen.denied = outcome(await client.rpc('create_bot', { org_id: org, slug: 'mine', name: 'Mine' }))
  seen.unknown = outcome(await client.rpc('drop_everything'))
  seen.table = outcome(await client.from('organization').select('*'))
  seen.filtered = outcome(await search('lengthy').limit(1))
  seen.asGet = outcome(await client.rpc('search_documents', { org_id: org, query: word }, { get: true }))
  seen.thrown = await search('').throwOnError().then(() => null, (error) => [error.name, error.code])
  seen.schemas = []
  for (const schema of ['api', 'app']) seen.schemas.push((await client.schema(schema).rpc('search_documents', { org_id: org, query: word })).data?.length)
  seen.foreignTable = outcome(await client.schema('app').from('organization').select('*'))
  seen.large = (await search('lengthy', 50)).data.map((row) => row.content).sort()
  const aborting = new AbortController()
  aborting.abort()
  seen.aborted = outcome(await search(word).abortSignal(aborting.signal))
}

await anAccount()
await refreshing()
await signingOut()
await secondFactor()
await functions()
console.log(JSON.stringify(seen))
