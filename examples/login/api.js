// The JSON rendering: the reply as JSON, with the HTTP status of its result. Pages use the same status.

const statuses = {
  error: 400,
  malformed: 400,
  wrong: 401,
  already_used: 401,
  expired: 401,
  wrong_password: 401,
  denied: 403,
  not_found: 404,
  policy_refused: 409,
  policy_outdated: 409,
  locked: 429,
  throttled: 429,
  sms_refused: 429,
  ended_here: 503,
}

/** Status of a refusal that comes before any use-case. */
const denials = { login_required: 401, second_factor_required: 401 }

export function statusOf(reply) {
  return denials[reply.reason] ?? statuses[reply.result] ?? 200
}

export function sendJson(response, reply) {
  response.status(statusOf(reply)).json(reply)
}
