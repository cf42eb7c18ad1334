// The texts for the owners of an account, in English: users, policy and audit.

import { html } from '../html.js'

const plural = (count, one, many) => (count === 1 ? one : many)

const number = (count) => new Intl.NumberFormat('en-AU').format(count)

export default {
  owners: {
    title: 'Users',
    lead: 'Someone new, or someone without their phone and backup codes, gets in with a recovery code from you.',
    search: 'Search by e-mail address',
    searchButton: 'Search',
    showAll: 'Show all',
    count: (count) => plural(count, 'One person.', `${number(count)} people.`),
    found: (count, text) =>
      count === 0
        ? `Nobody’s e-mail address holds “${text}”.`
        : plural(
            count,
            `One person’s e-mail address holds “${text}”.`,
            `The e-mail addresses of ${number(count)} people hold “${text}”.`,
          ),
    pages: {
      label: 'Pages',
      previous: 'Previous page',
      next: 'Next page',
      of: (page, pages) => `Page ${number(page)} of ${number(pages)}`,
    },
    people: 'People',
    columns: { person: 'Person', factor: 'Second factor', login: 'Login', help: 'Help' },
    you: 'you',
    and: ' and ',
    noFactor: 'None',
    codesLeft: (left) => plural(left, 'One backup code left', `${left} backup codes left`),
    login: {
      in: 'Can log in',
      set_up: 'Can log in',
      code: 'Recovery code made',
      out: 'Shut out',
      setsUp: 'Sets up a second factor at the next login.',
      codeUntil: (time) => html`Gets in with the recovery code, until ${time}.`,
      reasons: {
        address: (ip) =>
          html`The last login with the password came from <code>${ip}</code>, from where nobody may log in.`,
        enrollment_required: 'Has no second factor, and the policy asks for one.',
        enrollment_required_somewhere: 'Has no second factor, and the policy asks for one in some networks.',
        no_usable_method: 'Has a second factor, but none that the policy allows.',
        reset: 'Was reset: only a recovery code lets them in.',
        stopped: 'Too many wrong codes: only a recovery code lets them in.',
        locked: (time) => html`Wrong codes were typed: no code of their own is taken until ${time}.`,
      },
    },
    needsFactor:
      'To make recovery codes for others, you need a second factor of your own. After the set-up you come back here.',
    onlyOwner: 'You are the only owner: nobody here can make a code for you. Keep your backup codes.',
    askAnother: 'Another owner can make a code for you.',
    codeAlive: (time) => html`One is good until ${time}; a new one replaces it.`,
    issue: 'Generate recovery code',
    forPerson: (email) => ` for ${email}`,
    reset: 'Reset…',
    resetWarning: (email) =>
      `For when somebody else may have this person’s phone or login. All apps, phones and backup codes of ${email} are removed, and all their browsers are logged out. Then only a recovery code lets them in: you get it on the next page, to hand over in person.`,
    resetPassword: 'If somebody else may know the password, ask the person to change it too.',
    resetButton: 'Reset this person',
    code: {
      title: 'Recovery code',
      lead: (email, time) => html`For ${email}, once, until ${time}.`,
      wasReset: (email) =>
        `${email} was reset: all second factors are gone, and all browsers are logged out. Only this code lets them in.`,
      replaced: 'A code was made for this person before. This newer one replaces it: the earlier one no longer works.',
      theCode: 'the code',
      onlyHere: 'It is shown only here, for ten minutes. Hand it over in person or by phone, never by e-mail or SMS.',
      steps: 'What they do with it',
      step1: 'Log in with e-mail address and password.',
      step2: 'Choose “Use backup code”, then “Use recovery code”, and type it.',
      step2Asked: 'Type the recovery code where it is asked for.',
      step3: 'Set up a second factor right away. Without one, they need another code next time.',
      over: (email) =>
        `The recovery code for ${email} was shown once, and is shown no more. If they do not have it, generate a new one: it replaces the earlier one.`,
    },
    clients: {
      title: 'API clients',
      lead: 'Programs cannot type a code. Where a second factor is asked for, only a rule for their address lets them in.',
      columns: { client: 'Client', lastSeen: 'Last seen at', now: 'Now' },
      never: 'never',
      notKnown: 'Not known until it first calls',
      in: 'Gets in',
      blocked: 'Blocked',
      denied: html`It comes from a network that is <a href="/policy#deny">never let in</a>.`,
      admit: (rule) => `Admit from ${rule}`,
      admitted: 'Admitted. The rule is for API clients only: people come and go as before.',
    },
  },

  policy: {
    title: 'Policy',
    saved: 'Saved. It holds at once, for open sessions too.',
    isDraft: 'This is your draft. Nothing is saved yet.',
    hasDraft: 'You have a draft that is not saved.',
    goOn: 'Go on with it',
    discard: 'Discard it',
    see: 'See what this changes',
    /** The names of the settings, here and on the Audit page. */
    legends: {
      require: 'Who must have a second factor',
      roles: 'People with one of these roles',
      firstFactor: 'How people without a second factor get one',
      name: 'Name of this account',
    },
    require: {
      optional: { label: 'Nobody: each person decides', about: 'People without one log in with their password.' },
      everyone: { label: 'Everyone', about: 'How people without one get it, you choose next.' },
      some: { label: 'Some people', about: 'You choose next whom: by network or by role.' },
    },
    roles: { owner: 'Owners', member: 'Members' },
    firstFactor: {
      recovery_code: {
        label: 'Only with a recovery code',
        about: 'An owner makes one for each of them, under Users.',
      },
      password: {
        label: 'By themselves when they log in',
        about:
          'Only people who never had one, and never logged in with a recovery code. Anyone who knows such a person’s password can do it too; you are told each time.',
      },
    },
    network: 'From where people and API clients may log in',
    youAreAt: (ip) => html`You are at <code>${ip}</code> now.`,
    lists: {
      networks: {
        title: 'People who come from these networks',
        hint: 'Such as a guest network.',
        place: 'In “People who come from these networks”',
      },
      outside: {
        title: 'People who come from outside these networks',
        hint: 'Such as everywhere but your office.',
        place: 'In “People who come from outside these networks”',
      },
      allow: {
        title: 'Allow only these networks',
        hint: 'Empty: from everywhere. People come only from here, and API clients too, unless the next list admits them. A network here also lets API clients in where a second factor is asked for.',
        place: 'In the allowed networks',
      },
      api: {
        title: 'API clients from these networks',
        hint: 'They need no second factor, and may come from outside the allowed networks. People are not concerned.',
        place: 'In the networks of API clients',
      },
      deny: {
        title: 'Never these networks',
        hint: 'It beats both lists above.',
        place: 'In the networks to keep out',
      },
    },
    howTo:
      'To add networks, type or paste them, one a line: a network, an address, or a range such as 192.0.2.10 – 192.0.2.20. Text after # is a note, and “until 2027-12-31” before it is the last day.',
    row: {
      network: 'Network',
      note: 'Note',
      on: (network) => `on ${network}`,
      until: 'Last day',
      ifItEnds: (network) => `of ${network}, if it ends`,
      ended: 'Ended',
      remove: 'Remove',
    },
    networks: 'Networks',
    addNetworks: 'Add networks',
    add: 'Add',
    addTo: (title) => ` to: ${title}`,
    apps: 'In people’s authenticator apps',
    nameHint: 'Shown in the app above each code, and in each SMS. Apps that are set up already keep the old name.',
    sample:
      'The QR code is a sample: what an app shows after scanning it, with your own e-mail address. It logs nobody in.',
    /** The mistake in a form: the place, the network where it is one, and a sentence of `wrong`. */
    wrongAt: (place, network, said) => html`${place}${network && html`, <code>${network}</code>`}: ${said}`,
    wrong: {
      network: 'this is no network. Write one such as 203.0.113.0/24 or 2001:db8::/32, or a single address.',
      networkWithMore: (network) =>
        html`this is one address in a network. Write <code>${network}</code> for all of the network, or the address without “/”.`,
      note: 'the note is too long, or is no plain text. Write at most 200 characters on one line.',
      until: 'the last day is none. Write it such as 2027-12-31.',
      name: 'write 1 to 40 letters, digits and common signs, without a colon: every phone must be able to show the name in an SMS.',
      noRule: 'choose a role or a network, or choose one of the other answers.',
      other: 'choose one of the answers.',
    },
    review: {
      title: 'Before you save',
      setsUpAuthor: html`This includes you: once it is saved, you log in again and set up a second factor of your own before you go on. <a href="/security">Set it up first</a>; this draft is kept.`,
      /** Another policy was saved since the draft was begun. */
      outdated: {
        by: (email, time) => html`${email} saved another policy after you began, on ${time}.`,
        bySelf: (time) => html`You saved another policy in another window, on ${time}.`,
        unknown: 'Another policy was saved after you began.',
        look: html`If you save yours, it takes the place of that one: <a href="/policy">look at it first</a>; this draft is kept.`,
      },
      locksOutAuthor: 'You would shut yourself out.',
      authorAt: {
        address_denied: (ip) => html`You are at <code>${ip}</code>, in a network that is never let in.`,
        address_not_allowed: (ip) => html`You are at <code>${ip}</code>, outside the allowed networks.`,
      },
      setUpFirst: 'Set up a second factor for yourself first, under Security.',
      locksOutOwners: 'No owner could log in any more.',
      ownersHelp: {
        address: 'Let in the network of an owner.',
        factor: 'Let an owner set up a second factor first.',
        either: 'Let in the network of an owner, or let another owner set up a second factor first.',
      },
      noRescue:
        'People would need a recovery code, and no owner could make one. Let an owner set up a second factor first.',
      forgotten: {
        'network.allow': (family) => `Nobody gets in over ${family}: the allowed networks hold no such address.`,
        'network.api': (family) =>
          `API clients that come over ${family} are not admitted: their list holds no such address.`,
        'network.deny': (family) =>
          `Everyone still gets in over ${family}: the networks to keep out hold no such address.`,
        'require.networks': (family) =>
          `People who come over ${family} are not asked: the networks hold no such address.`,
        'require.outside': (family) => `Everyone who comes over ${family} is asked: the networks hold no such address.`,
      },
      facts: {
        secondFactor: 'Second factor',
        first: 'Without a second factor',
        allow: 'Allowed networks',
        api: 'API clients from',
        deny: 'Never',
        name: 'Name in apps',
      },
      everywhere: 'everywhere',
      noApi: 'no network of their own',
      noDeny: 'none',
      withRoles: (roles) => html`people with the role ${roles}`,
      from: (networks) => html`people from ${networks}`,
      fromOutside: (networks) => html`people from outside ${networks}`,
      and: ', and ',
      or: ' or ',
      until: (time) => html` until ${time}`,
      ended: (time) => html` ended ${time}`,
      settings: 'Settings',
      otherSettings: (count) =>
        plural(count, 'One other setting stays as it is.', `${number(count)} other settings stay as they are.`),
      noSetting: 'All settings are as they are saved already.',
      added: 'Added:',
      removed: 'Removed:',
      clean: 'Nobody is shut out by this.',
      /** How people and API clients stand, before and after. */
      states: {
        in: 'gets in',
        set_up: 'sets up a second factor at the next login',
        code: 'needs a recovery code',
        out: 'shut out',
      },
      needCode: {
        title: 'These people will need a recovery code',
        about: 'They have no second factor that works. Make each of them a code under Users when they want to log in.',
      },
      setUp: {
        title: 'These people will set up their first second factor when they log in',
        about: 'Their password alone is enough for that. You are told each time.',
      },
      blocked: {
        title: 'These people will be shut out',
        about: 'The address where they were last seen is the reason. A second factor does not help them.',
      },
      /** Why a person does not just get in: by the rule about the address, or by the one that asks for a second factor. */
      reasons: {
        address_denied: (ip) => html`<code>${ip}</code> is in a network that is never let in.`,
        address_not_allowed: (ip) => html`<code>${ip}</code> is outside the allowed networks.`,
        forced_for_everyone: 'Everyone is asked for a second factor.',
        forced_for_role: 'This role is asked for a second factor.',
        forced_from_network: (ip) =>
          html`Last seen at <code>${ip}</code>, in a network where a second factor is asked for.`,
        forced_outside_networks: (ip) =>
          html`Last seen at <code>${ip}</code>, outside the networks where no second factor is asked for.`,
        forced_somewhere: 'A second factor is asked for in some networks.',
        under_any_rules: 'Was reset, or has no second factor that works: so it is under any rules.',
      },
      freed: {
        title: 'These people get in again',
        about: 'After their password, and their second factor if they have one.',
      },
      more: (count) => `and ${number(count)} more`,
      unchanged(people, clients) {
        const counts = [
          people > 0 && plural(people, 'one person', `${number(people)} people`),
          clients > 0 && plural(clients, 'one API client', `${number(clients)} API clients`),
        ]
        return `Nothing changes for ${counts.filter(Boolean).join(' and ')}.`
      },
      clients: {
        blocked: {
          title: 'These API clients will be shut out',
          about: 'A network under “API clients from these networks” lets programs in, and changes nothing for people.',
        },
        freed: { title: 'These API clients get in again', about: 'The rules for their addresses are enough.' },
        reasons: {
          api_client_blocked: 'A second factor is asked for, and a program cannot show one.',
          address_not_allowed: 'Its address is outside the allowed networks.',
          address_denied: 'Its address is in a network that is never let in.',
          address_unknown: 'It was never seen, so its address is not known.',
        },
        byRule: (rule) => html`A rule for <code>${rule}</code> would admit it.`,
        addAddress: 'Add the address it calls from to the networks of API clients.',
        admitOne: (id) => `Admit ${id} and look again`,
        admitAll: 'Admit these clients and look again',
      },
      force: 'I know that this locks us out. Save it all the same.',
      refused: 'Nothing was saved. Change the policy, or tick the box at the end of this page.',
      save: 'Save',
      change: 'Change it',
      back: 'Back without saving',
    },
  },

  audit: {
    title: 'Audit',
    lead: 'What happened with logins and second factors, newest first.',
    none: 'Nothing has happened yet.',
    noneFound: 'Nothing was found. Check what you typed, leave some fields empty, or show all.',
    filter: {
      label: 'Search events',
      person: 'E-mail address or client',
      kind: 'What happened',
      anyKind: 'Anything',
      from: 'From the day',
      to: 'To the day',
      days: (zone) => `Days and times are those of ${zone}.`,
      daysOfUtc: (today) => `Days and times are those of UTC, where it is ${today} now.`,
      address: 'IP address or network',
      button: 'Search',
      all: 'Show all',
      wrongAddress:
        'This is no IP address and no network. Write one such as 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32.',
      wrongDay: 'This is no day. Write it such as 2027-12-31.',
      wrongOrder: 'The last day is before the first one.',
    },
    table: 'Events',
    columns: { when: 'When', who: 'Who', what: 'What', details: 'Details' },
    pages: 'Pages',
    older: 'Older events',
    newest: 'Newest events',
    export: {
      title: 'Export',
      lead: 'All events of this search, as a file. Times in the file are UTC.',
      csv: 'CSV, for a spreadsheet',
      jsonl: 'JSON lines',
      ocsf: 'OCSF, for a SIEM',
      tooMany: (most) => `These are more than ${number(most)} events. Choose fewer days, and export them in parts.`,
    },
    quoted: (text) => `“${text}”`,
    notSet: 'not set',
    more: (count) => `and ${number(count)} more`,
    before: (name) => `formerly “${name}”`,
    movedFrom: (user) => `from the user ${user}`,
    movedTo: (user) => `to the user ${user}`,
    factors: (names) => `with ${names}`,
    /** The name of each action that can be refused. */
    actions: {
      verify: 'log in by a code',
      send_sms: 'send an SMS',
      enroll_totp: 'set up an app',
      enroll_sms: 'set up a phone',
      rename: 'rename an app or phone',
      remove: 'turn off a second factor',
      remove_trusted_browser: 'remove a trusted browser',
      renew_backup_codes: 'make backup codes',
      show_backup_codes: 'show backup codes',
      confirm_backup_codes: 'confirm backup codes',
      issue_recovery_code: 'make a recovery code',
      reset: 'reset a user',
    },
  },
}
