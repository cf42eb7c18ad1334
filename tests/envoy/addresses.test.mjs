// The client's address: with no, one and two trusted proxies in front, and with forged x-forwarded-for.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { onEach, passed, policyWith, refused } from './support.mjs'

const networks = JSON.parse(readFileSync(new URL('../vectors/networks.json', import.meta.url), 'utf8'))
const OFFICE = '198.51.100.0/24'
const inside = { policy: policyWith({ network: { allow: [OFFICE, '2001:db8::/32'] } }) }
const hops = (trustedHops, more = inside) => ({
  hops: trustedHops,
  config: { clientAddress: { trustedHops }, debug: true, ...more },
})
const xff = (...values) => values.map((value) => ['x-forwarded-for', value])

const ipv6 = Object.values(networkInterfaces())
  .flat()
  .some(({ address }) => address === '::1')

// One listener for each list of networks, which answers for its members and their spellings.
const lists = Object.fromEntries(
  networks.membership.map(({ networks }, index) => [
    `list${index}`,
    hops(1, { policy: policyWith({ network: { allow: networks } }) }),
  ]),
)
const sameAs = Object.fromEntries(
  networks.spellings.flatMap(([first], index) => [
    [`allow${index}`, hops(1, { policy: policyWith({ network: { allow: [first] } }) })],
    [`deny${index}`, hops(1, { policy: policyWith({ network: { deny: [first] } }) })],
  ]),
)

await onEach(
  {
    listeners: {
      ...lists,
      ...sameAs,
      direct: hops(0),
      behindOne: hops(1),
      behindTwo: hops(2),
      // Envoy trusts a hop and the filter does not, and the other way round.
      envoyOnly: { hops: 1, config: { ...inside } },
      filterOnly: { hops: 0, config: { clientAddress: { trustedHops: 1 }, ...inside } },
      filterMore: { hops: 1, config: { clientAddress: { trustedHops: 2 }, ...inside } },
      here: hops(0, { policy: policyWith({ network: { allow: ['127.0.0.1'] } }) }),
      ...(ipv6 && {
        six: { address: '::1', ...hops(0, { policy: policyWith({ network: { allow: ['::1'] } }) }) },
        both: {
          address: '::',
          ...hops(0, { policy: policyWith({ network: { allow: ['127.0.0.1'], deny: ['::1'] } }) }),
        },
      }),
      everywhere: hops(1, { policy: policyWith({ network: { allow: ['0.0.0.0/0', '::/0'] } }) }),
      noRules: hops(1, { policy: policyWith() }),
      forced: hops(1, { policy: policyWith({ require: { networks: [OFFICE] } }), proof: 'as_policy' }),
    },
  },
  (gate, test) => {
    let pass
    const from = async (listener, ...list) =>
      gate.visit({ listener, pass: (pass ??= await gate.mint()), headers: xff(...list) })
    const reason = async (listener, ...list) => {
      const answer = await from(listener, ...list)
      return answer.status === 200 ? 'in' : (assert.equal(answer.status, 403, answer.text), answer.json.reason)
    }

    test('T24 without trusted hops, x-forwarded-for is not believed', async () => {
      for (const list of [
        [],
        ['198.51.100.7'],
        ['198.51.100.7, 198.51.100.8'],
        ['198.51.100.7', '198.51.100.8'],
        ['127.0.0.1'],
        ['garbage'],
        [''],
      ]) {
        assert.equal(await reason('direct', ...list), 'address_not_allowed', String(list))
        assert.equal(await reason('here', ...list), 'in', String(list))
      }
    })

    test('T24 behind one hop, the last entry but one counts, and no entry left of it', async () => {
      assert.equal(await reason('behindOne', '198.51.100.7'), 'in')
      assert.equal(await reason('behindOne', '203.0.113.1, 198.51.100.7'), 'in')
      assert.equal(await reason('behindOne', 'garbage, 198.51.100.7'), 'in')
      assert.equal(await reason('behindOne', '203.0.113.1', '198.51.100.7'), 'in')
      assert.equal(await reason('behindOne', '203.0.113.1'), 'address_not_allowed')
      assert.equal(
        await reason('behindOne', '198.51.100.7, 203.0.113.1'),
        'address_not_allowed',
        'written by the client',
      )
      assert.equal(
        await reason('behindOne', '198.51.100.7', '203.0.113.1'),
        'address_not_allowed',
        'written by the client',
      )
      for (const list of [
        [],
        ['garbage'],
        [''],
        ['198.51.100.7, garbage'],
        ['198.51.100.7,'],
        ['198.51.100.7, '],
        [','],
      ]) {
        assert.equal(await reason('behindOne', ...list), 'address_unknown', JSON.stringify(list))
      }
    })

    test('T24 behind two hops, the last entry but two counts', async () => {
      assert.equal(await reason('behindTwo', '198.51.100.7, 10.0.0.1'), 'in')
      assert.equal(await reason('behindTwo', '1.1.1.1, 198.51.100.7, 10.0.0.1'), 'in')
      assert.equal(await reason('behindTwo', '198.51.100.7', '10.0.0.1'), 'in')
      assert.equal(await reason('behindTwo', '198.51.100.7, 203.0.113.1, 10.0.0.1'), 'address_not_allowed')
      for (const list of [[], ['198.51.100.7'], ['garbage, 10.0.0.1'], ['198.51.100.7, garbage, 10.0.0.1']]) {
        assert.equal(await reason('behindTwo', ...list), 'address_unknown', JSON.stringify(list))
      }
    })

    test('T24 filter and Envoy disagree about the hops: the address is unknown and the request refused', async () => {
      for (const list of [
        [],
        ['198.51.100.7'],
        ['198.51.100.7, 198.51.100.8'],
        ['198.51.100.7, 198.51.100.7, 198.51.100.8'],
      ]) {
        assert.notEqual(await reason('filterOnly', ...list), 'in', JSON.stringify(list))
        assert.notEqual(await reason('filterMore', ...list), 'in', JSON.stringify(list))
      }
      // Here the filter takes Envoy's address, which comes from the hop that Envoy trusts.
      assert.equal(await reason('envoyOnly', '198.51.100.7'), 'in')
    })

    test('T24 an unknown address is refused only where a rule depends on it', async () => {
      assert.equal(await reason('noRules', 'garbage'), 'in')
      assert.equal(await reason('noRules'), 'in')
      assert.equal(await reason('everywhere', 'garbage'), 'address_unknown')
      assert.equal(
        await reason('forced', 'garbage'),
        'address_unknown',
        'it may be the network where a factor is forced',
      )
      refused(await gate.visit({ listener: 'forced', headers: xff('198.51.100.7') }), 401, 'no_pass', {
        explanation: {
          decision: { outcome: 'denied', reason: 'enrollment_required' },
          rules: ['forced_from_network', 'not_enrolled'],
        },
      })
      passed(await gate.visit({ listener: 'forced', headers: xff('203.0.113.7') }))
    })

    test('T25 the address has a port, and brackets in IPv6', async (t) => {
      assert.equal(await reason('behindOne', '2001:db8::7'), 'in')
      assert.equal(await reason('behindOne', '2001:db9::7'), 'address_not_allowed')
      if (!ipv6) return t.skip('this machine has no ::1')
      const six = (listener) => gate.visit({ listener, pass, address: '::1' })
      passed(await six('six'))
      // An IPv4 client on a socket of both kinds shows as ::ffff:127.0.0.1, an IPv6 client as itself.
      passed(await gate.visit({ listener: 'both', pass }))
      refused(await six('both'), 403, 'address_denied', {
        explanation: { decision: { outcome: 'denied', reason: 'address_denied' }, rules: ['deny_rule'] },
      })
    })

    test('T22 every spelling of an address gives one verdict', async () => {
      let count = 0
      for (const [index, spellings] of networks.spellings.entries()) {
        for (const spelling of spellings) {
          assert.equal(await reason(`allow${index}`, spelling), 'in', spelling)
          assert.equal(await reason(`deny${index}`, spelling), 'address_denied', spelling)
          count += 1
        }
      }
      assert.ok(count >= 20, String(count))
    })

    test('T22 the members of a network are in it, and their neighbours are not', async () => {
      let count = 0
      for (const [index, { inside, outside }] of networks.membership.entries()) {
        for (const ip of inside) assert.equal(await reason(`list${index}`, ip), 'in', ip)
        for (const ip of outside) assert.equal(await reason(`list${index}`, ip), 'address_not_allowed', ip)
        count += inside.length + outside.length
      }
      assert.ok(count >= 60, String(count))
    })

    test('T23 lax spellings are no addresses', async () => {
      const sendable = [...networks.notAddresses, ...networks.addressesWithPort].filter((text) => !/[\n\0]/.test(text))
      assert.ok(sendable.length >= 40)
      for (const text of sendable) {
        // As bytes. Blanks at the ends of a header are not part of its value.
        const bytes = Buffer.from(text).toString('latin1')
        if (text !== text.trim() || text.includes(',')) continue
        assert.equal(await reason('everywhere', bytes), 'address_unknown', JSON.stringify(text))
        assert.equal(await reason('everywhere', `192.0.2.1, ${bytes}`), 'address_unknown', JSON.stringify(text))
      }
    })
  },
)
