// The defects of stores, by name: why each matters, and how to mend it. A check says by `found` which one it met and in what.

/** Why a defect matters, and how it is mended. */
interface Defect {
  why: string
  mend: string
}

const TWO_WINNERS = 'each of them lets a user in, so that a code that works once works twice'
const ONE_STATEMENT =
  'compare and set in one statement (UPDATE … SET version = :new WHERE … AND version = :expected) and say whether it changed a row; do not read first and then write, take no lock that holds in one process only, and read a record and its version in one read. Without SQL: one transaction that reads the version, compares it and writes both, with the read inside it'

const DEFECTS = {
  'lost update': { why: `${TWO_WINNERS}, and a counted attempt is forgotten`, mend: ONE_STATEMENT },
  'two first saves': {
    why: `the second one replaces the first, and ${TWO_WINNERS}`,
    mend: 'a plain INSERT under a primary key on account and user; say false where the key is there already. Do not look first whether it is. Without SQL: a write on the condition that the key is not there, or one transaction with the look and the write inside it',
  },
  'overwritten first save': {
    why: 'two set-ups at once replace each other, and the factor of one user is lost',
    mend: 'a save without `expected` is a plain INSERT, never an upsert (ON CONFLICT DO UPDATE, REPLACE, ON DUPLICATE KEY UPDATE, SET without NX)',
  },
  'write where nothing is': {
    why: 'a deleted user comes back with the factors of before',
    mend: 'a save with `expected` is an UPDATE that names the version, never an upsert. Without SQL: compare the version in the transaction of the write, and say false where there is no record',
  },
  'true without a write': {
    why: 'the reply goes out and the step is not stored, so that the same code works again',
    mend: 'say true only where the driver reports one changed row; read the right field (affectedRows, changes, rowCount), and let an error through instead of making it true',
  },
  'write without true': {
    why: 'the engine takes the write for that of another: the user is told that the code was used already',
    mend: 'read the count of changed rows from the right field of the answer of the driver',
  },
  'no winner': {
    why: 'every login ends with the error `conflict`',
    mend: 'compare `expected` with the version as it is stored, and say true for the one row that changed',
  },
  'error on a lost race': {
    why: 'the user of a busy moment gets an error instead of a decision on the newest record',
    mend: 'say false where the error means that another writer was faster: a unique key that is there, a serialization failure, a deadlock',
  },
  'error taken for no record': {
    why: 'a user whose record cannot be read counts as one without a factor, and is let in by the password alone',
    mend: 'let the error of the driver through; give undefined only where the query has found no row',
  },
  'error taken for a lost race': {
    why: 'the engine takes it for a faster writer, and tries again and again on a database that is down. A write whose answer was lost is not known as landed',
    mend: 'say false only where another writer was faster; let each other error of the driver through',
  },
  error: { why: 'the engine needs an answer here', mend: 'see the cause of this error' },
  'wrong answer': {
    why: 'the engine refuses an answer of another form as `store_failed`',
    mend: '`load` gives { record: string, version: number } or undefined, and `save` true or false. Many drivers give a number of 64 bits as text or BigInt: convert it by Number()',
  },
  'repeated version': {
    why: 'a writer who saw the version before takes another record for the one that it read, and a used code works again',
    mend: 'give each write a new one by newVersion(), also the first of a user and one after a deletion',
  },
  'version of 32 bits': {
    why: 'small numbers return, by a cut, an overflow or a count that begins anew, and a used code then works again',
    mend: 'give each write newVersion(), which is random, and no count; give a column 64 bits (BIGINT, not INT)',
  },
  'counted version': {
    why: 'the count goes back with a restore and with a failover that lost the last writes. A writer who saw a number before then takes another record for the one that it read, and a used code works again',
    mend: 'give each write newVersion(), which is random. The revision of a database is a count as well',
  },
  'time as version': {
    why: 'two writes in one tick of the clock have one version, and a clock that is set back brings old ones again',
    mend: 'give each write newVersion()',
  },
  'inexact version': {
    why: 'two versions are taken for one, so that a writer replaces a record that it never read',
    mend: 'keep the version as a whole number of 64 bits; no REAL or FLOAT, and no text that a script makes of a double',
  },
  'stale read': {
    why: 'a decision rests on a record that is replaced already: a user with a new factor is let in without it, or a login fails',
    mend: 'read from the primary, without a cache, and outside of a transaction that still sees an older snapshot',
  },
  'record cut off': {
    why: 'the record cannot be read any more, and the user is shut out',
    mend: 'use a column of text without a limit below 64 KiB (TEXT, MEDIUMTEXT in MySQL; not VARCHAR(255))',
  },
  'record changed': {
    why: 'a record is opaque text: read back in another form it is not known as the one that was saved, and may not be readable',
    mend: 'use a column of plain text in UTF-8 (utf8mb4 in MySQL), not JSON or JSONB, and do not trim',
  },
  'ids taken for one': {
    why: 'one user has the factors of another, and opens that account',
    mend: 'compare ids byte by byte: a binary collation (COLLATE "C", utf8mb4_0900_bin, VARBINARY), bound parameters, and columns of 256 bytes or more; for one key use recordKey(id)',
  },
  'account ignored': {
    why: 'the same user in two accounts shares one record, so that the owner of one account resets the factors of the other',
    mend: 'make account and user two columns of the primary key, empty for no account, and name both in each statement; for one key use recordKey(id)',
  },
  'wrong deletion': {
    why: 'a deletion that does not compare takes away a newer record, with its used codes and spent attempts',
    mend: 'DELETE … WHERE … AND version = :expected, and say whether a row went',
  },
  'wrong list': {
    why: 'a user who is missing on the pages is missing in a move or a copy of the records',
    mend: 'page by the key: WHERE (account, user) > the last one of the page before, ORDER BY the same, no OFFSET; leave `next` out on the last page',
  },
  'wrong insertion': {
    why: 'an import replaces the record of a user who has one, or is told wrongly who was left out',
    mend: 'plain INSERTs; where one is there already, insert one by one, and answer in the given order',
  },
  'wrong revocation': {
    why: 'a pass that was ended opens the door again',
    mend: 'keep one row an entry, and of two the greater time, the greater epoch and the later `until` (max(old, new)), in one statement. Without SQL: one transaction that reads the old entry and writes the new one; no value that holds the whole list',
  },
} satisfies Record<string, Defect>

/** The name of a defect. */
export type StoreDefectName = keyof typeof DEFECTS

/** A defect of a store, as a failed check throws it. The message names it, and says why it matters and how to mend it. */
export class StoreDefect extends Error {
  override readonly name = 'StoreDefect'
  /** Its name. */
  readonly defect: StoreDefectName
  /** The observation that shows the defect, in words. */
  readonly seen: string

  constructor(defect: StoreDefectName, seen: string, cause?: unknown) {
    const { why, mend } = DEFECTS[defect]
    super(
      `${defect}: ${seen}.\nWhy it matters: ${why}.\nHow to mend it: ${mend}.`,
      cause === undefined ? undefined : { cause },
    )
    this.defect = defect
    this.seen = seen
  }
}

/** Throws a defect. */
export function found(defect: StoreDefectName, seen: string, cause?: unknown): never {
  throw new StoreDefect(defect, seen, cause)
}
