// A database that several processes share: the file that the environment names.
import Database from 'better-sqlite3'

export const openFile = () => new Database(process.env.COUNTERSIGN_STORE_FILE)
