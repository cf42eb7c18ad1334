/**
 * Carries out the tasks in their order, at most `most` at once. Each waits until no other holds what it holds, such as a folder, and one
 * that waits lets later ones pass. `work` never rejects.
 * @template {{ holds?: string[] }} Task
 * @param {Task[]} tasks
 * @param {number} most
 * @param {(task: Task) => Promise<void>} work
 */
export async function sideBySide(tasks, most, work) {
  const waiting = [...tasks]
  const held = new Set()
  /** The next task that nothing stops. */
  const take = () => {
    const index = waiting.findIndex(({ holds = [] }) => !holds.some((name) => held.has(name)))
    return index < 0 ? undefined : waiting.splice(index, 1)[0]
  }
  const running = new Map()
  for (;;) {
    while (running.size < most) {
      const task = take()
      if (task === undefined) break
      for (const name of task.holds ?? []) held.add(name)
      const ended = work(task).then(() => {
        for (const name of task.holds ?? []) held.delete(name)
        running.delete(task)
      })
      running.set(task, ended)
    }
    if (running.size === 0) return
    await Promise.race(running.values())
  }
}
