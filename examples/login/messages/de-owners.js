// The texts for the owners of an account, in German: users, policy and audit.

import { html } from '../html.js'

const plural = (count, one, many) => (count === 1 ? one : many)

const number = (count) => new Intl.NumberFormat('de-DE').format(count)

export default {
  owners: {
    title: 'Personen',
    lead: 'Wer neu ist oder weder Telefon noch Backup-Codes hat, meldet sich mit einem Wiederherstellungscode von Ihnen an.',
    search: 'Nach E-Mail-Adresse suchen',
    searchButton: 'Suchen',
    showAll: 'Alle anzeigen',
    count: (count) => plural(count, 'Eine Person.', `${number(count)} Personen.`),
    found: (count, text) =>
      count === 0
        ? `Keine E-Mail-Adresse enthält „${text}“.`
        : plural(
            count,
            `Die E-Mail-Adresse einer Person enthält „${text}“.`,
            `Die E-Mail-Adressen von ${number(count)} Personen enthalten „${text}“.`,
          ),
    pages: {
      label: 'Seiten',
      previous: 'Vorherige Seite',
      next: 'Nächste Seite',
      of: (page, pages) => `Seite ${number(page)} von ${number(pages)}`,
    },
    people: 'Personen',
    columns: { person: 'Person', factor: 'Zweiter Faktor', login: 'Anmeldung', help: 'Hilfe' },
    you: 'Sie',
    and: ' und ',
    noFactor: 'Keiner',
    codesLeft: (left) => plural(left, 'Noch ein Backup-Code', `Noch ${left} Backup-Codes`),
    login: {
      in: 'Möglich',
      set_up: 'Möglich',
      code: 'Code ausgestellt',
      out: 'Ausgesperrt',
      setsUp: 'Richtet bei der nächsten Anmeldung einen zweiten Faktor ein.',
      codeUntil: (time) => html`Kann sich bis ${time} mit dem Wiederherstellungscode anmelden.`,
      reasons: {
        address: (ip) =>
          html`Die letzte Anmeldung mit dem Passwort kam von <code>${ip}</code>. Von dort darf sich niemand anmelden.`,
        enrollment_required: 'Hat keinen zweiten Faktor, und die Richtlinie verlangt einen.',
        enrollment_required_somewhere:
          'Hat keinen zweiten Faktor, und die Richtlinie verlangt in manchen Netzwerken einen.',
        no_usable_method: 'Hat einen zweiten Faktor, aber keinen, den die Richtlinie zulässt.',
        reset: 'Wurde zurückgesetzt: Nur mit einem Wiederherstellungscode ist die Anmeldung möglich.',
        stopped: 'Zu viele falsche Codes: Nur mit einem Wiederherstellungscode ist die Anmeldung möglich.',
        locked: (time) => html`Es wurden falsche Codes eingegeben: Bis ${time} wird kein eigener Code angenommen.`,
      },
    },
    needsFactor:
      'Um Wiederherstellungscodes für andere auszustellen, brauchen Sie selbst einen zweiten Faktor. Nach dem Einrichten kommen Sie hierher zurück.',
    onlyOwner:
      'Sie sind die einzige Person der Verwaltung: Niemand hier kann einen Code für Sie ausstellen. Bewahren Sie Ihre Backup-Codes auf.',
    askAnother: 'Eine andere Person aus der Verwaltung kann einen Code für Sie ausstellen.',
    codeAlive: (time) => html`Einer gilt noch bis ${time}. Ein neuer ersetzt ihn.`,
    issue: 'Wiederherstellungscode ausstellen',
    forPerson: (email) => ` für ${email}`,
    reset: 'Zurücksetzen …',
    resetWarning: (email) =>
      `Für den Fall, dass jemand anderes das Telefon oder den Zugang dieser Person haben könnte. Alle Apps, Telefone und Backup-Codes von ${email} werden entfernt und alle Browser abgemeldet. Danach ist die Anmeldung nur mit einem Wiederherstellungscode möglich: Sie erhalten ihn auf der nächsten Seite und übergeben ihn persönlich.`,
    resetPassword: 'Wenn jemand anderes das Passwort kennen könnte, bitten Sie die Person, auch dieses zu ändern.',
    resetButton: 'Person zurücksetzen',
    code: {
      title: 'Wiederherstellungscode',
      lead: (email, time) => html`Für ${email}, gilt einmal, bis ${time}.`,
      wasReset: (email) =>
        `${email} wurde zurückgesetzt: Alle zweiten Faktoren sind entfernt und alle Browser abgemeldet. Nur mit diesem Code ist die Anmeldung möglich.`,
      replaced:
        'Für diese Person wurde schon ein Code ausgestellt. Dieser neuere ersetzt ihn: Der frühere gilt nicht mehr.',
      theCode: 'den Code',
      onlyHere:
        'Er wird nur hier angezeigt, zehn Minuten lang. Übergeben Sie ihn persönlich oder am Telefon, nie per E-Mail oder SMS.',
      steps: 'Was die Person damit tut',
      step1: 'Mit E-Mail-Adresse und Passwort anmelden.',
      step2: '„Backup-Code verwenden“ wählen, dann „Wiederherstellungscode verwenden“, und ihn eingeben.',
      step2Asked: 'Den Wiederherstellungscode eingeben, wo danach gefragt wird.',
      step3: 'Gleich einen zweiten Faktor einrichten. Ohne ihn wird beim nächsten Mal wieder ein Code gebraucht.',
      over: (email) =>
        `Der Wiederherstellungscode für ${email} wurde einmal angezeigt und wird nicht mehr angezeigt. Wenn die Person ihn nicht hat, stellen Sie einen neuen aus: Er ersetzt den früheren.`,
    },
    clients: {
      title: 'API-Clients',
      lead: 'Sie können keinen Code eingeben. Wo ein zweiter Faktor verlangt wird, lässt sie nur eine Regel für ihre Adresse zu.',
      columns: { client: 'Client', lastSeen: 'Zuletzt gesehen unter', now: 'Jetzt' },
      never: 'nie',
      notKnown: 'Erst bekannt, wenn er sich zum ersten Mal meldet',
      in: 'Zugelassen',
      blocked: 'Blockiert',
      denied: html`Er kommt aus einem Netzwerk, das <a href="/policy#deny">nie zugelassen</a> wird.`,
      admit: (rule) => `Von ${rule} zulassen`,
      admitted: 'Zugelassen. Die Regel gilt nur für API-Clients: Für Personen ändert sich nichts.',
    },
  },

  policy: {
    title: 'Richtlinie',
    saved: 'Gespeichert. Die Richtlinie gilt sofort, auch für offene Sitzungen.',
    isDraft: 'Das ist Ihr Entwurf. Noch ist nichts gespeichert.',
    hasDraft: 'Sie haben einen Entwurf, der nicht gespeichert ist.',
    goOn: 'Weiter bearbeiten',
    discard: 'Verwerfen',
    see: 'Auswirkungen anzeigen',
    legends: {
      require: 'Wer einen zweiten Faktor haben muss',
      roles: 'Personen mit einer dieser Rollen',
      firstFactor: 'Wie Personen ohne zweiten Faktor einen bekommen',
      name: 'Name dieses Kontos',
    },
    require: {
      optional: {
        label: 'Niemand: Jede Person entscheidet selbst',
        about: 'Wer keinen hat, meldet sich mit dem Passwort an.',
      },
      everyone: { label: 'Alle', about: 'Wie Personen ohne zweiten Faktor einen bekommen, wählen Sie als Nächstes.' },
      some: {
        label: 'Bestimmte Personen',
        about: 'Wer das ist, wählen Sie als Nächstes: nach Netzwerk oder nach Rolle.',
      },
    },
    roles: { owner: 'Verwaltung', member: 'Mitglieder' },
    firstFactor: {
      recovery_code: {
        label: 'Nur mit einem Wiederherstellungscode',
        about: 'Die Verwaltung stellt ihn für jede Person unter „Personen“ aus.',
      },
      password: {
        label: 'Selbst, bei der Anmeldung',
        about:
          'Nur Personen, die noch nie einen hatten und sich noch nie mit einem Wiederherstellungscode angemeldet haben. Auch wer das Passwort einer solchen Person kennt, kann es tun; Sie werden jedes Mal benachrichtigt.',
      },
    },
    network: 'Von wo sich Personen und API-Clients anmelden dürfen',
    youAreAt: (ip) => html`Ihre Adresse ist gerade <code>${ip}</code>.`,
    lists: {
      networks: {
        title: 'Personen, die aus diesen Netzwerken kommen',
        hint: 'Zum Beispiel aus einem Gästenetz.',
        place: 'In „Personen, die aus diesen Netzwerken kommen“',
      },
      outside: {
        title: 'Personen, die von außerhalb dieser Netzwerke kommen',
        hint: 'Zum Beispiel von überall außer aus Ihrem Büro.',
        place: 'In „Personen, die von außerhalb dieser Netzwerke kommen“',
      },
      allow: {
        title: 'Nur diese Netzwerke zulassen',
        hint: 'Leer: von überall. Personen kommen nur von hier, und API-Clients ebenso, wenn sie nicht die nächste Liste zulässt. Ein Netzwerk in dieser Liste lässt API-Clients auch dort zu, wo ein zweiter Faktor verlangt wird.',
        place: 'In den zugelassenen Netzwerken',
      },
      api: {
        title: 'API-Clients aus diesen Netzwerken',
        hint: 'Sie brauchen keinen zweiten Faktor und dürfen von außerhalb der zugelassenen Netzwerke kommen. Für Personen gilt das nicht.',
        place: 'In den Netzwerken der API-Clients',
      },
      deny: {
        title: 'Nie diese Netzwerke',
        hint: 'Hat Vorrang vor den beiden Listen darüber.',
        place: 'In den ausgeschlossenen Netzwerken',
      },
    },
    howTo:
      'Geben Sie Netzwerke ein oder fügen Sie sie ein, eines je Zeile: ein Netzwerk, eine Adresse oder einen Bereich wie 192.0.2.10 – 192.0.2.20. Text nach # ist eine Notiz, und „until 2027-12-31“ davor ist der letzte Tag.',
    row: {
      network: 'Netzwerk',
      note: 'Notiz',
      on: (network) => `zu ${network}`,
      until: 'Letzter Tag',
      ifItEnds: (network) => `von ${network}, falls die Regel endet`,
      ended: 'Beendet',
      remove: 'Entfernen',
    },
    networks: 'Netzwerke',
    addNetworks: 'Netzwerke hinzufügen',
    add: 'Hinzufügen',
    addTo: (title) => ` zu: ${title}`,
    apps: 'In den Authenticator-Apps der Personen',
    nameHint:
      'In der App über jedem Code und in jeder SMS zu sehen. Apps, die schon eingerichtet sind, behalten den alten Namen.',
    sample:
      'Der QR-Code ist ein Muster: Er zeigt mit Ihrer eigenen E-Mail-Adresse, was eine App nach dem Scannen anzeigt. Anmelden kann sich damit niemand.',
    wrongAt: (place, network, said) => html`${place}${network && html`, <code>${network}</code>`}: ${said}`,
    wrong: {
      network:
        'Das ist kein Netzwerk. Schreiben Sie zum Beispiel 203.0.113.0/24 oder 2001:db8::/32, oder eine einzelne Adresse.',
      networkWithMore: (network) =>
        html`Das ist eine einzelne Adresse in einem Netzwerk. Schreiben Sie <code>${network}</code> für das ganze Netzwerk, oder die Adresse ohne „/“.`,
      note: 'Die Notiz ist zu lang oder kein einfacher Text. Schreiben Sie höchstens 200 Zeichen in eine Zeile.',
      until: 'Der letzte Tag ist kein Datum. Schreiben Sie zum Beispiel 2027-12-31.',
      name: 'Schreiben Sie 1 bis 40 Buchstaben, Ziffern und übliche Zeichen, ohne Doppelpunkt: Jedes Telefon muss den Namen in einer SMS anzeigen können.',
      noRule: 'Wählen Sie eine Rolle oder ein Netzwerk, oder eine der anderen Antworten.',
      other: 'Wählen Sie eine der Antworten.',
    },
    review: {
      title: 'Bevor Sie speichern',
      setsUpAuthor: html`Das betrifft auch Sie: Sobald es gespeichert ist, melden Sie sich erneut an und richten zuerst einen eigenen zweiten Faktor ein. <a href="/security">Richten Sie ihn vorher ein</a>; dieser Entwurf bleibt erhalten.`,
      /** Another policy was saved since the draft was begun. */
      outdated: {
        by: (email, time) =>
          html`${email} hat am ${time} eine andere Richtlinie gespeichert, nachdem Sie begonnen haben.`,
        bySelf: (time) => html`Sie haben am ${time} in einem anderen Fenster eine andere Richtlinie gespeichert.`,
        unknown: 'Seit Sie begonnen haben, wurde eine andere Richtlinie gespeichert.',
        look: html`Wenn Sie Ihre speichern, tritt sie an deren Stelle: <a href="/policy">Sehen Sie jene zuerst an</a>; dieser Entwurf bleibt erhalten.`,
      },
      locksOutAuthor: 'Sie würden sich selbst aussperren.',
      authorAt: {
        address_denied: (ip) => html`Ihre Adresse <code>${ip}</code> ist in einem Netzwerk, das nie zugelassen wird.`,
        address_not_allowed: (ip) => html`Ihre Adresse <code>${ip}</code> ist außerhalb der zugelassenen Netzwerke.`,
      },
      setUpFirst: 'Richten Sie zuerst unter „Sicherheit“ einen zweiten Faktor für sich selbst ein.',
      locksOutOwners: 'Niemand aus der Verwaltung könnte sich mehr anmelden.',
      ownersHelp: {
        address: 'Lassen Sie das Netzwerk von jemandem aus der Verwaltung zu.',
        factor: 'Zuerst muss jemand aus der Verwaltung einen zweiten Faktor einrichten.',
        either:
          'Lassen Sie das Netzwerk von jemandem aus der Verwaltung zu, oder jemand anderes aus der Verwaltung richtet zuerst einen zweiten Faktor ein.',
      },
      noRescue:
        'Personen würden einen Wiederherstellungscode brauchen, und niemand aus der Verwaltung könnte einen ausstellen. Zuerst muss jemand aus der Verwaltung einen zweiten Faktor einrichten.',
      forgotten: {
        'network.allow': (family) =>
          `Über ${family} kann sich niemand anmelden: Die zugelassenen Netzwerke enthalten keine solche Adresse.`,
        'network.api': (family) =>
          `API-Clients, die über ${family} kommen, sind nicht zugelassen: Ihre Liste enthält keine solche Adresse.`,
        'network.deny': (family) =>
          `Über ${family} können sich weiter alle anmelden: Die ausgeschlossenen Netzwerke enthalten keine solche Adresse.`,
        'require.networks': (family) =>
          `Wer über ${family} kommt, wird nicht gefragt: Die Netzwerke enthalten keine solche Adresse.`,
        'require.outside': (family) =>
          `Wer über ${family} kommt, wird immer gefragt: Die Netzwerke enthalten keine solche Adresse.`,
      },
      facts: {
        secondFactor: 'Zweiter Faktor',
        first: 'Ohne zweiten Faktor',
        allow: 'Zugelassen',
        api: 'API-Clients aus',
        deny: 'Nie',
        name: 'Name in Apps',
      },
      everywhere: 'überall',
      noApi: 'keinen eigenen Netzwerken',
      noDeny: 'keine',
      withRoles: (roles) => html`Personen mit der Rolle ${roles}`,
      from: (networks) => html`Personen aus ${networks}`,
      fromOutside: (networks) => html`Personen von außerhalb von ${networks}`,
      and: ' und ',
      or: ' oder ',
      until: (time) => html` bis ${time}`,
      ended: (time) => html`, beendet ${time}`,
      settings: 'Einstellungen',
      otherSettings: (count) =>
        plural(
          count,
          'Eine andere Einstellung bleibt, wie sie ist.',
          `${number(count)} andere Einstellungen bleiben, wie sie sind.`,
        ),
      noSetting: 'Alle Einstellungen sind schon so gespeichert.',
      added: 'Neu:',
      removed: 'Entfernt:',
      clean: 'Dadurch wird niemand ausgesperrt.',
      /** How people and API clients stand, before and after. */
      states: {
        in: 'zugelassen',
        set_up: 'richtet bei der nächsten Anmeldung einen zweiten Faktor ein',
        code: 'braucht einen Wiederherstellungscode',
        out: 'ausgesperrt',
      },
      needCode: {
        title: 'Diese Personen werden einen Wiederherstellungscode brauchen',
        about:
          'Sie haben keinen zweiten Faktor, der funktioniert. Stellen Sie ihnen unter „Personen“ je einen Code aus, wenn sie sich anmelden wollen.',
      },
      setUp: {
        title: 'Diese Personen richten ihren ersten zweiten Faktor bei der Anmeldung ein',
        about: 'Dafür genügt ihr Passwort. Sie werden jedes Mal benachrichtigt.',
      },
      blocked: {
        title: 'Diese Personen werden ausgesperrt',
        about: 'Der Grund ist die Adresse, unter der sie zuletzt gesehen wurden. Ein zweiter Faktor hilft ihnen nicht.',
      },
      /** Why a person does not just get in: by the rule about the address, or by the one that asks for a second factor. */
      reasons: {
        address_denied: (ip) => html`<code>${ip}</code> ist in einem Netzwerk, das nie zugelassen wird.`,
        address_not_allowed: (ip) => html`<code>${ip}</code> ist außerhalb der zugelassenen Netzwerke.`,
        forced_for_everyone: 'Von allen wird ein zweiter Faktor verlangt.',
        forced_for_role: 'Von dieser Rolle wird ein zweiter Faktor verlangt.',
        forced_from_network: (ip) =>
          html`Zuletzt gesehen unter <code>${ip}</code>, in einem Netzwerk, in dem ein zweiter Faktor verlangt wird.`,
        forced_outside_networks: (ip) =>
          html`Zuletzt gesehen unter <code>${ip}</code>, außerhalb der Netzwerke, in denen kein zweiter Faktor verlangt wird.`,
        forced_somewhere: 'In manchen Netzwerken wird ein zweiter Faktor verlangt.',
        under_any_rules:
          'Wurde zurückgesetzt, oder hat keinen zweiten Faktor, der funktioniert: Das gilt bei jeder Richtlinie.',
      },
      freed: {
        title: 'Diese Personen können sich wieder anmelden',
        about: 'Mit ihrem Passwort, und mit ihrem zweiten Faktor, wenn sie einen haben.',
      },
      more: (count) => `und ${number(count)} weitere`,
      unchanged(people, clients) {
        const counts = [
          people > 0 && plural(people, 'eine Person', `${number(people)} Personen`),
          clients > 0 && plural(clients, 'einen API-Client', `${number(clients)} API-Clients`),
        ]
        return `Für ${counts.filter(Boolean).join(' und ')} ändert sich nichts.`
      },
      clients: {
        blocked: {
          title: 'Diese API-Clients werden ausgesperrt',
          about:
            'Ein Netzwerk unter „API-Clients aus diesen Netzwerken“ lässt Programme zu und ändert nichts für Personen.',
        },
        freed: { title: 'Diese API-Clients werden wieder zugelassen', about: 'Die Regeln für ihre Adressen genügen.' },
        reasons: {
          api_client_blocked: 'Ein zweiter Faktor wird verlangt, und ein Programm hat keinen.',
          address_not_allowed: 'Die Adresse ist außerhalb der zugelassenen Netzwerke.',
          address_denied: 'Die Adresse ist in einem Netzwerk, das nie zugelassen wird.',
          address_unknown: 'Er wurde noch nie gesehen, deshalb ist seine Adresse nicht bekannt.',
        },
        byRule: (rule) => html`Eine Regel für <code>${rule}</code> würde ihn zulassen.`,
        addAddress: 'Fügen Sie die Adresse, von der er kommt, zu den Netzwerken der API-Clients hinzu.',
        admitOne: (id) => `${id} zulassen und erneut prüfen`,
        admitAll: 'Diese Clients zulassen und erneut prüfen',
      },
      force: 'Mir ist klar, dass uns das aussperrt. Trotzdem speichern.',
      refused:
        'Es wurde nichts gespeichert. Ändern Sie die Richtlinie, oder setzen Sie das Häkchen am Ende dieser Seite.',
      save: 'Speichern',
      change: 'Ändern',
      back: 'Zurück, ohne zu speichern',
    },
  },

  audit: {
    title: 'Protokoll',
    lead: 'Was mit Anmeldungen und zweiten Faktoren geschehen ist, das Neueste zuerst.',
    none: 'Bisher ist nichts geschehen.',
    noneFound:
      'Es wurde nichts gefunden. Prüfen Sie Ihre Eingaben, lassen Sie Felder leer, oder lassen Sie alles anzeigen.',
    filter: {
      label: 'Ereignisse suchen',
      person: 'E-Mail-Adresse oder Client',
      kind: 'Was geschehen ist',
      anyKind: 'Alles',
      from: 'Vom Tag',
      to: 'Bis zum Tag',
      days: (zone) => `Tage und Zeiten sind die der Zeitzone ${zone}.`,
      daysOfUtc: (today) => `Tage und Zeiten sind die von UTC, dort ist jetzt der ${today}.`,
      address: 'IP-Adresse oder Netzwerk',
      button: 'Suchen',
      all: 'Alle anzeigen',
      wrongAddress:
        'Das ist keine IP-Adresse und kein Netzwerk. Schreiben Sie zum Beispiel 203.0.113.7, 203.0.113.0/24 oder 2001:db8::/32.',
      wrongDay: 'Das ist kein Datum. Schreiben Sie zum Beispiel 2027-12-31.',
      wrongOrder: 'Der letzte Tag liegt vor dem ersten.',
    },
    table: 'Ereignisse',
    columns: { when: 'Wann', who: 'Wer', what: 'Was', details: 'Einzelheiten' },
    pages: 'Seiten',
    older: 'Ältere Ereignisse',
    newest: 'Neueste Ereignisse',
    export: {
      title: 'Export',
      lead: 'Alle Ereignisse dieser Suche als Datei. Die Zeiten in der Datei sind in UTC.',
      csv: 'CSV, für eine Tabelle',
      jsonl: 'JSON-Zeilen',
      ocsf: 'OCSF, für ein SIEM',
      tooMany: (most) =>
        `Das sind mehr als ${number(most)} Ereignisse. Wählen Sie weniger Tage, und exportieren Sie in Teilen.`,
    },
    quoted: (text) => `„${text}“`,
    notSet: 'nicht festgelegt',
    more: (count) => `und ${number(count)} weitere`,
    before: (name) => `vorher „${name}“`,
    movedFrom: (user) => `von der Benutzerkennung ${user}`,
    movedTo: (user) => `zur Benutzerkennung ${user}`,
    factors: (names) => `mit ${names}`,
    actions: {
      verify: 'Anmeldung mit einem Code',
      send_sms: 'SMS senden',
      enroll_totp: 'App einrichten',
      enroll_sms: 'Telefon einrichten',
      rename: 'App oder Telefon umbenennen',
      remove: 'Zweiten Faktor abschalten',
      remove_trusted_browser: 'Vertrauenswürdigen Browser entfernen',
      renew_backup_codes: 'Backup-Codes erstellen',
      show_backup_codes: 'Backup-Codes anzeigen',
      confirm_backup_codes: 'Backup-Codes bestätigen',
      issue_recovery_code: 'Wiederherstellungscode ausstellen',
      reset: 'Person zurücksetzen',
    },
  },
}
