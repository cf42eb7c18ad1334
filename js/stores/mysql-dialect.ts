// MySQL and MariaDB: their tables, their statements and their errors.
import { type Dialect, textOf } from './sql-store.js'
import type { Catalog } from './sql-tables.js'

/**
 * Nothing was written: a row that is there already, a deadlock, and a row that has changed since a transaction began (MariaDB with
 * `innodb_snapshot_isolation`). A lock that is not had in time (1205) is none of them: its holder hangs, and a hundred more tries of
 * 50 seconds each would not help.
 */
const FASTER = [1062, 1213, 1020]

/** MySQL, and MariaDB. */
export const MYSQL: Dialect = {
  name: 'MySQL',
  // Bytes have no collation, so that no two ids are equal, whatever that of the database: not by case, accents or spaces at the end.
  schema: (table) => [
    `CREATE TABLE IF NOT EXISTS ${table} (
  account VARBINARY(256) NOT NULL,
  user_id VARBINARY(256) NOT NULL,
  record MEDIUMTEXT CHARACTER SET utf8mb4 NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (account, user_id)
) ENGINE = InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${table}_revoked (
  kind VARBINARY(256) NOT NULL,
  account VARBINARY(256) NOT NULL,
  id VARBINARY(256) NOT NULL,
  value VARBINARY(256) NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (kind, account, id),
  INDEX by_end (until)
) ENGINE = InnoDB`,
  ],
  // Readers of Aurora have innodb_read_only alone. Newer versions of MariaDB give read_only as a text.
  unfit: () =>
    `CASE
       WHEN CONCAT(@@global.read_only) NOT IN ('0', 'OFF') OR @@global.innodb_read_only THEN 'replica'
       WHEN NOT @@autocommit THEN 'autocommit'
       WHEN CONCAT(@@character_set_client, @@character_set_connection, @@character_set_results) <> 'utf8mb4utf8mb4utf8mb4'
         THEN 'charset'
       WHEN @@sql_mode LIKE '%EMPTY_STRING_IS_NULL%' THEN 'empty'
     END`,
  // Entries may come in any order. MariaDB does not know the newer form of MySQL without VALUES.
  keep: (list) =>
    `INSERT INTO ${list} (kind, account, id, value, until) VALUES (?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE value = GREATEST(value, VALUES(value)), until = GREATEST(until, VALUES(until))`,
  failure(error) {
    const errno = (error as { errno?: unknown } | null)?.errno
    if (errno === 1146) return 'missing'
    return FASTER.includes(errno as number) ? 'faster' : 'unknown'
  },
}

/** Bytes, or text whose collation compares all of its bytes: other ones named `_bin` ignore spaces at the end. */
const isIdType = (type: string): boolean => {
  const [, length] =
    /^varbinary\((\d+)\)$/.exec(type) ?? /^varchar\((\d+)\) utf8mb4_(?:0900|nopad)_bin$/.exec(type) ?? []
  return Number(length ?? 0) >= 256
}

/** The tables as they are. */
export const MYSQL_CATALOG: Catalog = {
  async find(send, table) {
    const columns = await send(
      `SELECT column_name AS name, CONCAT_WS(' ', column_type, collation_name) AS type
       FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?`,
      [table],
    )
    const keys = await send(
      `SELECT GROUP_CONCAT(column_name ORDER BY column_name) AS parts
       FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0
       GROUP BY index_name HAVING COUNT(sub_part) = 0`,
      [table],
    )
    const engines = await send(
      `SELECT engine AS engine FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?`,
      [table],
    )
    if (columns.rows.length === 0) return undefined
    const types = (columns.rows as Record<'name' | 'type', unknown>[]).map(({ name, type }): [string, string] => [
      textOf(name),
      textOf(type).toLowerCase(),
    ])
    const others = (engines.rows as { engine: unknown }[])
      .map(({ engine }) => textOf(engine))
      .filter((engine) => engine.toLowerCase() !== 'innodb')
    return {
      types: new Map(types),
      keys: (keys.rows as { parts: unknown }[]).map(({ parts }) => textOf(parts)),
      faults: others.map(
        (engine) => `${table} has the engine ${engine}, and must have InnoDB: run ALTER TABLE ${table} ENGINE = InnoDB`,
      ),
    }
  },
  types: { id: 'VARBINARY(256)', record: 'MEDIUMTEXT CHARACTER SET utf8mb4', whole: 'BIGINT' },
  fits: {
    id: isIdType,
    record: (type) => /^(?:medium|long)(?:blob$|text utf8mb4_)/.test(type),
    whole: (type) => type.startsWith('bigint'),
  },
  alter: (table, column, type) => `ALTER TABLE ${table} MODIFY ${column} ${type} NOT NULL`,
  // CREATE TABLE IF NOT EXISTS waits for another one.
  isRace: () => false,
}
