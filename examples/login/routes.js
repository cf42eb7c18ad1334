// Every route of the service. Each has two renderings of one use-case: a page, and JSON under /api.
//
// `access`: open        anyone
//           session     anyone with a session, even before the second step
//           challenge   a session that must take the second step
//           set_up      a session that must set up a first factor
//           caller      a person fully logged in, or an API client
//           person      a person fully logged in
//           owner       as `person`, and an owner of the account
// `page`: the page that holds the form, for someone who must log in first or whose form is out of date.

const get = (path, access, act) => ({ method: 'GET', path, api: `/api${path}`, access, act })
const post = (path, access, act, page) => ({ method: 'POST', path, api: `/api${path}`, access, act, page })

/** The set-up of an app and of a phone, at a login or in the settings. */
const setUpSteps = (home, access) => [
  get(`${home}/totp`, access, 'totpSetUp'),
  post(`${home}/totp`, access, 'startTotp', home),
  post(`${home}/totp/confirm`, access, 'confirmTotp', `${home}/totp`),
  get(`${home}/sms`, access, 'smsSetUp'),
  post(`${home}/sms`, access, 'startSms', home),
  post(`${home}/sms/confirm`, access, 'confirmSms', `${home}/sms`),
]

export const routes = [
  { ...get('/login', 'open', 'loginForm'), api: null },
  post('/login', 'open', 'logInWithPassword', '/login'),
  { ...post('/api/token', 'open', 'logInAsClient', '/login'), path: null, api: '/api/token' },
  get('/outbox', 'open', 'outbox'),
  { ...post('/language', 'open', 'setLanguage', '/'), api: null },

  post('/logout', 'session', 'logOut', '/'),

  get('/login/second-step', 'challenge', 'secondStepForm'),
  post('/login/second-step', 'challenge', 'secondStep', '/login/second-step'),
  post('/login/second-step/sms', 'challenge', 'sendLoginSms', '/login/second-step'),
  { ...get('/login/arrival', 'person', 'arrival'), api: null },

  get('/login/set-up', 'set_up', 'setUpForm'),
  ...setUpSteps('/login/set-up', 'set_up'),

  { ...get('/', 'caller', 'home'), api: '/api/me' },

  get('/security', 'person', 'security'),
  get('/security/activity', 'person', 'activity'),
  ...setUpSteps('/security', 'person'),
  post('/security/rename', 'person', 'renameFactor', '/security'),
  post('/security/remove', 'person', 'removeMethod', '/security'),
  get('/security/backup-codes', 'person', 'showBackupCodes'),
  get('/security/backup-codes/new', 'person', 'newBackupCodes'),
  post('/security/backup-codes/renew', 'person', 'renewBackupCodes', '/security'),
  post('/security/backup-codes/confirm', 'person', 'confirmBackupCodes', '/security'),
  post('/security/backup-codes/download', 'person', 'downloadBackupCodes', '/security'),
  post('/security/browsers/remove', 'person', 'removeTrustedBrowser', '/security'),
  post('/security/password', 'person', 'changePassword', '/security?go=password'),
  post('/security/sessions/end-others', 'person', 'logOutElsewhere', '/security'),
  { ...get('/confirm', 'person', 'freshFactorForm'), api: null },
  post('/security/fresh-factor', 'person', 'startFreshFactor', '/security'),

  get('/users', 'owner', 'users'),
  { ...get('/users/recovery-code', 'owner', 'recoveryCode'), api: null },
  post('/users/recovery-code', 'owner', 'issueRecoveryCode', '/users'),
  post('/users/reset', 'owner', 'resetUser', '/users'),
  post('/users/admit-client', 'owner', 'admitClient', '/users'),
  get('/policy', 'owner', 'policy'),
  // A person sees what a change does before it is saved; a program reads it in the reply.
  { ...post('/policy', 'owner', 'submitPolicy', '/policy'), api: null },
  { ...post('/api/policy', 'owner', 'changePolicy', '/policy'), path: null, api: '/api/policy' },
  post('/policy/draft', 'owner', 'draftPolicy', '/policy'),
  { ...get('/policy/review', 'owner', 'policyReview'), api: null },
  get('/audit', 'owner', 'audit'),
  { ...get('/audit/export', 'owner', 'exportAudit'), api: null },
]

/** Whether an address is a page of this service. A login may lead on to a page of another one behind the same host. */
export const isOwnPage = (address) =>
  routes.some(({ method, path }) => method === 'GET' && path === address.split(/[?#]/)[0])
