// Uses the package openai with the edge as its base URL and prints what happened as one JSON object.
import { createRequire } from 'node:module'

const { url, strictUrl, nodeModules, token, reader, strictToken, model, openBot } = JSON.parse(process.argv[2])
const { OpenAI } = createRequire(`${nodeModules}/`)('openai')
const newClient = (apiKey, base = url) => new OpenAI({ baseURL: `${base}/v1`, apiKey, maxRetries: 0 })
const question = (bot, content, more = {}) => ({ model: bot, messages: [{ role: 'user', content }], ...more })
const said = (parts) => parts.map((part) => part.choices[0]?.delta.content ?? '').join('')
const refusal = (call) => call.then(() => null, (error) => ({ name: error.constructor.name, status: error.status ?? null, code: error.code, message: error.message }))

const client = newClient(token)
const ask = (...wanted) => client.chat.completions.create(question(...wanted))
const seen = {}

seen.models = []
for await (const one of client.models.list()) seen.models.push(one.id)
seen.retrieved = (await client.models.retrieve(model)).id
seen.retrieveForeign = await refusal(client.models.retrieve('acme/helpdesk'))

const answer = await ask(model, 'What is the word?')
seen.answer = { text: answer.choices[0].message.content, finish: answer.choices[0].finish_reason, usage: answer.usage, run: answer.ringfence.run_id, id: answer.id }

const parts = []
for await (const part of await ask(model, 'What is the word?', { stream: true, stream_options: { include_usage: true } })) parts.push(part)
seen.stream = { text: said(parts), usage: parts.at(-1).usage, lastChoices: parts.at(-1).choices.length, ids: new Set(parts.map((part) => part.id)).size }

seen.ticket = (await ask(openBot, 'ticket')).choices[0].message.content
seen.ticketDenied = (await newClient(reader).chat.completions.create(question(openBot, 'ticket'))).choices[0].message.content
seen.invents = (await ask(model, 'invents')).choices[0].message.content

seen.noToken = await refusal(newClient('no-token').chat.completions.create(question(model, 'Hello?')))
seen.foreign = await refusal(ask('acme/helpdesk', 'Hello?'))
seen.tools = await refusal(ask(model, 'Hello?', { tools: [{ type: 'function', function: { name: 'mine', parameters: {} } }] }))
seen.broken = await refusal(ask(model, 'broken'))
const patient = newClient(strictToken, strictUrl)
for (let n = 0; n < 2; n++) await patient.models.list()
seen.limited = await refusal(patient.chat.completions.create(question(model, 'Hello?')))

const half = []
seen.breaksOff = await refusal((async () => { for await (const part of await ask(model, 'breaks off', { stream: true })) half.push(part) })())
seen.half = said(half)

const left = await ask(model, 'hold', { stream: true })
for await (const part of left) {
  seen.left = part.id
  if (part.choices[0]?.delta.content) break // leaving the loop aborts the request
}
const aborted = await ask(model, 'hold', { stream: true })
for await (const part of aborted) {
  seen.aborted = part.id
  if (part.choices[0]?.delta.content) aborted.controller.abort()
}
console.log(JSON.stringify(seen))
