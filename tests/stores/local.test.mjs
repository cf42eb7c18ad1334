// The stores that need no server.
import Database from 'better-sqlite3'
import { memoryStore } from 'countersign'
import { sqliteStore } from 'countersign/stores/sqlite'
import { storeContract } from './contract.mjs'

storeContract('memoryStore', memoryStore)
storeContract('sqliteStore', () => sqliteStore(new Database(':memory:')))
