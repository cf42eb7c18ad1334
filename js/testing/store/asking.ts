// Asks a store, and holds its answers to their form.
import type { RecordId, Store, Stored } from '../../store.js'
import { found, StoreDefect } from './defects.js'

/** An instance of a store, with the end of its connection. */
export interface OpenStore {
  /** The store. */
  store: Store
  /** Ends its connection or pool. */
  close?: (() => unknown) | undefined
}

/** Opens an instance. */
export type OpenInstance = () => OpenStore | Promise<OpenStore>

/** Opens instances, and closes them after the work. */
export async function withInstances<T>(open: OpenInstance, count: number, work: (stores: Store[]) => Promise<T>) {
  const opened: OpenStore[] = []
  try {
    for (let at = 0; at < count; at += 1) opened.push(await open())
    return await work(opened.map(({ store }) => store))
  } finally {
    await Promise.all(opened.map(({ close }) => close?.()))
  }
}

/** A new part for ids, of 12 letters, so that a run finds nothing of an earlier one. */
export const fresh = (): string => `kit-${Math.random().toString(36).slice(2, 10).padEnd(8, '0')}`

/** The record as the store gives it. */
export async function load(store: Store, id: RecordId): Promise<Stored | undefined> {
  const answer: unknown = await answerOf('load', () => store.load({ ...id }))
  if (answer === undefined || answer === null) return undefined
  const { record, version } = answer as Partial<Stored>
  if (typeof record !== 'string') found('wrong answer', `the record that \`load\` gave is of type ${typeof record}`)
  if (!Number.isSafeInteger(version))
    found(
      'wrong answer',
      `the version that \`load\` gave is no whole number up to 2^53 - 1, but of type ${typeof version}`,
    )
  return { record, version: version as number }
}

/** How often a read that is behind is asked again, and the milliseconds between. */
const READS = { most: 20, apart: 25 }

/** Reads a record after its save, some times if need be. A record that comes late is a defect; another record in its place is none here. */
export async function readBack(store: Store, { id, record }: Saved): Promise<Stored | undefined> {
  let stored = await load(store, id)
  for (let read = 1; stored?.record !== record && read < READS.most; read += 1) {
    await new Promise((resolve) => setTimeout(resolve, READS.apart))
    stored = await load(store, id)
    if (stored?.record === record) found('stale read', `a record that was saved came only by read ${read + 1} after it`)
  }
  return stored
}

/** A record that was saved. */
export interface Saved {
  id: RecordId
  record: string
}

/** Whether the store says that it wrote. */
export async function save(store: Store, id: RecordId, record: string, expected?: number): Promise<boolean> {
  return booleanOf('save', await answerOf('save', () => store.save({ ...id }, record, expected)))
}

/** A save that must lose. It is no error that another one was faster. */
export async function saveLate(store: Store, id: RecordId, record: string, expected?: number): Promise<boolean> {
  try {
    return await save(store, id, record, expected)
  } catch (error) {
    if (!(error instanceof StoreDefect) || error.defect !== 'error') throw error
    return found('error on a lost race', `a save that came too late threw: ${messageOf(error.cause)}`, error.cause)
  }
}

/** The first save of a user, which must succeed. */
export async function saveFirst(store: Store, id: RecordId, record: string): Promise<Stored> {
  const saved = await save(store, id, record)
  const there = await readBack(store, { id, record })
  if (saved)
    return there ?? found('true without a write', 'a first save said true, and the same instance then found no record')
  if (there?.record === record) found('write without true', 'the first save of a user wrote the record and said false')
  return found('no winner', 'the first save of a new user said false, and nobody else was there')
}

/** A save at the version that was just loaded, which must succeed. */
export async function saveNext(store: Store, id: RecordId, record: string, expected: number): Promise<Stored> {
  const saved = await save(store, id, record, expected)
  const there = await readBack(store, { id, record })
  if (saved && there?.record === record) return there
  if (saved) found('true without a write', 'a save at the version that is stored said true and wrote nothing')
  if (there?.record === record)
    found('write without true', 'a save at the version that is stored wrote, and said false')
  return found(
    'inexact version',
    'a save that names the version as it was just loaded got false, and no other writer was there',
  )
}

/** An answer that must be true or false. */
export function booleanOf(name: string, answer: unknown): boolean {
  if (typeof answer !== 'boolean') found('wrong answer', `\`${name}\` gave a value of type ${typeof answer}`)
  return answer
}

/** The answer of a function of the store, which must not throw here. */
export async function answerOf<T>(name: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    return found('error', `\`${name}\` threw: ${messageOf(error)}`, error)
  }
}

/** The text of what was thrown. */
export const messageOf = (error: unknown): string => String((error as Error | undefined)?.message ?? error)
