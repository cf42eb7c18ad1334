// The mails that notices make: every kind, for user and owners, in every language; names and texts of any kind.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { noticeText } from 'countersign/notices'
import { host, login, refusedWith, ticketOf, withApp } from './support.mjs'

const at = 1_795_817_220 // 27 November 2026, 22:07 UTC
const ip = '203.0.113.7'
const url = 'https://acme.example/security'
const names = { userName: 'ann@acme.example', ownerName: 'Olga Petrova' }

const app = { method: 'totp', name: 'Pixel 9' }
const left = { method: 'backup_code', backupCodesLeft: 7 }

/**
 * Mail → the fields of its notice, and by language: title, a part of what happened, the facts before time and address, the
 * sentence where all is well, the heading of the steps, their number, and a part of one of them.
 */
const MAILS = {
  'factor_added.user': [
    app,
    {
      en: [
        'A second factor was added to your login',
        'set up for your login at Acme. From now on, logins can be confirmed with it.',
        ['Second factor: authenticator app', 'Name: Pixel 9'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'remove each one that is not yours',
      ],
      de: [
        'Für Ihre Anmeldung wurde ein zweiter Faktor eingerichtet',
        'Ab jetzt lassen sich Anmeldungen damit bestätigen.',
        ['Zweiter Faktor: Authenticator-App', 'Name: Pixel 9'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'entfernen Sie jeden, der nicht von Ihnen stammt',
      ],
    },
  ],
  'first_factor_by_password.user': [
    { method: 'sms' },
    {
      en: [
        'Your second factor was set up at a login',
        'Your password was enough to set it up',
        ['Second factor: code by SMS'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        3,
        'Tell an owner of your account or Acme support at once. With a recovery code',
      ],
      de: [
        'Ihr zweiter Faktor wurde bei einer Anmeldung eingerichtet',
        'Dafür genügte Ihr Passwort',
        ['Zweiter Faktor: Code per SMS'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        3,
        'Wenden Sie sich sofort an die Verwaltung Ihres Kontos oder an den Support von Acme.',
      ],
    },
  ],
  'factor_replaced.user': [
    app,
    {
      en: [
        'A second factor of your login was replaced',
        'The new one confirms your logins at Acme from now on.',
        ['Second factor: authenticator app', 'Name: Pixel 9'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'remove each one that is not yours',
      ],
      de: [
        'Ein zweiter Faktor Ihrer Anmeldung wurde ersetzt',
        'Der bisherige gilt nicht mehr.',
        ['Zweiter Faktor: Authenticator-App', 'Name: Pixel 9'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'entfernen Sie jeden, der nicht von Ihnen stammt',
      ],
    },
  ],
  'factor_removed.user': [
    app,
    {
      en: [
        'A second factor was removed from your login',
        'Logins at Acme can no longer be confirmed with it.',
        ['Second factor: authenticator app', 'Name: Pixel 9'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'Set up your second factor again.',
      ],
      de: [
        'Ein zweiter Faktor Ihrer Anmeldung wurde entfernt',
        'Anmeldungen bei Acme lassen sich damit nicht mehr bestätigen.',
        ['Zweiter Faktor: Authenticator-App', 'Name: Pixel 9'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'Richten Sie Ihren zweiten Faktor neu ein.',
      ],
    },
  ],
  'app_imported.user': [
    app,
    {
      en: [
        'Your authenticator app from before was used here for the first time',
        'Acme support took over an authenticator app that was set up for you in the earlier system.',
        ['Name: Pixel 9'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'remove each one that is not yours',
      ],
      de: [
        'Ihre bisherige Authenticator-App wurde hier zum ersten Mal verwendet',
        'Der Support von Acme hat eine Authenticator-App übernommen',
        ['Name: Pixel 9'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'entfernen Sie jeden, der nicht von Ihnen stammt',
      ],
    },
  ],
  'backup_codes_renewed.user': [
    { ...left, backupCodesLeft: 10 },
    {
      en: [
        'New backup codes were made for your login',
        'The earlier backup codes for Acme no longer work.',
        ['Backup codes left: 10'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'Make new backup codes. The others then no longer work.',
      ],
      de: [
        'Für Ihre Anmeldung wurden neue Backup-Codes erstellt',
        'Die bisherigen Backup-Codes für Acme gelten nicht mehr.',
        ['Verbleibende Backup-Codes: 10'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'Erstellen Sie neue Backup-Codes. Die anderen gelten dann nicht mehr.',
      ],
    },
  ],
  'backup_code_used.user': [
    left,
    {
      en: [
        'One of your backup codes was used',
        'It was used for a login at Acme and does not work a second time.',
        ['Backup codes left: 7'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'End all your other sessions.',
      ],
      de: [
        'Einer Ihrer Backup-Codes wurde verwendet',
        'Er wurde für eine Anmeldung bei Acme verwendet und gilt kein zweites Mal.',
        ['Verbleibende Backup-Codes: 7'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'Beenden Sie alle Ihre anderen Sitzungen.',
      ],
    },
  ],
  'recovery_code_issued.user': [
    { method: 'recovery_code', by: 'olga' },
    {
      en: [
        'A recovery code was issued for you',
        'once without your second factor. The code is not in this message',
        ['Issued by: Olga Petrova'],
        'If you asked for it, there is nothing to do.',
        'If you did not ask for it',
        3,
        'Give the code to nobody, not even to someone who asks for it in the name of Acme.',
      ],
      de: [
        'Für Sie wurde ein Wiederherstellungscode ausgestellt',
        'Der Code steht nicht in dieser Nachricht',
        ['Ausgestellt von: Olga Petrova'],
        'Wenn Sie darum gebeten haben, müssen Sie nichts tun.',
        'Wenn Sie nicht darum gebeten haben',
        3,
        'Geben Sie den Code niemandem',
      ],
    },
  ],
  'reset.user': [
    { method: 'recovery_code', by: 'olga' },
    {
      en: [
        'Your second factor was reset',
        'were removed and no longer count. You can log in with your password and a recovery code only. The code is not',
        ['Issued by: Olga Petrova'],
        'If you asked for it, log in with the code and set up your second factor again.',
        'If you did not ask for it',
        3,
        'Tell an owner of your account or Acme support at once.',
      ],
      de: [
        'Ihr zweiter Faktor wurde zurückgesetzt',
        'wurden entfernt und gelten nicht mehr. Anmelden können Sie sich nur mit Ihrem Passwort und einem Wiederherstellungscode.',
        ['Ausgestellt von: Olga Petrova'],
        'Wenn Sie darum gebeten haben, melden Sie sich mit dem Code an',
        'Wenn Sie nicht darum gebeten haben',
        3,
        'Melden Sie das sofort der Verwaltung Ihres Kontos oder dem Support von Acme.',
      ],
    },
  ],
  'recovery_code_replaced.user': [
    { method: 'recovery_code' },
    {
      en: [
        'Your recovery code was replaced',
        'The earlier one was not used and no longer works.',
        [],
        'If you asked for it, there is nothing to do.',
        'If you did not ask for it',
        3,
        'Tell an owner of your account or Acme support at once.',
      ],
      de: [
        'Ihr Wiederherstellungscode wurde ersetzt',
        'Der bisherige wurde nicht verwendet und gilt nicht mehr.',
        [],
        'Wenn Sie darum gebeten haben, müssen Sie nichts tun.',
        'Wenn Sie nicht darum gebeten haben',
        3,
        'Melden Sie das sofort der Verwaltung Ihres Kontos oder dem Support von Acme.',
      ],
    },
  ],
  'recovery_code_withdrawn.user': [
    { method: 'recovery_code' },
    {
      en: [
        'Your recovery code was withdrawn',
        'was not used and no longer works.',
        [],
        'If you can log in, there is nothing to do.',
        'If you still need a code',
        1,
        'Ask an owner of your account or Acme support for a new one.',
      ],
      de: [
        'Ihr Wiederherstellungscode wurde zurückgezogen',
        'wurde nicht verwendet und gilt nicht mehr.',
        [],
        'Wenn Sie sich anmelden können, müssen Sie nichts tun.',
        'Wenn Sie noch einen Code brauchen',
        1,
        'Bitten Sie die Verwaltung Ihres Kontos oder den Support von Acme um einen neuen Code.',
      ],
    },
  ],
  'recovery_code_used.user': [
    { method: 'recovery_code' },
    {
      en: [
        'Your recovery code was used',
        'It was used for a login at Acme without your second factor',
        [],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'Change your password at once.',
      ],
      de: [
        'Ihr Wiederherstellungscode wurde verwendet',
        'ohne Ihren zweiten Faktor verwendet und gilt kein zweites Mal.',
        [],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'Ändern Sie sofort Ihr Passwort.',
      ],
    },
  ],
  'moved.user': [
    {},
    {
      en: [
        'Your second factor was moved with your account',
        'Backup codes from before no longer work.',
        [],
        'If you know about it, there is nothing to do.',
        'If you do not know about it',
        2,
        'Look at your second factors, and remove each one that is not yours.',
      ],
      de: [
        'Ihr zweiter Faktor ist mit Ihrem Konto umgezogen',
        'Frühere Backup-Codes gelten nicht mehr.',
        [],
        'Wenn Sie davon wissen, müssen Sie nichts tun.',
        'Wenn Sie nichts davon wissen',
        2,
        'Melden Sie das sofort der Verwaltung Ihres Kontos oder dem Support von Acme.',
      ],
    },
  ],
  'moved_without_factors.user': [
    {},
    {
      en: [
        'Your second factor did not come along with your account',
        'Without another second factor there, you log in with your password and a recovery code.',
        [],
        'If you knew about it and can log in, there is nothing to do.',
        'If you cannot log in, or did not know about it',
        3,
        'Ask an owner of your account or Acme support for a recovery code, and log in with it.',
      ],
      de: [
        'Ihr zweiter Faktor ist nicht mit Ihrem Konto umgezogen',
        'Frühere Apps, Telefone und Backup-Codes gelten nicht mehr.',
        [],
        'Wenn Sie davon wussten und sich anmelden können, müssen Sie nichts tun.',
        'Wenn Sie sich nicht anmelden können oder nichts davon wussten',
        3,
        'Wenn Sie nicht wussten, dass Ihr Zugang verlegt wird, melden Sie das sofort der Verwaltung',
      ],
    },
  ],
  'moved_without_factors.owners': [
    {},
    {
      en: [
        'The second factor of ann@acme.example did not come along to your account',
        'Acme support moved the user account of ann@acme.example.',
        ['User: ann@acme.example'],
        'If you know about it and ann@acme.example can log in, there is nothing to do.',
        'If ann@acme.example cannot log in, or you do not know about it',
        2,
        'Issue a recovery code and give it to ann@acme.example yourself, or ask Acme support to do so.',
      ],
      de: [
        'Der zweite Faktor von ann@acme.example ist nicht in Ihr Konto umgezogen',
        'Frühere Apps und Telefone gelten nicht mehr.',
        ['Person: ann@acme.example'],
        'Wenn Sie davon wissen und ann@acme.example sich anmelden kann, müssen Sie nichts tun.',
        'Wenn ann@acme.example sich nicht anmelden kann oder Sie nichts davon wissen',
        2,
        'Wenn Sie nicht wissen, warum der Zugang von ann@acme.example verlegt wurde',
      ],
    },
  ],
  'moved.owners': [
    {},
    {
      en: [
        'The second factor of ann@acme.example was moved to your account',
        'Acme support moved the user account of ann@acme.example.',
        ['User: ann@acme.example'],
        'If you know about it, there is nothing to do.',
        'If you do not know about it',
        1,
        'Tell Acme support at once.',
      ],
      de: [
        'Der zweite Faktor von ann@acme.example ist in Ihr Konto umgezogen',
        'Der Support von Acme hat den Zugang von ann@acme.example verlegt.',
        ['Person: ann@acme.example'],
        'Wenn Sie davon wissen, müssen Sie nichts tun.',
        'Wenn Sie nichts davon wissen',
        1,
        'Melden Sie das sofort dem Support von Acme.',
      ],
    },
  ],
  'browser_trusted.user': [
    { method: 'totp', name: 'Firefox' },
    {
      en: [
        'A browser is now trusted at your login',
        'logins at Acme from this browser need your password and no code',
        ['Name: Firefox'],
        'If this was you, there is nothing to do.',
        'If this was not you',
        4,
        'Look at your trusted browsers',
      ],
      de: [
        'Ein Browser gilt bei Ihrer Anmeldung nun als vertrauenswürdig',
        'genügt zur Anmeldung bei Acme mit diesem Browser Ihr Passwort',
        ['Name: Firefox'],
        'Wenn Sie das selbst waren, müssen Sie nichts tun.',
        'Wenn Sie das nicht waren',
        4,
        'Prüfen Sie Ihre vertrauenswürdigen Browser',
      ],
    },
  ],
  'trusted_browser_copied.user': [
    { method: 'trusted_browser', name: 'Firefox' },
    {
      en: [
        'A trusted browser may have been copied',
        'The browser is no longer trusted. Every login by this browser since you trusted it may have been by the copy.',
        ['Name: Firefox'],
        'If you have restored this browser from a backup, or lost the connection at your last login, there is nothing to do.',
        'If you are not sure',
        4,
        'everything that was done with your login since you trusted this browser',
      ],
      de: [
        'Ein vertrauenswürdiger Browser wurde möglicherweise kopiert',
        'Jede Anmeldung mit diesem Browser, seit Sie ihm vertrauen, kann von der Kopie stammen.',
        ['Name: Firefox'],
        'Wenn Sie diesen Browser aus einer Sicherung wiederhergestellt haben oder bei Ihrer letzten Anmeldung die Verbindung abbrach, müssen Sie nichts tun.',
        'Wenn Sie nicht sicher sind',
        4,
        'was mit Ihrem Zugang geschehen ist, seit Sie diesem Browser vertrauen',
      ],
    },
  ],
  'locked.user': [
    {},
    {
      en: [
        'Too many wrong codes at your login',
        'The codes were typed after your right password. Acme now takes no codes for a while.',
        [],
        'If this was you, wait for a while and then try again.',
        'If this was not you',
        3,
        'Change your password at once.',
      ],
      de: [
        'Zu viele falsche Codes bei Ihrer Anmeldung',
        'Die Codes wurden nach Ihrem richtigen Passwort eingegeben.',
        [],
        'warten Sie eine Weile und versuchen Sie es dann noch einmal.',
        'Wenn Sie das nicht waren',
        3,
        'Ändern Sie sofort Ihr Passwort.',
      ],
    },
  ],
  'first_factor_by_password.owners': [
    app,
    {
      en: [
        'ann@acme.example set up a second factor at a login',
        'The password was enough to set it up, because Acme asks for a second factor and ann@acme.example had none yet.',
        ['User: ann@acme.example', 'Second factor: authenticator app'],
        'If this was ann@acme.example, there is nothing to do.',
        'If you are not sure',
        3,
        'issue a recovery code and give it to ann@acme.example yourself',
      ],
      de: [
        'ann@acme.example hat bei einer Anmeldung einen zweiten Faktor eingerichtet',
        'Dafür genügte das Passwort',
        ['Person: ann@acme.example', 'Zweiter Faktor: Authenticator-App'],
        'Wenn das ann@acme.example selbst war, müssen Sie nichts tun.',
        'Wenn Sie nicht sicher sind',
        3,
        'stellen Sie einen Wiederherstellungscode aus, und geben Sie ihn ann@acme.example selbst',
      ],
    },
  ],
  'recovery_code_issued.owners': [
    { method: 'recovery_code', by: 'olga' },
    {
      en: [
        'A recovery code was issued for ann@acme.example',
        'one login at Acme is possible without a second factor.',
        ['User: ann@acme.example', 'Issued by: Olga Petrova'],
        'If you know about it, there is nothing to do.',
        'If you do not know about it',
        3,
        'They can withdraw the code.',
      ],
      de: [
        'Für ann@acme.example wurde ein Wiederherstellungscode ausgestellt',
        'ist einmal eine Anmeldung bei Acme ohne zweiten Faktor möglich.',
        ['Person: ann@acme.example', 'Ausgestellt von: Olga Petrova'],
        'Wenn Sie davon wissen, müssen Sie nichts tun.',
        'Wenn Sie nichts davon wissen',
        3,
        'Dort kann der Code zurückgezogen werden.',
      ],
    },
  ],
  'recovery_code_replaced.owners': [
    { method: 'recovery_code' },
    {
      en: [
        'The recovery code for ann@acme.example was replaced',
        'A new one was issued.',
        ['User: ann@acme.example'],
        'If you know about it, there is nothing to do.',
        'If you do not know about it',
        3,
        'Ask the other owners whether they issued the code',
      ],
      de: [
        'Der Wiederherstellungscode für ann@acme.example wurde ersetzt',
        'Ein neuer wurde ausgestellt.',
        ['Person: ann@acme.example'],
        'Wenn Sie davon wissen, müssen Sie nichts tun.',
        'Wenn Sie nichts davon wissen',
        3,
        'Fragen Sie die anderen Personen, die das Konto verwalten',
      ],
    },
  ],
  'reset.owners': [
    { method: 'recovery_code', by: 'olga' },
    {
      en: [
        'The second factor of ann@acme.example was reset',
        'A login at Acme now needs the password and a recovery code, which was issued.',
        ['User: ann@acme.example', 'Issued by: Olga Petrova'],
        'If you know about it, there is nothing to do.',
        'If you do not know about it',
        3,
        'Ask the other owners whether they did it.',
      ],
      de: [
        'Der zweite Faktor von ann@acme.example wurde zurückgesetzt',
        'Eine Anmeldung bei Acme braucht nun das Passwort und einen Wiederherstellungscode',
        ['Person: ann@acme.example', 'Ausgestellt von: Olga Petrova'],
        'Wenn Sie davon wissen, müssen Sie nichts tun.',
        'Wenn Sie nichts davon wissen',
        3,
        'Fragen Sie die anderen Personen, die das Konto verwalten, ob sie das getan haben.',
      ],
    },
  ],
  'recovery_code_withdrawn.owners': [
    { method: 'recovery_code' },
    {
      en: [
        'The recovery code for ann@acme.example was withdrawn',
        'Acme support withdrew it.',
        ['User: ann@acme.example'],
        'If ann@acme.example can log in, there is nothing to do.',
        'If ann@acme.example still needs a code',
        1,
        'Issue a new one, or ask Acme support for it.',
      ],
      de: [
        'Der Wiederherstellungscode für ann@acme.example wurde zurückgezogen',
        'Der Support von Acme hat ihn zurückgezogen.',
        ['Person: ann@acme.example'],
        'Wenn ann@acme.example sich anmelden kann, müssen Sie nichts tun.',
        'Wenn ann@acme.example noch einen Code braucht',
        1,
        'Stellen Sie einen neuen aus, oder bitten Sie den Support von Acme darum.',
      ],
    },
  ],
  'recovery_code_used.owners': [
    { method: 'recovery_code' },
    {
      en: [
        'The recovery code for ann@acme.example was used',
        'without a second factor, and does not work a second time.',
        ['User: ann@acme.example'],
        'If this was ann@acme.example, there is nothing to do.',
        'If you are not sure',
        3,
        'Ask ann@acme.example to change the password and to end all other sessions.',
      ],
      de: [
        'Der Wiederherstellungscode für ann@acme.example wurde verwendet',
        'ohne zweiten Faktor verwendet und gilt kein zweites Mal.',
        ['Person: ann@acme.example'],
        'Wenn das ann@acme.example selbst war, müssen Sie nichts tun.',
        'Wenn Sie nicht sicher sind',
        3,
        'Bitten Sie ann@acme.example, das Passwort zu ändern und alle anderen Sitzungen zu beenden.',
      ],
    },
  ],
}

const LANGUAGES = {
  en: {
    facts: ['Time: 27 November 2026, 22:07 (UTC)', 'IP address: 203.0.113.7'],
    link: { user: 'Your security settings', owners: 'The users of your account' },
    footer: 'A message like this never asks for a password or a code.',
  },
  de: {
    facts: ['Zeitpunkt: 27. November 2026, 22:07 Uhr (UTC)', 'IP-Adresse: 203.0.113.7'],
    link: { user: 'Ihre Sicherheitseinstellungen', owners: 'Die Personen in Ihrem Konto' },
    footer: 'Eine solche Nachricht fragt nie nach einem Passwort oder einem Code.',
  },
}

/** The notice of a mail. @returns {any} */
function noticeOf(id) {
  const [kind, to] = id.split('.')
  return { account: 'acme', user: 'u-4711', to, kind, at, ip, ...MAILS[id][0] }
}

const mailOf = (id, options = {}) =>
  noticeText(noticeOf(id), { language: 'en', service: 'Acme', url, ...names, ...options })

const CHARACTERS = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }

/** The texts between the tags of HTML, in their order, as a reader sees them. */
const seenIn = (html) =>
  html
    .replace(/^[\s\S]*<\/head>/, '')
    .replaceAll(/<br>/g, '\n')
    .split(/<[^>]*>/)
    .map((text) => text.replaceAll(/&([\w#]+);/g, (_, name) => CHARACTERS[name] ?? assert.fail(name)).trim())
    .filter((text) => text !== '')

const tagsOf = (html) => Array.from(html.matchAll(/<[^>]*>/g), ([tag]) => tag)

// Every mail

describe('a mail says what happened, when, from where, and what to do', () => {
  for (const [id, [, byLanguage]] of Object.entries(MAILS)) {
    for (const [language, { facts: common, link, footer }] of Object.entries(LANGUAGES)) {
      test(`${id}, ${language}`, () => {
        const [title, happened, facts, fine, heading, steps, oneStep] = byLanguage[language]
        const { subject, text, html } = mailOf(id, { language })
        assert.equal(subject, `Acme: ${title}`)

        const [first, second, third, fourth, fifth, sixth, last] = text.split('\n\n')
        assert.equal(first, title)
        assert.ok(second.includes(happened), second)
        assert.deepEqual(third.split('\n'), [...facts, ...common])
        assert.ok(fourth.includes(fine), fourth)
        const [asked, ...numbered] = fifth.split('\n')
        assert.equal(asked, heading)
        assert.equal(numbered.length, steps)
        for (const [index, step] of numbered.entries()) assert.ok(step.startsWith(`${index + 1}. `), step)
        assert.ok(fifth.includes(oneStep), fifth)
        const to = /** @type {'user' | 'owners'} */ (id.split('.')[1])
        assert.equal(sixth, `${link[to]}:\n${url}`)
        assert.ok(last.endsWith(`${footer}\n`), last)
        assert.doesNotMatch(`${subject}${text}`, /[{}–]|undefined|null/)

        const expected = [
          ...['Acme', first, second],
          ...third.split('\n').flatMap((fact) => fact.split(': ')),
          ...[fourth, asked, ...numbered.map((step) => step.replace(/^\d\. /, ''))],
          ...[...sixth.split(':\n'), last.trimEnd()],
        ]
        assert.deepEqual(seenIn(html), expected, 'the HTML says the same')
      })
    }
  }
})

test('there is a mail for every kind of notice, for the owners where they are told, and in every language', () => {
  const types = readFileSync(new URL('../../pkg/types/generated.d.ts', import.meta.url), 'utf8')
  const [, union] = /^export type NoticeKind = (.*);$/m.exec(types)
  const kinds = Array.from(union.matchAll(/"(\w+)"/g), ([, kind]) => kind)
  assert.ok(kinds.length > 8)
  const engine = new URL('../../src/engine/', import.meta.url)
  const rules = readdirSync(engine).map((name) => readFileSync(new URL(name, engine), 'utf8'))
  const found = (pattern) => rules.flatMap((rule) => Array.from(rule.matchAll(pattern), ([, kind]) => kind))
  const toOwners = found(/\.notify_all\(NoticeKind::(\w+)/g)
  assert.equal(toOwners.length, found(/\.notify_all\(/g).length, 'each call names its kind')
  const snake = (kind) => kind.replaceAll(/(?<=.)[A-Z]/g, (sign) => `_${sign}`).toLowerCase()
  const ids = [...kinds.map((kind) => `${kind}.user`), ...new Set(toOwners.map((kind) => `${snake(kind)}.owners`))]
  assert.deepEqual(Object.keys(MAILS).sort(), ids.sort())

  const own = readFileSync(new URL('../../pkg/types/notices.d.ts', import.meta.url), 'utf8')
  const [, languages] = /^export type NoticeLanguageName = (.*);$/m.exec(own)
  assert.deepEqual(Object.keys(LANGUAGES).sort(), Array.from(languages.matchAll(/\w+/g), ([name]) => name).sort())
})

test('German addresses people formally', () => {
  for (const id of Object.keys(MAILS)) {
    const { text } = mailOf(id, { language: 'de' })
    assert.match(text, /\b(?:Sie|Ihre?n?)\b/, id)
    assert.doesNotMatch(text, /\b(?:du|dich|dir|dein\w*)\b/i, id)
  }
})

test('HTML holds nothing that acts or is loaded, and its tags are in order', () => {
  for (const id of Object.keys(MAILS)) {
    const { html } = mailOf(id)
    assert.doesNotMatch(html, /<(?:img|script|link|iframe|form|object)|\bsrc=|url\(|@import|\bon\w+=/i, id)
    assert.deepEqual(
      Array.from(html.matchAll(/href="([^"]*)"/g), ([, target]) => target),
      [url],
    )
    const open = []
    for (const tag of tagsOf(html)) {
      const [, slash, name] = /^<(\/?)(!?\w+)/.exec(tag)
      if (['!doctype', 'meta', 'br'].includes(name)) continue
      if (slash) assert.equal(open.pop(), name, id)
      else open.push(name)
    }
    assert.deepEqual(open, [])
    assert.ok(html.length < 8_000, `${id} has ${html.length} characters`)
  }
})

// Facts

test('facts that a notice does not have are left out', () => {
  const bare = { user: 'ann', at, to: 'user' }
  const { text } = noticeText(/** @type {any} */ ({ ...bare, kind: 'backup_code_used' }), {
    language: 'en',
    service: 'Acme',
  })
  const [, , facts, fine] = text.split('\n\n')
  assert.equal(facts, 'Time: 27 November 2026, 22:07 (UTC)')
  assert.equal(fine, 'If this was you, there is nothing to do.')
  assert.doesNotMatch(text, /https?:/)
})

test('where few backup codes are left, the mail asks for new ones', () => {
  const withLeft = (backupCodesLeft, kind = 'backup_code_used') =>
    noticeText({ ...noticeOf(`${kind}.user`), backupCodesLeft }, { language: 'en', service: 'Acme' }).text
  assert.match(withLeft(4), /^If this was you, there is nothing to do\.$/m)
  for (const count of [1, 2, 3]) assert.match(withLeft(count), /^Only a few backup codes are left\. Make new ones/m)
  assert.match(withLeft(0), /^That was the last backup code\. Make new ones\.$/m)
  assert.doesNotMatch(withLeft(0), /nothing to do/)
  assert.match(withLeft(1, 'backup_codes_renewed'), /nothing to do/, 'a set may be small by the policy')
})

test('a recovery code by the operator names the support of the service', () => {
  for (const to of ['user', 'owners']) {
    const notice = { ...noticeOf(`recovery_code_issued.${to}`), by: undefined }
    const { text } = noticeText(notice, { language: 'en', service: 'Acme', ...names })
    assert.match(text, /^Issued by: Acme support$/m)
    const german = noticeText(notice, { language: 'de', service: 'Acme' })
    assert.match(german.text, /^Ausgestellt von: Support von Acme$/m)
  }
})

test('without names, ids are shown', () => {
  const { text } = mailOf('recovery_code_issued.owners', { userName: undefined, ownerName: undefined })
  assert.match(text, /^User: u-4711\nIssued by: olga$/m)
})

test('times are in UTC or in the zone that is asked for, and name it', () => {
  const timeIn = (language, timeZone, seconds = at) => {
    const { text } = noticeText({ ...noticeOf('locked.user'), at: seconds }, { language, service: 'Acme', timeZone })
    return /^(?:Time|Zeitpunkt): (.*)$/m.exec(text)[1]
  }
  const july = 1_783_209_600 // 5 July 2026, 00:00 UTC
  assert.equal(timeIn('en', undefined, july), '5 July 2026, 00:00 (UTC)')
  assert.equal(timeIn('en', 'Europe/Berlin'), '27 November 2026, 23:07 (CET)')
  assert.equal(timeIn('de', 'Europe/Berlin'), '27. November 2026, 23:07 Uhr (MEZ)')
  assert.equal(timeIn('de', 'Europe/Berlin', july), '5. Juli 2026, 02:00 Uhr (MESZ)')
  assert.equal(timeIn('en', 'Asia/Kolkata'), '28 November 2026, 03:37 (GMT+5:30)')
})

test('a mail depends on nothing but its arguments, and changes none', () => {
  const notice = Object.freeze(noticeOf('factor_added.user'))
  const options = Object.freeze({ language: /** @type {const} */ ('de'), service: 'Acme', texts: Object.freeze({}) })
  const { now } = Date
  try {
    Date.now = () => assert.fail('the clock was asked')
    assert.deepEqual(noticeText(notice, options), noticeText(notice, options))
  } finally {
    Date.now = now
  }
})

test('the notices of a second factor become mails, with the address of the request', async () => {
  const at = await host()
  const ann = await withApp(at)
  const olga = await withApp(at, 'olga')
  const { pass } = await login(at, olga, 'owner')
  const ticket = await ticketOf(at, 'ann')
  const code = ann.backupCodes[0]
  await at.factor.verify({
    ticket,
    session: 'before',
    newSession: 'in',
    method: 'backup_code',
    code,
    ip: '[2001:db8::1]:443',
  })
  const by = { user: 'olga', session: 'owner', pass, role: /** @type {const} */ ('owner') }
  await at.factor.issueRecoveryCode({ user: 'ann', by, ip })
  const mails = at.notices.map((notice) => noticeText(notice, { language: 'en', service: 'Acme' }))
  assert.deepEqual(
    mails.map(({ subject, text }) => [subject, /^IP address: (.*)$/m.exec(text)?.[1]]),
    [
      ['Acme: A second factor was added to your login', undefined],
      ['Acme: A second factor was added to your login', undefined],
      ['Acme: One of your backup codes was used', '2001:db8::1'],
      ['Acme: A recovery code was issued for you', undefined],
      ['Acme: A recovery code was issued for ann', ip],
    ],
  )
  assert.match(mails[2].text, /^Backup codes left: 1$/m)
})

// Names of any kind

/** Name → as people see it. */
const HOSTILE = {
  '<b>x</b>': '<b>x</b>',
  '"><script>alert(1)</script>': '"><script>alert(1)</script>',
  "</title></style>'<!--": "</title></style>'<!--",
  '&lt;&amp;': '&lt;&amp;',
  'the "x"': 'the "x"',
  "the 'x'": "the 'x'",
  'x\r\nBcc: all@acme.example': 'x Bcc: all@acme.example',
  'x\u2028y\u2029z\u0085\u0000w': 'x y z w',
  '\u202egpj.exe\u202c \u2066a\u2069\u200f': 'gpj.exe a',
  'pay\u200bpal\ufeff\u00ad\u2060': 'paypal',
  '{service} {title} {user} {nothing}': '{service} {title} {user} {nothing}',
  "$& $1 $' $$": "$& $1 $' $$",
  'नमस्ते 👩‍🚒': 'नमस्ते 👩‍🚒',
}

test('a name breaks no line and no HTML, and reads as it is', () => {
  const id = 'recovery_code_issued.owners'
  for (const [name, seen] of Object.entries(HOSTILE)) {
    for (const field of ['userName', 'ownerName', 'service']) {
      const plain = mailOf(id, { [field]: 'plain' })
      const { subject, text, html } = mailOf(id, { [field]: name })
      const controls = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u
      assert.doesNotMatch(subject, controls)
      assert.doesNotMatch(text.replaceAll('\n', ''), controls)
      assert.equal(
        subject,
        plain.subject.replaceAll('plain', () => seen),
      )
      assert.equal(
        text,
        plain.text.replaceAll('plain', () => seen),
      )
      assert.deepEqual(tagsOf(html), tagsOf(plain.html), `${field}: ${name}`)
      if (/[&<>"']/.test(seen)) assert.ok(!html.includes(seen), `${field}: ${name}`)
      assert.deepEqual(
        seenIn(html),
        seenIn(plain.html).map((part) => part.replaceAll('plain', () => seen)),
      )
    }
  }
})

test('an id of the host’s is shown in the same way', () => {
  const notice = { ...noticeOf('recovery_code_issued.owners'), user: '<i>\u202eann', by: 'olga\u2028<u>' }
  const { subject, text, html } = noticeText(notice, { language: 'en', service: 'Acme' })
  assert.equal(subject, 'Acme: A recovery code was issued for <i>ann')
  assert.match(text, /^User: <i>ann\nIssued by: olga <u>$/m)
  assert.doesNotMatch(html, /<[iu]>/)
})

test('an address of the page is one of the web, and stands in HTML as one', () => {
  const { text, html } = mailOf('locked.user', { url: 'https://acme.example/a?b=1&c="<x>\'' })
  assert.match(text, /^https:\/\/acme\.example\/a\?b=1&c=%22%3Cx%3E%27$/m)
  assert.match(html, /href="https:\/\/acme\.example\/a\?b=1&amp;c=%22%3Cx%3E%27"/)
  for (const bad of ['javascript:alert(1)', 'data:text/html,x', '/security', 'acme.example', '', 'https://'])
    assert.throws(() => mailOf('locked.user', { url: bad }), refusedWith('invalid_input', 'url'), bad)
})

// Texts of the host's

const textIds = Array.from(
  readFileSync(new URL('../../js/notice-texts/en.ts', import.meta.url), 'utf8').matchAll(/^ {4}'?([\w.]+)'?:/gm),
  ([, id]) => id,
)

test('each text has an id by which the host replaces it, in the mails where it stands', () => {
  assert.ok(textIds.length > 70 && textIds.includes('subject') && textIds.includes('footer'))
  const options = { language: /** @type {const} */ ('de'), service: 'Acme', url }
  const notices = Object.keys(MAILS).flatMap((id) => [
    noticeOf(id),
    { ...noticeOf(id), by: undefined, method: 'sms' },
    ...[0, 1].map((backupCodesLeft) => ({ ...noticeOf(id), backupCodesLeft })),
  ])
  const read = (notice, texts = {}) => {
    const { subject, text } = noticeText(notice, { ...options, texts })
    return `${subject}\n${text}`
  }
  const ours = new Map(notices.map((notice) => [notice, read(notice)]))
  for (const id of textIds) {
    const changed = notices.filter((notice) => read(notice, { [id]: 'X' }) !== ours.get(notice))
    assert.notEqual(changed.length, 0, `${id} stands in no mail`)
    const [, kind, to] = /^(\w+)\.(user|owners)\./.exec(id) ?? []
    for (const notice of changed)
      if (kind !== undefined && kind !== 'step') assert.deepEqual([notice.kind, notice.to], [kind, to], id)
  }
})

test('a text of the host’s is filled and escaped as ours are', () => {
  const texts = {
    subject: '[{service}] {title} – {title}',
    'recovery_code_issued.owners.title': '<{user}> has a code by {by}, {time}',
    'recovery_code_issued.owners.happened': 'First line,\nsecond & last: {',
    'fact.user': 'Who',
    'step.ask_owners': 'Ask {user}.',
    footer: undefined,
  }
  const { subject, text, html } = mailOf('recovery_code_issued.owners', { texts })
  const title = '<ann@acme.example> has a code by Olga Petrova, 27 November 2026, 22:07 (UTC)'
  assert.equal(subject, `[Acme] ${title} – ${title}`)
  assert.ok(text.startsWith(`${title}\n\nFirst line,\nsecond & last: {\n\nWho: ann@acme.example\n`), text)
  assert.match(text, /^1\. Ask ann@acme\.example\.$/m)
  assert.match(text, /never asks for a password/)
  assert.match(html, /First line,<br>second &amp; last: \{/)
})

test('a fact that a notice lacks is a dash in a text of the host’s', () => {
  const notice = { ...noticeOf('backup_code_used.user'), backupCodesLeft: undefined }
  const texts = { 'backup_code_used.user.title': 'Codes left: {codes}' }
  assert.equal(noticeText(notice, { language: 'en', service: 'A', texts }).subject, 'A: Codes left: –')
})

test('a text with an unknown id or placeholder is refused with its path', () => {
  const refused = {
    nothing: 'x',
    'locked.owners.title': 'x',
    __proto__x: 'x',
    constructor: 'x',
    'locked.user.title': '{url}',
    'locked.user.happened': 'A {code}.',
    'factor_added.user.title': '{by}',
    'step.password': '{time}',
    'fact.time': '{service}',
    subject: '{user}',
    time: '{}',
    footer: '',
    'link.user': 7,
    'step.sessions': 'two\nlines',
    'codes.few': 'x'.repeat(2_001),
    'codes.none': '\ud800',
  }
  for (const [id, text] of Object.entries(refused)) {
    const texts = { [id]: text }
    assert.throws(() => mailOf('factor_removed.user', { texts }), refusedWith('invalid_input', `texts.${id}`), id)
  }
  assert.throws(() => mailOf('locked.user', { texts: { 'step.password': 'Ask {by}.' } }), {
    message: '`texts.step.password`: has the unknown placeholder `{by}`; known here: `{service}`, `{user}`',
  })
  assert.throws(() => mailOf('locked.user', { texts: { 'locked.user.title': 'a\r\nBcc: x' } }), /must be one line/)
})

// Mistakes

test('a name that shows nothing gives way to the id, and a long one is cut: nobody keeps a mail back by a name', () => {
  const id = 'recovery_code_issued.owners'
  const plain = mailOf(id, { userName: undefined, ownerName: undefined })
  for (const name of ['', ' \n', '\u200b\u2060']) {
    assert.deepEqual(mailOf(id, { userName: name, ownerName: name }), plain, JSON.stringify(name))
  }
  const { text } = mailOf(id, { userName: '👩‍🚒'.repeat(1_000), ownerName: `Olga\ud800${'x'.repeat(10_000)}` })
  assert.match(text, /Olga\ufffdx{95}…/)
  assert.ok(text.length < 3_000 && text.isWellFormed())
})

test('an option that is missing, of another kind or not known is refused with its path', () => {
  const refused = [
    [{ language: undefined }, 'language'],
    [{ language: 'fr' }, 'language'],
    [{ language: 'constructor' }, 'language'],
    [{ service: undefined }, 'service'],
    [{ service: '' }, 'service'],
    [{ service: '\u200b \n' }, 'service'],
    [{ service: 'x'.repeat(101) }, 'service'],
    [{ userName: 5 }, 'userName'],
    [{ ownerName: 5 }, 'ownerName'],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone'],
    [{ timeZone: 1 }, 'timeZone'],
    [{ texts: [] }, 'texts'],
    [{ lang: 'en' }, 'lang'],
  ]
  for (const [options, path] of refused)
    assert.throws(() => mailOf('recovery_code_issued.owners', options), refusedWith('invalid_input', path))
  for (const none of [undefined, null, 'en'])
    assert.throws(
      () => noticeText(noticeOf('locked.user'), /** @type {any} */ (none)),
      refusedWith('invalid_input', ''),
    )
})

test('a notice that is none is refused with its path, and a new field of one is passed over', () => {
  const refused = [
    [{ kind: 'tomorrow' }, 'notice.kind'],
    [{ kind: 'constructor' }, 'notice.kind'],
    [{ kind: 'factor_added.user' }, 'notice.kind'],
    [{ to: 'everyone' }, 'notice.to'],
    [{ to: undefined }, 'notice.to'],
    [{ to: 'owners' }, 'notice.to'],
    [{ user: '' }, 'notice.user'],
    [{ user: '\u200b' }, 'notice.user'],
    [{ at: undefined }, 'notice.at'],
    [{ at: 1_800_000_000_000 }, 'notice.at'],
    [{ ip: 'x'.repeat(65) }, 'notice.ip'],
    [{ backupCodesLeft: -1 }, 'notice.backupCodesLeft'],
    [{ method: {} }, 'notice.method'],
  ]
  for (const [fields, path] of refused) {
    const notice = { ...noticeOf('locked.user'), .../** @type {any} */ (fields) }
    assert.throws(() => noticeText(notice, { language: 'en', service: 'Acme' }), refusedWith('invalid_input', path))
  }
  for (const none of [undefined, null, [], 'locked'])
    assert.throws(
      () => noticeText(/** @type {any} */ (none), { language: 'en', service: 'Acme' }),
      refusedWith('invalid_input', 'notice'),
    )
  const newer = { ...noticeOf('locked.user'), device: { name: 'x' }, method: 'passkey' }
  assert.deepEqual(noticeText(newer, { language: 'en', service: 'Acme', url, ...names }), mailOf('locked.user'))
})
