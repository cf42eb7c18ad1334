// Two instances of examples/login behind Envoy, on one PostgreSQL: one is killed, and nobody notices.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePorts } from '../../scripts/common.mjs'
import { enrolledVisitor, startService, Visitor } from '../e2e/support.mjs'
import { eventually } from '../shared/eventually.mjs'
import { postgresUrl } from '../stores/databases.mjs'
import { without } from '../stores/servers/server.mjs'
import { startEnvoy } from './support.mjs'

const options = { skip: without('postgres'), timeout: 120_000 }

/** Two instances and Envoy before them. */
async function startTwo(t) {
  const [port] = await freePorts(1)
  const env = {
    DATABASE_URL: await postgresUrl(),
    PUBLIC_ORIGIN: `http://localhost:${port}`,
    NODE_OPTIONS: `--import ${new URL('../stores/use-drivers.mjs', import.meta.url).href}`,
  }
  const one = await startService(t, { env })
  const two = await startService(t, { env, dataDir: one.dataDir })
  const envoy = await startEnvoy(t, { bootstrap: bootstrapFor(port, [one.port, two.port]) })
  const both = {
    origin: `http://localhost:${port}`,
    advance: one.advance,
    get now() {
      return one.now
    },
  }
  /** How many requests, or what else Envoy counts, went to each instance. */
  const counts = async (name) => {
    const lines = (await envoy.ask('/clusters')).split('\n')
    return [one, two].map((service) =>
      Number(lines.find((line) => line.includes(`:${service.port}::${name}::`)).split('::')[3]),
    )
  }
  return { one, two, both, counts }
}

/** The instances without Countersign's filter, which has tests of its own. */
function bootstrapFor(port, instances) {
  const address = (port_value) => ({ socket_address: { address: '127.0.0.1', port_value } })
  // Another instance gets what one did not get at all. What one got and did not answer is sent again only if it changes nothing.
  const retry = (retry_on) => ({
    retry_on,
    num_retries: 3,
    retry_host_predicate: [
      {
        name: 'previous_hosts',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
        },
      },
    ],
    host_selection_retry_max_attempts: 3,
  })
  const route = (match, retry_on) => ({
    match: { prefix: '/', ...match },
    route: { cluster: 'login', timeout: '30s', retry_policy: retry(retry_on) },
  })
  const isGet = { headers: [{ name: ':method', string_match: { exact: 'GET' } }] }
  return JSON.stringify({
    admin: { address: address(0) },
    static_resources: {
      listeners: [
        {
          name: 'people',
          address: address(port),
          filter_chains: [
            {
              filters: [
                {
                  name: 'http',
                  typed_config: {
                    '@type':
                      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'people',
                    use_remote_address: true,
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'login',
                          domains: ['*'],
                          routes: [route(isGet, 'connect-failure,reset'), route({}, 'connect-failure')],
                        },
                      ],
                    },
                    http_filters: [
                      {
                        name: 'router',
                        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'login',
          type: 'STATIC',
          connect_timeout: '1s',
          circuit_breakers: { thresholds: [{ max_retries: 100 }] }, // by default 3 at once
          // A connection that is kept may end under a request, and then nobody knows whether it was received.
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              common_http_protocol_options: { max_requests_per_connection: 1 },
              explicit_http_config: { http_protocol_options: {} },
            },
          },
          load_assignment: {
            cluster_name: 'login',
            endpoints: [{ lb_endpoints: instances.map((at) => ({ endpoint: { address: address(at) } })) }],
          },
        },
      ],
    },
  })
}

test(
  'D5: who enrolled at one instance is asked for a code at the other, and a code works at one of them',
  options,
  async (t) => {
    const { one, two } = await startTwo(t)
    const { code } = await enrolledVisitor(one, 'member')
    for (let round = 0; round < 5; round += 1) {
      const people = [one, two, one, two].map((service) => new Visitor(service))
      for (const person of people) assert.equal((await person.logIn('member')).result, 'challenge')
      const now = code()
      const replies = await Promise.all(people.map((person) => person.secondStep('totp', now)))
      assert.deepEqual(replies.map(({ result }) => result).sort(), [
        'already_used',
        'already_used',
        'already_used',
        'verified',
      ])
      const winner = people[replies.findIndex(({ result }) => result === 'verified')]
      for (const { origin } of [one, two]) {
        winner.service = { origin }
        assert.equal((await winner.json('/api/me')).status, 200, 'the session is one of both instances')
      }
      one.advance(30)
    }
  },
)

test(
  'an instance that is killed among logins and pages: every request is answered, and nobody is logged out',
  options,
  async (t) => {
    const { one, both, counts } = await startTwo(t)
    const { visitor: reader, code } = await enrolledVisitor(both, 'member')
    const paths = ['/api/me', '/security', '/security/activity', '/']
    let reading = true
    /** The status of each page, until the end. */
    const read = async (person) => {
      const statuses = []
      for (let at = 0; reading; at += 1) statuses.push((await person.request('GET', paths[at % paths.length])).status)
      return statuses
    }
    const readers = Promise.all([reader.copy(), reader.copy(), reader.copy()].map(read))
    readers.catch(() => {}) // where the test has failed already

    const logIn = async (between) => {
      const person = new Visitor(both)
      const asked = await person.logIn('member')
      assert.deepEqual([asked.status, asked.result], [200, 'challenge'])
      await between?.()
      const shown = await person.secondStep('totp', code())
      assert.deepEqual([shown.status, shown.result], [200, 'verified'])
      assert.equal((await person.json('/api/me')).status, 200)
      both.advance(30)
      return person
    }
    const people = [await logIn(), await logIn()]
    await eventually(async () => assert.ok((await counts('rq_total')).every((count) => count > 20)))
    people.push(await logIn(() => one.stop('SIGKILL')))
    for (let more = 0; more < 4; more += 1) people.push(await logIn())
    await eventually(async () =>
      assert.ok((await counts('cx_connect_fail'))[0] > 3, 'Envoy still tries the killed one'),
    )
    reading = false

    for (const statuses of await readers) {
      assert.ok(statuses.length > 20)
      assert.deepEqual([...new Set(statuses)], [200])
    }
    for (const person of people) assert.equal((await person.json('/api/me')).status, 200, 'is still logged in')
    await one.start()
    const [before] = await counts('rq_success')
    await eventually(async () => {
      assert.equal((await reader.json('/api/me')).status, 200)
      assert.ok((await counts('rq_success'))[0] > before, 'the instance is used again')
    })
  },
)
