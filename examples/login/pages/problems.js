// The page of a refusal that has no page of its own.

import { html } from '../html.js'
import { layout } from './parts.js'

export function errorPage(reply, context) {
  const { errors, layout: words } = context.words
  return layout(
    reply.result === 'not_found' ? errors.notFound : errors.notPossible,
    { ...context, told: reply },
    html`<p><a href="/">${words.home}</a></p>`,
    { narrow: context.entry === undefined },
  )
}
