// Calls what an app calls with supabase-js and openai, without a network, and prints the names of the headers they send.
import { createRequire } from 'node:module'

const require = createRequire(`${process.argv[2]}/`)
const { OpenAI } = require('openai')
const { createClient } = require('@supabase/supabase-js')

const names = new Set()
let answer = '{}'
let failures = 0
const record = async (url, { headers } = {}) => {
  for (const [name] of new Headers(headers)) names.add(name)
  if (failures-- > 0) return new Response('{}', { status: 503, headers: { 'content-type': 'application/json', 'retry-after-ms': '1' } })
  const events = answer.startsWith('data:')
  return new Response(answer, { headers: { 'content-type': events ? 'text/event-stream' : 'application/json' } })
}

const openai = new OpenAI({ baseURL: 'http://edge.test/v1', apiKey: 'token', fetch: record, organization: 'o', project: 'p', dangerouslyAllowBrowser: true })
const question = { model: 'acme/helpdesk', messages: [{ role: 'user', content: 'Hello?' }] }
await openai.models.list()
failures = 1
await openai.chat.completions.create(question)
const part = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }] }
answer = `data: ${JSON.stringify(part)}\n\ndata: [DONE]\n\n`
await openai.chat.completions.stream(question).finalContent()

answer = JSON.stringify({ access_token: 'a.b.c', refresh_token: 'r', token_type: 'bearer', expires_in: 3600, user: { id: 'x' } })
const supabase = createClient('http://edge.test', 'sb_publishable_x', { global: { fetch: record }, auth: { persistSession: false }, realtime: { transport: class {} } })
await supabase.auth.signInWithPassword({ email: 'a@b.test', password: 'p' })
await supabase.auth.getUser('a.b.c')
await supabase.auth.signOut()
failures = 1
await supabase.rpc('whoami')
await supabase.schema('api').rpc('whoami').maybeSingle()
console.log(JSON.stringify([...names].sort()))
