// The progress of a long command, on the standard error: a line that is written anew on a terminal, and a line now and then in a log.

/** Tells a state, at most so often as people and logs want it. */
export class Progress {
  readonly #isTerminal = process.stderr.isTTY === true
  #next = performance.now() + FIRST
  #isShown = false

  /** `words` is called only where the state is shown. */
  tell(words: () => string): void {
    if (performance.now() < this.#next) return
    this.#next = performance.now() + (this.#isTerminal ? ON_TERMINAL : IN_LOG)
    process.stderr.write(this.#isTerminal ? `\r\x1b[K${words()}` : `${words()}\n`)
    this.#isShown = true
  }

  /** Takes the line of a terminal away, before something else is written. */
  clear(): void {
    if (this.#isTerminal && this.#isShown) process.stderr.write('\r\x1b[K')
  }
}

/** Milliseconds before the first state, and between two. */
const [FIRST, ON_TERMINAL, IN_LOG] = [1_000, 250, 10_000]
