// Every route of the service. Each has two renderings of one use-case: a page, and JSON under /api.
//
// `access`: open        anyone
//           session     anyone with a session, even before the second step
//           challenge   a session that must take the second step
//           set_up      a session that must set up a first factor
//           caller      a person fully logged in, or an API client
//           person      a person fully logged in
//           owner       as `person`, and an owner of the account

export const routes = [
  { method: 'GET', path: '/login', api: null, access: 'open', act: 'loginForm' },
  { method: 'POST', path: '/login', access: 'open', act: 'logInWithPassword' },
  { method: 'POST', path: null, api: '/api/token', access: 'open', act: 'logInAsClient' },
  { method: 'GET', path: '/outbox', access: 'open', act: 'outbox' },

  { method: 'POST', path: '/logout', access: 'session', act: 'logOut' },

  { method: 'GET', path: '/login/second-step', access: 'challenge', act: 'secondStepForm' },
  { method: 'POST', path: '/login/second-step', access: 'challenge', act: 'secondStep' },
  { method: 'POST', path: '/login/second-step/sms', access: 'challenge', act: 'sendLoginSms' },

  { method: 'GET', path: '/login/set-up', access: 'set_up', act: 'setUpForm' },
  { method: 'POST', path: '/login/set-up/totp', access: 'set_up', act: 'startTotp' },
  { method: 'POST', path: '/login/set-up/totp/confirm', access: 'set_up', act: 'confirmTotp' },
  { method: 'POST', path: '/login/set-up/sms', access: 'set_up', act: 'startSms' },
  { method: 'POST', path: '/login/set-up/sms/confirm', access: 'set_up', act: 'confirmSms' },

  { method: 'GET', path: '/', api: '/api/me', access: 'caller', act: 'home' },

  { method: 'GET', path: '/security', access: 'person', act: 'security' },
  { method: 'POST', path: '/security/totp', access: 'person', act: 'startTotp' },
  { method: 'POST', path: '/security/totp/confirm', access: 'person', act: 'confirmTotp' },
  { method: 'POST', path: '/security/sms', access: 'person', act: 'startSms' },
  { method: 'POST', path: '/security/sms/confirm', access: 'person', act: 'confirmSms' },
  { method: 'POST', path: '/security/rename', access: 'person', act: 'renameFactor' },
  { method: 'POST', path: '/security/remove', access: 'person', act: 'removeMethod' },
  { method: 'POST', path: '/security/backup-codes/show', access: 'person', act: 'showBackupCodes' },
  { method: 'POST', path: '/security/backup-codes/renew', access: 'person', act: 'renewBackupCodes' },
  { method: 'POST', path: '/security/backup-codes/confirm', access: 'person', act: 'confirmBackupCodes' },
  { method: 'POST', path: '/security/backup-codes/download', access: 'person', act: 'downloadBackupCodes' },
  { method: 'POST', path: '/security/fresh-factor', access: 'person', act: 'startFreshFactor' },

  { method: 'GET', path: '/users', access: 'owner', act: 'users' },
  { method: 'POST', path: '/users/recovery-code', access: 'owner', act: 'issueRecoveryCode' },
  { method: 'POST', path: '/users/admit-client', access: 'owner', act: 'admitClient' },
  { method: 'GET', path: '/policy', access: 'owner', act: 'policy' },
  { method: 'POST', path: '/policy', access: 'owner', act: 'changePolicy' },
  { method: 'POST', path: '/policy/draft', access: 'owner', act: 'draftPolicy' },
  { method: 'GET', path: '/audit', access: 'owner', act: 'audit' },
].map((route) => ({ api: `/api${route.path}`, ...route }))
