// Uses @supabase/supabase-js with the edge as its project URL and prints what happened as one JSON object.
import { createRequire } from 'node:module'

const { url, key, nodeModules, email, password, org } = JSON.parse(process.argv[2])
const { createClient } = createRequire(`${nodeModules}/`)('@supabase/supabase-js')
// Node 20 has no WebSocket of its own, and the client asks for one even where nothing is subscribed to.
const realtime = { transport: globalThis.WebSocket ?? class {} }
const client = createClient(url, key, { auth: { persistSession: false, autoRefreshToken: false }, realtime })
const outcome = ({ data, error, status }) => ({ data, error: error && { code: error.code, message: error.message }, status })

const seen = {}
seen.signedOut = outcome(await client.rpc('whoami'))
seen.signIn = (await client.auth.signInWithPassword({ email, password })).error?.message ?? 'ok'
seen.whoami = outcome(await client.rpc('whoami'))
seen.list = outcome(await client.rpc('list_members', { org_id: org }))
seen.single = outcome(await client.rpc('search_documents', { org_id: org, query: 'license', max_rows: 1 }).single())
seen.notSingle = outcome(await client.rpc('search_documents', { org_id: org, query: 'license', max_rows: 2 }).single())
seen.invalid = outcome(await client.rpc('search_documents', { org_id: org, query: '' }))
seen.unknown = outcome(await client.rpc('drop_everything'))
seen.table = outcome(await client.from('organization').select('*'))
// Not everywhere: other tests are signed in as the same person.
seen.signOut = (await client.auth.signOut({ scope: 'local' })).error?.message ?? 'ok'
console.log(JSON.stringify(seen))
