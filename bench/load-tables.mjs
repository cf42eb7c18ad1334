// The figures of load.mjs as tables, with their goals.

/** The number of users of the growth, as it is judged and drawn. */
export const TYPICAL = 10

/**
 * A figure: logins per second; milliseconds of a login, and of its second step.
 * @typedef {{ database: string, candidate: string, records: number, users: number, perSecond: number, p50: number, p99: number,
 *   second: number }} LoadFigure
 */

/**
 * Costs: statements of a login, bytes of a login in the server's log, bytes of a record with its index, records imported in a second.
 * @typedef {{ statements?: number, logged?: number, kept?: number, filled?: number }} Costs
 */

/**
 * A run: its figures, the costs by database and candidate, and the databases that were left out.
 * @typedef {{ figures: LoadFigure[], costs: Record<string, Record<string, Costs>>, left: string[] }} Load
 */

const number = (value) => value.toLocaleString('en', { maximumFractionDigits: 0 })
const milliseconds = (value) => `${value.toLocaleString('en', { maximumSignificantDigits: 3 })} ms`

/** The tables of the page. @param {Load} load */
export function loadTables({ figures, costs, left }) {
  const found = (wanted) =>
    figures.find((each) => Object.entries(wanted).every(([name, value]) => each[name] === value))
  const sizes = [...new Set(figures.map(({ records }) => records))]
  const [fewest, most] = [sizes[0], sizes.at(-1)]
  const candidates = [
    ...new Map(
      figures.map(({ database, candidate }) => [`${database} ${candidate}`, { database, candidate }]),
    ).values(),
  ]
  const users = [...new Set(figures.map((figure) => figure.users))]

  const rows = candidates.flatMap((each) =>
    users.map((count) => {
      const cells = [fewest, most].flatMap((records) => {
        const figure = found({ ...each, users: count, records })
        return figure === undefined
          ? ['', '', '']
          : [number(figure.perSecond), milliseconds(figure.p50), milliseconds(figure.p99)]
      })
      return [`${each.candidate}, ${each.database}`, String(count), ...cells]
    }),
  )
  const peers = candidates.filter(({ candidate }) => candidate !== 'countersign')
  const beside = peers.flatMap(({ database, candidate }) =>
    users.map((count) => {
      const largest = Math.max(
        ...figures
          .filter((each) => each.candidate === candidate && each.database === database)
          .map(({ records }) => records),
      )
      const [own, other] = ['countersign', candidate].map((name) =>
        found({ database, candidate: name, users: count, records: largest }),
      )
      return [
        `${candidate}, ${database}`,
        String(count),
        number(largest),
        `${(own.perSecond / other.perSecond).toFixed(1)} ×`,
        milliseconds(own.second),
        milliseconds(other.second),
        `${(other.second / own.second).toFixed(1)} ×`,
      ]
    }),
  )
  const grown = candidates
    .filter(({ candidate }) => candidate === 'countersign')
    .map(({ database, candidate }) => {
      const [few, many] = [fewest, most].map((records) => found({ database, candidate, users: TYPICAL, records }))
      return { database, p50: many.p50 / few.p50, p99: many.p99 / few.p99 }
    })
  const costRows = Object.entries(costs).flatMap(([database, all]) =>
    Object.entries(all)
      .filter(([, each]) => Object.keys(each).length > 0)
      .map(([candidate, { statements, logged, kept, filled }]) => [
        `${candidate}, ${database}`,
        ...[statements, logged, kept, filled].map((value) => (value === undefined ? '' : number(value))),
      ]),
  )
  return [
    {
      title: 'Logins on each store',
      picture: 'load',
      head: [
        '',
        'users at once',
        ...[fewest, most].flatMap((records) => [`${number(records)} records: logins/s`, 'p50', 'p99']),
      ],
      rows,
      notes: [
        'One Node.js process and its server share the processors. A login of ours is `begin` and `verify`; one of better-auth, `signInEmail` and `verifyTOTP`, also reads the password, which is compared and not hashed here, and writes a session. The people who log in are spread over the records, and each code is new; better-auth takes a code again. Each server writes to the disk before it answers (`fsync`, `appendfsync always`). In memory, better-auth searches its rows one by one, and so has the smallest size alone.',
        ...(left.length > 0 ? [`Left out, because the server is not installed: ${left.join(', ')}.`] : []),
      ],
    },
    {
      title: 'The same login at better-auth',
      head: [
        'to',
        'users at once',
        'records',
        'logins/s, ours to theirs',
        'second step, ours',
        'theirs',
        'theirs to ours',
      ],
      rows: beside,
      notes: loadVerdicts({ peers, beside, grown }),
    },
    {
      title: 'The cost of a login and of a record',
      head: [
        '',
        'statements in a login',
        'bytes in the log, each login',
        'bytes kept, each record',
        'records imported in a second',
      ],
      rows: costRows,
      notes: [
        'Of ours, `begin` sends one statement, and `verify` four, of which two are sent at once: the record and the revocation list are read together, and the list is read again while the record is written. So no step waits for the database more than twice, which was the goal; a test in `tests/node/revocation.test.mjs` counts it. Redis counts two that come at once as one. A record has an app and ten backup codes, and is 1.6 kB of text; its index and the free space of the pages are counted too. An import is `insertMany` with 1,000 records.',
      ],
    },
  ]
}

/** Logins of ours through PostgreSQL: the head and the rows of a table. @param {Load} load @returns {[string[], string[][]]} */
export function growingLines({ figures }) {
  const own = figures.filter(({ candidate, database }) => candidate === 'countersign' && database === 'PostgreSQL')
  const rows = own.map(({ records, users, perSecond, p50, p99 }) => [
    number(records),
    String(users),
    number(perSecond),
    milliseconds(p50),
    milliseconds(p99),
  ])
  return [['records', 'users at once', 'logins in a second', 'p50', 'p99'], rows]
}

/** The goals, and whether they are met. */
function loadVerdicts({ peers, beside, grown }) {
  const slowest = Math.min(...beside.map(([, , , ratio]) => Number.parseFloat(ratio)))
  const inMemory = Math.min(
    ...beside.filter(([name]) => name.endsWith('memory')).map(([, , , ratio]) => Number.parseFloat(ratio)),
  )
  const judged = (is) => (is ? 'met' : 'missed; [DESIGN.md](../DESIGN.md) says why')
  const worst = (name) => grown.reduce((a, b) => (b[name] > a[name] ? b : a))
  const [p50, p99] = [worst('p50'), worst('p99')]
  return [
    ...(peers.length > 0
      ? [
          `Goal: as many logins in a second as better-auth on each database, and 5 × as many in memory. The least are ${slowest.toFixed(1)} ×: ${judged(slowest >= 1)}; in memory ${inMemory.toFixed(1)} ×: ${judged(inMemory >= 5)}.`,
        ]
      : []),
    `Goal: from the fewest to the most records the median grows by at most 20 %, and the p99 to at most twice (${TYPICAL} users at once). The most that they grow is ${p50.p50.toFixed(2)} × (${p50.database}): ${judged(p50.p50 <= 1.2)}; and ${p99.p99.toFixed(2)} × (${p99.database}): ${judged(p99.p99 <= 2)}.`,
  ]
}
