// Events as those of the Open Cybersecurity Schema Framework, version 1.8.0 (https://schema.ocsf.io/1.8.0): Authentication (3002)
// for logins, Account Change (3001) for what changes a person's factors, Entity Management (3004) for the policy. What the schema
// has no place for is in `unmapped`.

const version = '1.8.0'

const classes = { authentication: 3002, accountChange: 3001, entityManagement: 3004 }

const classNames = { 3001: 'Account Change', 3002: 'Authentication', 3004: 'Entity Management' }

const activityNames = {
  3001: { 3: 'Password Change', 6: 'Delete', 10: 'MFA Factor Enable', 11: 'MFA Factor Disable', 99: 'Other' },
  3002: { 1: 'Logon', 2: 'Logoff', 99: 'Other' },
  3004: { 3: 'Update' },
}

const statuses = { success: [1, 'Success'], failure: [2, 'Failure'] }

const severities = { informational: [1, 'Informational'], low: [2, 'Low'], medium: [3, 'Medium'], high: [4, 'High'] }

const login = (activity, status, severity = 'informational') => ({
  class: classes.authentication,
  activity,
  status,
  severity,
})

const change = (activity, status = 'success', severity = 'informational') => ({
  class: classes.accountChange,
  activity,
  status,
  severity,
})

/** The class, activity, status and severity of each kind of event. A status in other words is one that OCSF calls Other. */
export const mapping = {
  login_allowed: login(1, 'success'),
  // A logon that is not over: it must not count as one.
  login_challenged: login(99, 'Second factor asked for'),
  login_set_up: login(99, 'First second factor asked for'),
  login_denied: login(1, 'failure', 'low'),
  sms_sent: login(99, 'success'),
  sms_refused: login(99, 'failure', 'low'),
  sms_never_left: login(99, 'failure', 'low'),
  code_accepted: login(1, 'success'),
  code_refused: login(1, 'failure', 'low'),
  code_repeated: login(1, 'failure', 'low'),
  attempt_while_locked: login(1, 'failure', 'medium'),
  trusted_browser_refused: login(99, 'failure', 'low'),
  trusted_browser_copied: login(99, 'failure', 'high'),
  signed_out_everywhere: login(2, 'success'),

  setup_code_refused: change(10, 'failure'),
  enrollment_started: change(99),
  factor_added: change(10),
  first_factor_by_password: change(99, 'success', 'medium'),
  factor_renamed: change(99),
  factor_removed: change(11, 'success', 'low'),
  browser_trusted: change(99),
  trusted_browser_removed: change(99),
  backup_codes_made: change(99),
  backup_codes_shown: change(99),
  backup_codes_confirmed: change(99),
  recovery_code_issued: change(99, 'success', 'medium'),
  recovery_code_issued_by_operator: change(99, 'success', 'medium'),
  recovery_code_replaced: change(99),
  recovery_code_withdrawn: change(99),
  recovery_code_ended: change(99),
  reset: change(11, 'success', 'medium'),
  reset_by_operator: change(11, 'success', 'medium'),
  password_changed: change(3),
  moved_here: change(99, 'success', 'low'),
  moved_away: change(99, 'success', 'low'),
  erased: change(6, 'success', 'low'),
  totp_imported: change(10, 'success', 'low'),
  export_started: change(99, 'success', 'high'),
  secrets_exported: change(99, 'success', 'high'),
  refused: change(99, 'failure', 'low'),

  // Of this service: `ownEvents` in outbox.js.
  wrong_password: login(1, 'failure', 'low'),
  sessions_ended: login(2, 'success'),

  policy_changed: { class: classes.entityManagement, activity: 3, status: 'success', severity: 'medium' },
}

/** The factor of each method. OCSF has no type for the last three. */
const factors = {
  totp: { factor_type_id: 7, factor_type: 'OTP', is_totp: true },
  sms: { factor_type_id: 1, factor_type: 'SMS' },
  backup_code: { factor_type_id: 99, factor_type: 'Backup code' },
  recovery_code: { factor_type_id: 99, factor_type: 'Recovery code' },
  trusted_browser: { factor_type_id: 99, factor_type: 'Trusted browser' },
}
const password = { factor_type_id: 11, factor_type: 'Password' }

/** One event a line. `describe` tells an event to a person. */
export const ocsfLinesOf = (events, context) =>
  events.map((event) => `${JSON.stringify(ocsfOf(event, context))}\n`).join('')

function ocsfOf(event, { nameOf, describe, account }) {
  const { event: kind, user, at, ip, by, operator, method, reason, times, since = at, account: _, ...rest } = event
  const { class: uid, activity, status, severity } = mapping[kind]
  const { what, details } = describe(event)
  const [statusId, statusName] = statuses[status] ?? [99, status]
  const [severityId, severityName] = severities[severity]
  const person = personOf(user, nameOf)
  const actor = by === undefined ? operator && { name: operator } : personOf(by, nameOf)
  return {
    category_uid: 3,
    category_name: 'Identity & Access Management',
    class_uid: uid,
    class_name: classNames[uid],
    activity_id: activity,
    activity_name: activityNames[uid][activity],
    type_uid: uid * 100 + activity,
    status_id: statusId,
    status: statusName,
    ...(reason !== undefined && { status_code: reason }),
    severity_id: severityId,
    severity: severityName,
    // Of equal events that were counted as one, `time` is that of the first.
    time: since * 1000,
    ...(times > 1 && { count: times, start_time: since * 1000, end_time: at * 1000 }),
    message: details === '' ? what : `${what}: ${details}`,
    metadata: {
      version,
      product: { name: 'Countersign', vendor_name: 'Countersign' },
      event_code: kind,
      tenant_uid: account.id,
    },
    ...(ip !== undefined && { src_endpoint: { ip } }),
    ...particulars(uid, { kind, method, person, actor, account }),
    unmapped: { ...rest, ...(method !== undefined && { method }) },
  }
}

/** The attributes that only some classes have. */
function particulars(uid, { kind, method, person, actor, account }) {
  const factor = method !== undefined && factors[method]
  switch (uid) {
    case classes.authentication: {
      const isPasswordOnly = kind === 'login_allowed' || kind === 'wrong_password'
      const shown = isPasswordOnly ? password : factor
      return {
        user: person,
        service: { name: account.name },
        auth_protocol_id: 99,
        auth_protocol: isPasswordOnly ? 'Password' : 'Password and second factor',
        is_mfa: !isPasswordOnly,
        is_remote: true,
        ...(shown && { auth_factors: [shown] }),
      }
    }
    case classes.entityManagement:
      return { actor: { user: person }, entity: { type_id: 5, type: 'Policy', uid: account.id, name: account.name } }
    default:
      return { user: person, actor: { user: actor ?? person }, ...(factor && { auth_factors: [factor] }) }
  }
}

/** A user of the schema: a person by e-mail address, a program or a person who is no more by id. */
function personOf(id, nameOf) {
  const name = nameOf(id)
  return { uid: id, ...(name !== undefined && (name.includes('@') ? { name, email_addr: name } : { name })) }
}
