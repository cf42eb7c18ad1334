// The page of a refusal that has no page of its own.

import { html } from '../html.js'
import { layout } from './parts.js'

export function errorPage(reply, context) {
  const { errors, layout: words } = context.words
  return layout(
    { not_found: errors.notFound, ended_here: errors.endedHere }[reply.result] ?? errors.notPossible,
    { ...context, told: reply },
    html`<p><a href="/">${words.home}</a></p>`,
    { narrow: context.entry === undefined },
  )
}
