// The texts in English. A function gets the values that stand in its text.

import { html } from '../html.js'
import owners from './en-owners.js'
import problems from './en-problems.js'

const plural = (count, one, many) => (count === 1 ? one : many)

export default {
  name: 'English',
  /** For dates and times, as `Intl` knows it. */
  locale: 'en-AU',

  layout: {
    error: (title) => `Error: ${title}`,
    skip: 'Skip to the content',
    account: 'Account',
    security: 'Security',
    users: 'Users',
    policy: 'Policy',
    audit: 'Audit',
    logOut: 'Log out',
    cancel: 'Cancel',
    language: 'Language',
    demo: 'Demo',
    copy: 'Copy',
    /** The button beside a password. */
    show: 'Show',
    tryNow: 'You can try now.',
    /** For the scripts, which fill the braces. */
    scripts: {
      copied: 'Copied',
      copiedAloud: 'Copied.',
      selected: 'Selected. Copy it with the keyboard.',
      notYet: 'Not yet: another code can be sent in a moment.',
      possibleNow: '{label}: possible now.',
      waits: 'in {time}',
      left: '{time} left.',
    },
    continue: 'Continue',
    back: 'Back',
    backToSecurity: 'Back to Security',
    backToUsers: 'Back to Users',
    home: 'Home',
    newTab: '(opens in a new tab)',
    methods: {
      totp: 'Authenticator app',
      sms: 'SMS',
      backup_code: 'Backup code',
      recovery_code: 'Recovery code',
      trusted_browser: 'Trusted browser',
    },
  },

  login: {
    title: 'Log in',
    email: 'E-mail address',
    password: 'Password',
    button: 'Log in',
    demo: 'Log in as…',
    roles: { owner: 'owner', member: 'member' },
    setUpFirst: {
      title: 'A second factor is needed',
      lead: 'The page that you opened needs a second factor, and you have not set one up. Set one up now; then you can go on to that page.',
      button: 'Set up a second factor',
    },
  },

  secondStep: {
    title: 'Second step',
    confirm: 'Confirm',
    another: 'Another way',
    ask: {
      totp: (digits) => `Open your authenticator app and type the ${digits} digits that it shows.`,
      sms: (digits) => `Type the ${digits} digits from the SMS.`,
      backup_code: 'Type one of the ten codes that you kept when you set up your second factor. It works once.',
      recovery_code:
        'Type your recovery code. An owner of your account makes one for you, under Users; it works once, within an hour.',
    },
    label: {
      totp: 'Code from your authenticator app',
      sms: 'Code from the SMS',
      backup_code: 'One of your backup codes',
      recovery_code: 'Recovery code from an owner of the account',
    },
    use: {
      totp: 'Use the authenticator app',
      sms: 'Use SMS',
      backup_code: 'Use backup code',
      recovery_code: 'Use recovery code',
    },
    digits: { 6: 'six', 7: 'seven', 8: 'eight' },
    sentAt: { 6: 'sixth', 7: 'seventh', 8: 'eighth' },
    sendsItself: (ordinal) => `It is sent as soon as the ${ordinal} digit is in.`,
    digitsTitle: (digits) => `${digits} digits`,
    notSaved:
      'You have not said that you saved these codes. If you do not have them, use another way, and then make new ones under Security.',
    ownOnly:
      'Here a code from your app or phone is needed. A backup code is not enough, so that one lost code does not give away the others.',
    phoneLost: html`If you no longer have your phone, <a href="/security?go=lost">put a new app in its place</a>: a backup code is enough for that.`,
    trust: (days) => `Trust this browser for ${days} days`,
    trustHint: 'It then asks for no code. Only on a device that nobody else uses.',
    canSend: (hint) => `We can send a code to ${hint}.`,
    send: 'Send me a code',
    sendAgain: 'Send another code',
    hasOne: 'I have a code already',
    sent: (hint) => `We sent a code to ${hint}.`,
    readSms: 'Read the SMS in the outbox',
    againAt: (time) => html`You can ask for another code at ${time}.`,
  },

  /** The sentence for each success that the next page tells. */
  done: {
    factor_added: 'It is set up: from now on it logs you in as well.',
    factor_replaced: 'The new one is set up and keeps the name. The old one logs you in no longer.',
    factor_shown: 'Confirmed. Go on with it below.',
    renamed: 'The new name is saved.',
    removed: (name) => `“${name}” is turned off.`,
    trusted_browser_removed: 'That browser is trusted no longer: it asks for a code at the next login.',
    codes_saved: 'Good: you have your backup codes. Use one when you do not have your phone.',
    password_changed:
      'Your password is changed. You are logged out in all other browsers, and none is trusted any longer.',
    logged_out_elsewhere: 'All other browsers are logged out.',
    logged_out_and_untrusted: 'All other browsers are logged out. No browser is trusted any longer, this one included.',
  },

  arrival: {
    title: 'You are logged in',
    /** By the method of the login, and the factors that the person has. */
    backup_code: {
      none: 'You logged in with a backup code.',
      app: 'You logged in with a backup code. If you no longer have your phone, set up your app on the new one now: codes from the old one then stop working.',
      phone: 'You logged in with a backup code. If your number has changed, set up the new one now.',
    },
    recovery_code: {
      none: 'You logged in with a recovery code. Set up two-factor authentication now: otherwise you need another recovery code next time.',
      app: 'You logged in with a recovery code. If you no longer have your phone, set up your app on the new one now: otherwise you need another recovery code next time.',
      phone:
        'You logged in with a recovery code. If your number has changed, set up the new one now: otherwise you need another recovery code next time.',
    },
    goOn: { none: 'Set it up', app: 'Move to another phone', phone: 'Change number' },
    codesLeft: (left) =>
      left === 0
        ? 'That was your last backup code. Make a new set now: without your phone you could not log in any more.'
        : plural(
            left,
            'One backup code is left. Make a new set now, and keep it.',
            `${left} backup codes are left. Make a new set soon, and keep it.`,
          ),
    newSet: 'Make a new set',
    later: 'Later: go on',
  },

  freshFactor: {
    title: 'Confirm it is you',
    lead: 'You are logged in, but this needs a code from your second factor. It is asked for again after five minutes.',
    first: 'For this, confirm first that it is you.',
    ownForOthers:
      'To make a code for somebody else, confirm by your app or phone. A backup code is not enough for this.',
  },

  home: {
    welcome: (email) => `Welcome, ${email}`,
    passwordOnly: html`Your login is protected by a password only. <a href="/security">Set up two-factor authentication</a>; it takes a minute.`,
    isAsked: html`This account asks everyone for a second factor: after you log out, you cannot log in without one. <a href="/security">Set it up now</a>.`,
    unsavedCodes:
      'You have not said that you saved your backup codes. Without them you cannot log in when your phone is lost.',
    lead: {
      owner: (account) => `You are an owner of ${account}.`,
      member: (account) => `You are a member of ${account}.`,
    },
    security: 'Your second factor and your backup codes',
    users: 'Who has a second factor; recovery codes; API clients',
    policy: 'Who needs a second factor, and from where',
    audit: 'What happened, when and from where',
  },

  security: {
    title: 'Security',
    on: 'On',
    off: 'Off',
    isOn: 'Two-factor authentication is on: your password alone does not log anybody in.',
    isOff: 'Two-factor authentication is off. Set up one of these: with it, a stolen password is not enough.',
    isOffAndAsked: 'Two-factor authentication is off. This account asks everyone for it: set it up before you log out.',
    notInPlan:
      'Two-factor authentication is not part of your plan. Ask an owner of the account for a plan that includes it.',
    stopped: html`Too many wrong codes were typed for your login: only a recovery code from an owner lets you log in again. If that was not you, <a href="/security?go=password">change your password</a>.`,
    lockedUntil: (time) =>
      html`Wrong codes were typed for your login, so no code is taken until ${time}. If that was not you, <a href="/security?go=password">change your password</a>.`,
    pending: { totp: 'A set-up of an app is open.', sms: 'A set-up of SMS is open.' },
    pendingGoOn: 'Go on with it',
    added: 'Added',
    lastUsed: 'Last used',
    atSetUp: 'at set-up',
    /** The names of new ones, with a number where there are more. */
    newNames: { totp: 'Authenticator app', sms: 'Phone' },
    rename: 'Rename…',
    renameButton: 'Rename',
    newName: 'Name',
    turnOff: 'Turn off…',
    lastOfEveryone:
      'This account asks everyone for a second factor, and this is your only one. Set up another one first; then you can turn this one off.',
    lastOne: 'This is your only second factor. Without it your password alone logs you in, and your backup codes end.',
    oneOfMany: (name) => `From then on “${name}” logs you in no longer.`,
    turnOffButton: { totp: 'Turn off the app', sms: 'Turn off SMS' },
    here: 'This browser',
    /** For somebody without their phone: how to go on. */
    lost: {
      totp: 'Find the app that is on the lost phone, and press “Move to another phone” below its name. Codes from the lost phone then stop working.',
      sms: 'Find the number that you no longer have, and press “Change number” below it. No code then goes to the old number.',
    },
    app: {
      title: 'Authenticator app',
      isOn: 'A code from your app is asked for when you log in.',
      isOff:
        'An app on your phone shows a new code every half minute. It needs no network, and no message that could be intercepted. Our recommendation.',
      setUp: 'Set up the app',
      move: 'Move to another phone',
      add: 'Add another app',
    },
    sms: {
      title: 'SMS',
      isOn: 'A code comes to your mobile when you ask for it at login.',
      isOff: 'A code comes to your mobile when you ask for it at login. For Australian mobile numbers.',
      setUp: 'Set up SMS',
      change: 'Change number',
      add: 'Add another number',
      number: 'Australian mobile number',
      numberHint: 'Such as 0412 345 678, or +61 412 345 678',
      send: 'Send code',
    },
    codes: {
      title: 'Backup codes',
      left: (left, total) => `${left} of ${total} left`,
      lead: 'For when you do not have your phone. Each logs you in once.',
      few: 'Few are left: make a new set and keep it.',
      notSaved: 'You have not said that you saved these codes. If you do not have them, show them and keep them.',
      notSavedAndHidden: 'You have not said that you saved these codes. If you do not have them, make a new set.',
      made: 'Made',
      show: 'Show codes',
      showHint: '“Show codes” may ask for a code from your app or phone.',
      renew: 'Make a new set…',
      renewHint:
        'Your old codes stop working at once, on every paper and in every file. Keep the new ones in their place.',
      renewButton: 'Make ten new codes',
    },
    browsers: {
      title: 'Trusted browsers',
      lead: 'After the password they are asked for no code. A change of your second factor ends the trust.',
      until: 'Trusted until',
      remove: 'Trust no longer',
    },
    password: {
      title: 'Password',
      lead: 'A new password logs you out in all other browsers, and ends the trust of browsers.',
      change: 'Change password…',
      current: 'Current password',
      next: 'New password',
      hint: (least) => `At least ${least} characters. A few words in a row are good.`,
      button: 'Change password',
    },
    sessions: {
      title: 'Where you are logged in',
      unknownBrowser: 'A browser',
      lastSeen: 'Last seen',
      since: 'Since',
      from: (ip) => html`from <code>${ip}</code>`,
      endOthers: 'Log out elsewhere',
      endOthersHint:
        'Logging out elsewhere also ends the trust of browsers, so that none of them comes back without a code.',
      onlyHere: 'You are logged in nowhere else.',
    },
    activity: 'Your activity',
    activityLead: 'What happened with your login and your second factor.',
  },

  firstFactor: {
    title: 'Set up a second factor',
    lead: 'This account asks for a second factor, and you have none yet. Set one up now; then you are logged in.',
    beginBy: (time) => html`Begin by ${time}, or log in again.`,
  },

  setUpApp: {
    title: 'Set up your app',
    isOn: 'Your app is set up already. Nothing is left to do here.',
    takesPlaceOf: (name) =>
      `This takes the place of “${name}”: once you have typed the code below, the old one logs nobody in. If your app then shows two entries for this account, use the newest and remove the other.`,
    get: 'Get an app',
    apps: html`Google Authenticator for <a href="https://apps.apple.com/app/google-authenticator/id388497605" rel="noreferrer">iPhone</a>
or <a href="https://play.google.com/store/apps/details?id=com.google.android.apps.authenticator2" rel="noreferrer">Android</a>, or any other
authenticator that you use already.`,
    scan: 'Scan this with the app',
    qr: 'QR code for the authenticator app',
    onThisDevice: (uri) => html`The app is on this device? <a href="${uri}">Open it there</a>`,
    key: 'Or choose “Enter a setup key” in the app, and type this:',
    theKey: 'the key',
    type: 'Type the code that it shows',
    label: 'Code from your app',
    button: 'Turn on',
    open: (email, time) => html`Begun for ${email}; open until ${time}. Nothing is on before the code is right.`,
    over: 'The set-up timed out. Begin again, and scan the new code with your app.',
    none: 'No set-up is open here. Begin a new one.',
    again: 'Begin again',
  },

  setUpSms: {
    title: 'Set up SMS',
    isOn: 'SMS is set up already. Nothing is left to do here.',
    takesPlaceOf: (name) =>
      `This takes the place of “${name}”: once you have typed the code, no code goes to the old number.`,
    label: 'Code from the SMS',
    button: 'Turn on',
    sent: (number, time) => html`We sent a code to ${number}. It is good until ${time}.`,
    another: 'Another number',
    anotherFrom: (time) =>
      html`You can send a code to another number from ${time} on: there must be half a minute between two SMS.`,
    over: 'That code is no longer valid. Send a new one.',
  },

  codes: {
    isOn: 'Two-factor authentication is on',
    loggedIn: 'You are logged in',
    yours: 'Your backup codes',
    fresh: 'Your new backup codes',
    first: 'From now on you need a code to log in. One thing is left: keep your backup codes.',
    lead: 'Each of these backup codes logs you in once, when you do not have your phone. Keep them like a password, and not on that phone.',
    sheet: 'Backup codes',
    made: (account, email, time) => html`${account} · ${email} · made ${time}`,
    used: 'used',
    madeOn: (day) => `Made ${day}`,
    paper: 'Each code works once. A new set makes these useless.',
    download: 'Download as text',
    print: 'Print',
    theCodes: 'the codes',
    printHint: 'To print them, use the browser’s own Print: only the codes come on the paper.',
    saved: 'I have saved them',
    over: 'These codes are no longer shown here. Show them under Security, or make a new set.',
  },

  activity: {
    title: 'Your activity',
    lead: (count) => plural(count, 'The last event.', `The last ${count} events, newest first.`),
    none: 'Nothing has happened yet.',
    table: 'Events',
    when: 'When',
    what: 'What',
    details: 'Details',
    wasYou: html`Was one of these not you? <a href="/security?go=password">Change your password</a>: that also logs you out everywhere else.`,
    times: (count) => `${count} times`,
    by: (name) => `by ${name}`,
    from: (ip) => `from ${ip}`,
    lastFrom: (ip) => `the last from ${ip}`,
    inARow: (count) => `${count} wrong in a row`,
  },

  outbox: {
    title: 'Outbox',
    lead: 'For this demo only: it stands for the phones and mail boxes of everybody. A real service sends these through its SMS gateway and its mail server.',
    again: 'Look again',
    empty: 'Nothing was sent yet.',
    sms: 'SMS to',
    mail: 'Mail to',
  },

  errors: { notFound: 'Not found', notPossible: 'Not possible', endedHere: 'Logged out on this site' },

  problems,

  /** Why something was refused, in the words of a list. */
  reasons: {
    address_denied: 'from a network that is never let in',
    address_not_allowed: 'from a network that is not allowed',
    address_unknown: 'from an unknown address',
    enrollment_required: 'no second factor set up',
    api_client_blocked: 'a program cannot take the second step',
    no_usable_method: 'no second factor that can be used',
    recovery_code_required: 'only a recovery code lets in',
    move_under_way: 'being moved to another account',
    plan: 'not in the plan',
    method_not_offered: 'method not offered',
    number_invalid: 'no mobile number',
    number_not_allowed: 'number not allowed',
    number_enrolled: 'number set up already',
    too_many_factors: 'no room for another one',
    not_enrolled: 'not set up',
    fresh_factor_required: 'not confirmed just before',
    owner_only: 'for owners only',
    not_for_oneself: 'not for oneself',
    too_often: 'too often',
    operator_only: 'for the operator only',
    not_kept: 'codes are not kept',
    ticket_invalid: 'login no longer open',
    other_session: 'begun in another window',
    ticket_expired: 'too late',
  },

  /** Why no SMS was sent, in the words of a list. */
  smsReasons: {
    cooldown: 'the last one was sent just before',
    budget: 'as many as the person can get for now',
    too_many_attempts: 'too many wrong codes',
    number_budget: 'as many as the number can get for now',
    count_failed: 'a failure on our side',
  },

  /** The sentence for each kind of event, on the pages of activity and audit. */
  events: {
    login_allowed: 'Logged in, no second factor asked',
    login_challenged: 'Password right, second factor asked',
    login_set_up: 'Password right, first factor to be set up',
    login_denied: 'Login refused',
    sms_sent: 'SMS sent',
    sms_refused: 'SMS refused',
    sms_never_left: 'SMS not sent: the gateway refused it',
    code_accepted: 'Code accepted',
    code_refused: 'Wrong code',
    code_repeated: 'Used code typed again',
    setup_code_refused: 'Wrong code at a set-up',
    attempt_while_locked: 'Code refused while locked out',
    enrollment_started: 'Set-up begun',
    factor_added: 'Second factor added',
    first_factor_by_password: 'First second factor set up by the password alone',
    factor_renamed: 'App or phone renamed',
    factor_removed: 'Second factor turned off',
    browser_trusted: 'Browser trusted',
    trusted_browser_refused: 'Trusted browser refused',
    trusted_browser_copied: 'Copy of a trusted browser used, trust ended',
    trusted_browser_removed: 'Trusted browser removed',
    backup_codes_made: 'Backup codes made',
    backup_codes_shown: 'Backup codes shown',
    backup_codes_confirmed: 'Backup codes saved, by the person’s word',
    recovery_code_issued: 'Recovery code made',
    recovery_code_issued_by_operator: 'Recovery code made by the operator',
    reset_by_operator: 'Second factor reset by the operator',
    recovery_code_replaced: 'Recovery code replaced, unused',
    recovery_code_withdrawn: 'Recovery code withdrawn, unused',
    recovery_code_ended: 'Recovery code ended, unused',
    password_changed: 'Password changed',
    signed_out_everywhere: 'Logged out everywhere',
    moved_here: 'Second factor moved here by the operator',
    moved_away: 'Second factor moved away by the operator',
    erased: 'User erased by the operator',
    totp_imported: 'App of the earlier system imported by the operator',
    export_started: 'Export of secrets begun by the operator',
    secrets_exported: 'Secrets of the apps exported by the operator',
    reset: 'User reset: second factors removed',
    policy_changed: 'Policy changed',
    refused: 'Change refused',
    wrong_password: 'Wrong password',
    sessions_ended: 'Logged out in all other browsers',
  },

  /** The text of an SMS: one segment of 160 characters of the GSM 7-bit alphabet. */
  sms: ({ code, name, minutes }) => `${code} is your ${name} code, valid ${minutes} min. Give it to no one.`,

  mails: {
    // By the names that these pages have.
    notices: {
      'step.sessions':
        'A new password has logged out all other browsers. If your security settings still show “Log out elsewhere”, press it.',
    },
    passwordChanged: ({ service, when, ip, origin }) => ({
      subject: `Your password for ${service} was changed`,
      text: `Your password for ${service} was changed on ${when}, from the address ${ip}.

If this was you, there is nothing to do.

If this was not you:
1. Log in: ${origin}/login
   If your password no longer works, go on with step 3.
2. Press “Log out elsewhere”, then choose a new password, both under Security:
   ${origin}/security
3. Ask an owner of your account, or support, at once to reset you, and for a new password.
   Owners find “Reset” under Users:
   ${origin}/users
`,
    }),
  },

  ...owners,
}
