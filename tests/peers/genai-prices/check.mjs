// Holds bills of lens against those of @pydantic/genai-prices, whose table is kept apart from ours:
// every model that both know, several usages. Models that differ must be in differences.txt.
//
//   node check.mjs LENS MODULES
import {spawnSync} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const [lens, modules] = process.argv.slice(2)
const {calcPrice} = await import(join(modules, '@pydantic/genai-prices/dist/index.js'))
const here = dirname(fileURLToPath(import.meta.url))
const day = '2026-07-24'
const theirs = {openai: 'openai', azure: 'azure', anthropic: 'anthropic', gemini: 'google', bedrock: 'aws',
  cohere: 'cohere', mistral: 'mistral', deepseek: 'deepseek', groq: 'groq', xai: 'x-ai'}
const usages = {
  plain: {in: 1000, out: 500},
  cached: {in: 2006, cache_read: 1920, out: 300},
  written: {in: 5000, cache_read: 100, cache_write: 3000, cache_write_1h: 1000, out: 10},
  long: {in: 300000, cache_read: 1000, out: 2000},
}

function run(args, input) {
  const done = spawnSync(lens, args, {input, encoding: 'utf8', maxBuffer: 1 << 28})
  if (done.status !== 0) throw new Error(`lens ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

// Their provider knows the model by its id without the provider's part.
function theirPrice(row, usage) {
  const provider = theirs[row.provider]
  const model = row.model.replace(/^(azure|mistral|groq|xai|cohere|deepseek)\//, '')
  const written1h = usage.cache_write_1h ?? 0
  const asked = {
    input_tokens: usage.in,
    cache_read_tokens: usage.cache_read,
    cache_write_tokens: usage.cache_write,
    cache_write_1h_tokens: usage.cache_write === undefined ? undefined : written1h,
    output_tokens: usage.out,
  }
  try {
    const price = calcPrice(asked, model, {providerId: provider, timestamp: new Date(`${day}T12:00:00Z`)})
    // A match by "contains" may have found another model: only one of that very id is the same.
    return price && price.model.id === model ? price.total_price : null
  } catch {
    return null
  }
}

const rows = JSON.parse(run(['prices', '--json', '--at', day])).prices.filter((row) => row.provider in theirs)
const questions = []
for (const row of rows)
  for (const [name, usage] of Object.entries(usages)) {
    if (name === 'written' && row.usd_per_million_tokens.cache_write_1h === null) continue
    const price = theirPrice(row, usage)
    if (price !== null) questions.push({id: `${row.provider} ${row.model} ${name}`, row, usage, price})
  }
const lines = questions.map(({id, row, usage}) => JSON.stringify({id, model: row.model, provider: row.provider, usage}))
const answers = run(['cost', '-', '--at', day], lines.join('\n') + '\n').trim().split('\n').map((l) => JSON.parse(l))

const known = new Set(readFileSync(join(here, 'differences.txt'), 'utf8').split('\n')
  .filter((line) => line && !line.startsWith('#')).map((line) => line.split(/\s+/).slice(0, 2).join(' ')))
const models = new Set()
const differ = new Map()
answers.forEach((answer, nth) => {
  const {row, price} = questions[nth]
  const model = `${row.provider} ${row.model}`
  models.add(model)
  if (answer.usd === null || Math.abs(Number(answer.usd) - price) > 1e-9 * Math.max(price, 1e-6))
    differ.set(model, [...(differ.get(model) ?? []), `${questions[nth].id.split(' ')[2]}: ${answer.usd} here, ${price} there`])
})
for (const [model, how] of differ)
  console.log(`${known.has(model) ? 'known' : 'NEW'}: ${model}: ${how.join('; ')}`)
console.log(`${models.size} models that both know, ${answers.length} bills, ${differ.size} models differ`)
if (models.size < 60) throw new Error('too few models in common: is the lookup right?')
if ([...differ.keys()].some((model) => !known.has(model))) process.exit(1)
