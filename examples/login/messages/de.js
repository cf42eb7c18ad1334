// The texts in German. A function gets the values that stand in its text.

import { html } from '../html.js'
import owners from './de-owners.js'
import problems from './de-problems.js'

const plural = (count, one, many) => (count === 1 ? one : many)

export default {
  name: 'Deutsch',
  /** For dates and times, as `Intl` knows it. */
  locale: 'de-DE',

  layout: {
    error: (title) => `Fehler: ${title}`,
    skip: 'Zum Inhalt springen',
    account: 'Konto',
    security: 'Sicherheit',
    users: 'Personen',
    policy: 'Richtlinie',
    audit: 'Protokoll',
    logOut: 'Abmelden',
    cancel: 'Abbrechen',
    language: 'Sprache',
    demo: 'Demo',
    copy: 'Kopieren',
    /** The button beside a password. */
    show: 'Anzeigen',
    tryNow: 'Sie können es jetzt versuchen.',
    /** For the scripts, which fill the braces. */
    scripts: {
      copied: 'Kopiert',
      copiedAloud: 'Kopiert.',
      selected: 'Markiert. Kopieren Sie mit der Tastatur.',
      notYet: 'Noch nicht: Ein weiterer Code lässt sich gleich senden.',
      possibleNow: '{label}: jetzt möglich.',
      waits: 'in {time}',
      left: 'Noch {time}.',
    },
    continue: 'Weiter',
    back: 'Zurück',
    backToSecurity: 'Zurück zur Sicherheit',
    backToUsers: 'Zurück zu den Personen',
    home: 'Startseite',
    newTab: '(öffnet einen neuen Tab)',
    methods: {
      totp: 'Authenticator-App',
      sms: 'SMS',
      backup_code: 'Backup-Code',
      recovery_code: 'Wiederherstellungscode',
      trusted_browser: 'Vertrauenswürdiger Browser',
    },
  },

  login: {
    title: 'Anmelden',
    email: 'E-Mail-Adresse',
    password: 'Passwort',
    button: 'Anmelden',
    demo: 'Anmelden als …',
    roles: { owner: 'Verwaltung', member: 'Mitglied' },
    setUpFirst: {
      title: 'Ein zweiter Faktor wird verlangt',
      lead: 'Die Seite, die Sie geöffnet haben, verlangt einen zweiten Faktor, und Sie haben noch keinen eingerichtet. Richten Sie jetzt einen ein. Danach können Sie die Seite öffnen.',
      button: 'Zweiten Faktor einrichten',
    },
  },

  secondStep: {
    title: 'Zweiter Schritt',
    confirm: 'Bestätigen',
    another: 'Andere Möglichkeit',
    ask: {
      totp: (digits) => `Öffnen Sie Ihre Authenticator-App, und geben Sie die ${digits} Ziffern ein, die sie anzeigt.`,
      sms: (digits) => `Geben Sie die ${digits} Ziffern aus der SMS ein.`,
      backup_code:
        'Geben Sie einen der zehn Codes ein, die Sie beim Einrichten Ihres zweiten Faktors aufbewahrt haben. Er gilt einmal.',
      recovery_code:
        'Geben Sie Ihren Wiederherstellungscode ein. Die Verwaltung Ihres Kontos stellt ihn unter „Personen“ für Sie aus; er gilt einmal, eine Stunde lang.',
    },
    label: {
      totp: 'Code aus Ihrer Authenticator-App',
      sms: 'Code aus der SMS',
      backup_code: 'Einer Ihrer Backup-Codes',
      recovery_code: 'Wiederherstellungscode von der Verwaltung Ihres Kontos',
    },
    use: {
      totp: 'Authenticator-App verwenden',
      sms: 'SMS verwenden',
      backup_code: 'Backup-Code verwenden',
      recovery_code: 'Wiederherstellungscode verwenden',
    },
    digits: { 6: 'sechs', 7: 'sieben', 8: 'acht' },
    sentAt: { 6: 'sechsten', 7: 'siebten', 8: 'achten' },
    sendsItself: (ordinal) => `Der Code wird mit der ${ordinal} Ziffer von selbst abgesendet.`,
    digitsTitle: (digits) => `${digits} Ziffern`,
    notSaved:
      'Sie haben nicht bestätigt, dass Sie diese Codes aufbewahrt haben. Wenn Sie sie nicht haben, verwenden Sie eine andere Möglichkeit, und erstellen Sie danach neue unter „Sicherheit“.',
    ownOnly:
      'Hier wird ein Code aus Ihrer App oder von Ihrem Telefon verlangt. Ein Backup-Code genügt nicht, damit ein einziger verlorener Code nicht alle anderen preisgibt.',
    phoneLost: html`Wenn Sie Ihr Telefon nicht mehr haben, <a href="/security?go=lost">richten Sie an seiner Stelle eine neue App ein</a>: Dafür genügt ein Backup-Code.`,
    trust: (days) => `Diesem Browser ${days} Tage lang vertrauen`,
    trustHint: 'Er fragt dann nach keinem Code. Nur auf einem Gerät, das sonst niemand benutzt.',
    canSend: (hint) => `Wir können einen Code an ${hint} senden.`,
    send: 'Code senden',
    sendAgain: 'Weiteren Code senden',
    hasOne: 'Ich habe schon einen Code',
    sent: (hint) => `Wir haben einen Code an ${hint} gesendet.`,
    readSms: 'SMS im Postausgang lesen',
    againAt: (time) => html`Um ${time} können Sie einen weiteren Code anfordern.`,
  },

  /** The sentence for each success that the next page tells. */
  done: {
    factor_added: 'Das ist eingerichtet: Ab jetzt können Sie sich auch damit anmelden.',
    factor_replaced:
      'Das Neue ist eingerichtet und behält den Namen. Mit dem Alten können Sie sich nicht mehr anmelden.',
    factor_shown: 'Bestätigt. Machen Sie unten damit weiter.',
    renamed: 'Der neue Name ist gespeichert.',
    removed: (name) => `„${name}“ ist abgeschaltet.`,
    trusted_browser_removed:
      'Diesem Browser wird nicht mehr vertraut: Bei der nächsten Anmeldung fragt er nach einem Code.',
    codes_saved: 'Gut: Sie haben Ihre Backup-Codes. Verwenden Sie einen, wenn Sie Ihr Telefon nicht bei sich haben.',
    password_changed:
      'Ihr Passwort ist geändert. Sie sind in allen anderen Browsern abgemeldet, und keinem wird mehr vertraut.',
    logged_out_elsewhere: 'Alle anderen Browser sind abgemeldet.',
    logged_out_and_untrusted:
      'Alle anderen Browser sind abgemeldet. Keinem Browser wird mehr vertraut, auch diesem nicht.',
  },

  arrival: {
    title: 'Sie sind angemeldet',
    /** By the method of the login, and the factors that the person has. */
    backup_code: {
      none: 'Sie haben sich mit einem Backup-Code angemeldet.',
      app: 'Sie haben sich mit einem Backup-Code angemeldet. Wenn Sie Ihr Telefon nicht mehr haben, richten Sie Ihre App jetzt auf dem neuen ein: Codes vom alten gelten dann nicht mehr.',
      phone:
        'Sie haben sich mit einem Backup-Code angemeldet. Wenn sich Ihre Nummer geändert hat, richten Sie jetzt die neue ein.',
    },
    recovery_code: {
      none: 'Sie haben sich mit einem Wiederherstellungscode angemeldet. Richten Sie jetzt die Zwei-Faktor-Authentifizierung ein: Sonst brauchen Sie beim nächsten Mal wieder einen.',
      app: 'Sie haben sich mit einem Wiederherstellungscode angemeldet. Wenn Sie Ihr Telefon nicht mehr haben, richten Sie Ihre App jetzt auf dem neuen ein: Sonst brauchen Sie beim nächsten Mal wieder einen.',
      phone:
        'Sie haben sich mit einem Wiederherstellungscode angemeldet. Wenn sich Ihre Nummer geändert hat, richten Sie jetzt die neue ein: Sonst brauchen Sie beim nächsten Mal wieder einen.',
    },
    goOn: { none: 'Jetzt einrichten', app: 'Auf ein anderes Telefon umziehen', phone: 'Nummer ändern' },
    codesLeft: (left) =>
      left === 0
        ? 'Das war Ihr letzter Backup-Code. Erstellen Sie jetzt neue: Ohne Ihr Telefon könnten Sie sich nicht mehr anmelden.'
        : plural(
            left,
            'Sie haben noch einen Backup-Code. Erstellen Sie jetzt neue, und bewahren Sie sie auf.',
            `Sie haben noch ${left} Backup-Codes. Erstellen Sie bald neue, und bewahren Sie sie auf.`,
          ),
    newSet: 'Neue erstellen',
    later: 'Später: weiter',
  },

  freshFactor: {
    title: 'Bestätigen Sie, dass Sie es sind',
    lead: 'Sie sind angemeldet, aber hierfür wird ein Code Ihres zweiten Faktors verlangt. Nach fünf Minuten wird wieder danach gefragt.',
    first: 'Bestätigen Sie dafür zuerst, dass Sie es sind.',
    ownForOthers:
      'Um für jemand anderen einen Code auszustellen, bestätigen Sie mit Ihrer App oder Ihrem Telefon. Ein Backup-Code genügt dafür nicht.',
  },

  home: {
    welcome: (email) => `Willkommen, ${email}`,
    passwordOnly: html`Ihr Zugang ist nur mit einem Passwort geschützt. <a href="/security">Richten Sie die Zwei-Faktor-Authentifizierung ein</a>. Das dauert eine Minute.`,
    isAsked: html`In diesem Konto wird von allen ein zweiter Faktor verlangt: Nach dem Abmelden können Sie sich ohne ihn nicht mehr anmelden. <a href="/security">Richten Sie ihn jetzt ein</a>.`,
    unsavedCodes:
      'Sie haben nicht bestätigt, dass Sie Ihre Backup-Codes aufbewahrt haben. Ohne sie können Sie sich nicht anmelden, wenn Ihr Telefon verloren geht.',
    lead: {
      owner: (account) => `Sie gehören zur Verwaltung von ${account}.`,
      member: (account) => `Sie sind Mitglied von ${account}.`,
    },
    security: 'Ihr zweiter Faktor und Ihre Backup-Codes',
    users: 'Wer einen zweiten Faktor hat, Wiederherstellungscodes, API-Clients',
    policy: 'Wer einen zweiten Faktor braucht, und von wo',
    audit: 'Was wann und von wo geschehen ist',
  },

  security: {
    title: 'Sicherheit',
    on: 'Ein',
    off: 'Aus',
    isOn: 'Die Zwei-Faktor-Authentifizierung ist eingeschaltet: Mit Ihrem Passwort allein kann sich niemand anmelden.',
    isOff:
      'Die Zwei-Faktor-Authentifizierung ist ausgeschaltet. Richten Sie eine dieser Möglichkeiten ein: Dann genügt ein gestohlenes Passwort nicht.',
    isOffAndAsked:
      'Die Zwei-Faktor-Authentifizierung ist ausgeschaltet. In diesem Konto wird sie von allen verlangt: Richten Sie sie ein, bevor Sie sich abmelden.',
    notInPlan:
      'Die Zwei-Faktor-Authentifizierung gehört nicht zu Ihrem Tarif. Bitten Sie die Verwaltung Ihres Kontos um einen Tarif, der sie enthält.',
    stopped: html`Bei Ihrer Anmeldung wurden zu viele falsche Codes eingegeben: Nur mit einem Wiederherstellungscode von der Verwaltung Ihres Kontos können Sie sich wieder anmelden. Wenn Sie das nicht waren, <a href="/security?go=password">ändern Sie Ihr Passwort</a>.`,
    lockedUntil: (time) =>
      html`Bei Ihrer Anmeldung wurden falsche Codes eingegeben. Bis ${time} wird kein Code angenommen. Wenn Sie das nicht waren, <a href="/security?go=password">ändern Sie Ihr Passwort</a>.`,
    pending: {
      totp: 'Sie haben begonnen, eine App einzurichten.',
      sms: 'Sie haben begonnen, SMS einzurichten.',
    },
    pendingGoOn: 'Jetzt weitermachen',
    added: 'Eingerichtet',
    lastUsed: 'Zuletzt verwendet',
    atSetUp: 'beim Einrichten',
    /** The names of new ones, with a number where there are more. */
    newNames: { totp: 'Authenticator-App', sms: 'Telefon' },
    rename: 'Umbenennen …',
    renameButton: 'Umbenennen',
    newName: 'Name',
    turnOff: 'Abschalten …',
    lastOfEveryone:
      'In diesem Konto wird von allen ein zweiter Faktor verlangt, und das ist Ihr einziger. Richten Sie zuerst einen anderen ein. Dann können Sie diesen abschalten.',
    lastOne:
      'Das ist Ihr einziger zweiter Faktor. Ohne ihn genügt zur Anmeldung Ihr Passwort, und Ihre Backup-Codes gelten nicht mehr.',
    oneOfMany: (name) => `Danach können Sie sich mit „${name}“ nicht mehr anmelden.`,
    turnOffButton: { totp: 'App abschalten', sms: 'SMS abschalten' },
    here: 'Dieser Browser',
    /** For somebody without their phone: how to go on. */
    lost: {
      totp: 'Suchen Sie die App, die auf dem verlorenen Telefon ist, und drücken Sie unter ihrem Namen auf „Auf ein anderes Telefon umziehen“. Codes vom verlorenen Telefon gelten dann nicht mehr.',
      sms: 'Suchen Sie die Nummer, die Sie nicht mehr haben, und drücken Sie darunter auf „Nummer ändern“. An die alte Nummer geht dann kein Code mehr.',
    },
    app: {
      title: 'Authenticator-App',
      isOn: 'Bei der Anmeldung wird nach einem Code aus Ihrer App gefragt.',
      isOff:
        'Eine App auf Ihrem Telefon zeigt jede halbe Minute einen neuen Code an. Sie braucht kein Netz und keine Nachricht, die jemand abfangen könnte. Das empfehlen wir.',
      setUp: 'App einrichten',
      move: 'Auf ein anderes Telefon umziehen',
      add: 'Weitere App hinzufügen',
    },
    sms: {
      title: 'SMS',
      isOn: 'Ein Code kommt auf Ihr Mobiltelefon, wenn Sie ihn bei der Anmeldung anfordern.',
      isOff:
        'Ein Code kommt auf Ihr Mobiltelefon, wenn Sie ihn bei der Anmeldung anfordern. Für australische Mobilnummern.',
      setUp: 'SMS einrichten',
      change: 'Nummer ändern',
      add: 'Weitere Nummer hinzufügen',
      number: 'Australische Mobilnummer',
      numberHint: 'Zum Beispiel 0412 345 678 oder +61 412 345 678',
      send: 'Code senden',
    },
    codes: {
      title: 'Backup-Codes',
      left: (left, total) => `noch ${left} von ${total}`,
      lead: 'Wenn Sie Ihr Telefon nicht bei sich haben. Mit jedem können Sie sich einmal anmelden.',
      few: 'Es sind nur noch wenige: Erstellen Sie neue, und bewahren Sie sie auf.',
      notSaved:
        'Sie haben nicht bestätigt, dass Sie diese Codes aufbewahrt haben. Wenn Sie sie nicht haben, lassen Sie sie anzeigen, und bewahren Sie sie auf.',
      notSavedAndHidden:
        'Sie haben nicht bestätigt, dass Sie diese Codes aufbewahrt haben. Wenn Sie sie nicht haben, erstellen Sie neue.',
      made: 'Erstellt',
      show: 'Codes anzeigen',
      showHint: 'Zum Anzeigen wird vielleicht nach einem Code aus Ihrer App oder von Ihrem Telefon gefragt.',
      renew: 'Neue erstellen …',
      renewHint:
        'Ihre alten Codes gelten sofort nicht mehr, auf keinem Papier und in keiner Datei. Bewahren Sie an ihrer Stelle die neuen auf.',
      renewButton: 'Zehn neue Codes erstellen',
    },
    browsers: {
      title: 'Vertrauenswürdige Browser',
      lead: 'Nach dem Passwort fragen sie nach keinem Code. Wenn sich Ihr zweiter Faktor ändert, endet das Vertrauen.',
      until: 'Vertraut bis',
      remove: 'Nicht mehr vertrauen',
    },
    password: {
      title: 'Passwort',
      lead: 'Ein neues Passwort meldet Sie in allen anderen Browsern ab und beendet das Vertrauen in Browser.',
      change: 'Passwort ändern …',
      current: 'Jetziges Passwort',
      next: 'Neues Passwort',
      hint: (least) => `Mindestens ${least} Zeichen. Einige Wörter hintereinander sind gut.`,
      button: 'Passwort ändern',
    },
    sessions: {
      title: 'Wo Sie angemeldet sind',
      unknownBrowser: 'Ein Browser',
      lastSeen: 'Zuletzt gesehen',
      since: 'Seit',
      from: (ip) => html`von <code>${ip}</code>`,
      endOthers: 'Überall sonst abmelden',
      endOthersHint:
        'Überall sonst abmelden beendet auch das Vertrauen in Browser, sodass keiner von ihnen ohne Code zurückkommt.',
      onlyHere: 'Sie sind sonst nirgends angemeldet.',
    },
    activity: 'Ihre Aktivitäten',
    activityLead: 'Was mit Ihrer Anmeldung und Ihrem zweiten Faktor geschehen ist.',
  },

  firstFactor: {
    title: 'Zweiten Faktor einrichten',
    lead: 'In diesem Konto wird ein zweiter Faktor verlangt, und Sie haben noch keinen. Richten Sie jetzt einen ein. Danach sind Sie angemeldet.',
    beginBy: (time) => html`Beginnen Sie bis ${time}, oder melden Sie sich erneut an.`,
  },

  setUpApp: {
    title: 'App einrichten',
    isOn: 'Ihre App ist schon eingerichtet. Hier ist nichts mehr zu tun.',
    takesPlaceOf: (name) =>
      `Das tritt an die Stelle von „${name}“: Sobald Sie unten den Code eingegeben haben, kann sich mit dem alten Eintrag niemand mehr anmelden. Wenn Ihre App dann zwei Einträge für dieses Konto zeigt, verwenden Sie den neuesten, und entfernen Sie den anderen.`,
    get: 'App installieren',
    apps: html`Google Authenticator für das <a href="https://apps.apple.com/app/google-authenticator/id388497605" rel="noreferrer">iPhone</a>
oder für <a href="https://play.google.com/store/apps/details?id=com.google.android.apps.authenticator2" rel="noreferrer">Android</a>, oder jede andere
Authenticator-App, die Sie schon verwenden.`,
    scan: 'Mit der App scannen',
    qr: 'QR-Code für die Authenticator-App',
    onThisDevice: (uri) => html`Die App ist auf diesem Gerät? <a href="${uri}">Dort öffnen</a>`,
    key: 'Oder wählen Sie in der App „Einrichtungsschlüssel eingeben“, und geben Sie dies ein:',
    theKey: 'den Schlüssel',
    type: 'Den angezeigten Code eingeben',
    label: 'Code aus Ihrer App',
    button: 'Einschalten',
    open: (email, time) =>
      html`Begonnen für ${email}, möglich bis ${time}. Erst mit dem richtigen Code wird die App eingeschaltet.`,
    over: 'Die Zeit zum Einrichten ist abgelaufen. Beginnen Sie erneut, und scannen Sie den neuen Code mit Ihrer App.',
    none: 'Hier wird gerade nichts eingerichtet. Beginnen Sie erneut.',
    again: 'Erneut beginnen',
  },

  setUpSms: {
    title: 'SMS einrichten',
    isOn: 'SMS ist schon eingerichtet. Hier ist nichts mehr zu tun.',
    takesPlaceOf: (name) =>
      `Das tritt an die Stelle von „${name}“: Sobald Sie den Code eingegeben haben, geht an die alte Nummer kein Code mehr.`,
    label: 'Code aus der SMS',
    button: 'Einschalten',
    sent: (number, time) => html`Wir haben einen Code an ${number} gesendet. Er gilt bis ${time}.`,
    another: 'Andere Nummer',
    anotherFrom: (time) =>
      html`Ab ${time} können Sie einen Code an eine andere Nummer senden: Zwischen zwei SMS muss eine halbe Minute liegen.`,
    over: 'Dieser Code gilt nicht mehr. Lassen Sie einen neuen senden.',
  },

  codes: {
    isOn: 'Die Zwei-Faktor-Authentifizierung ist eingeschaltet',
    loggedIn: 'Sie sind angemeldet',
    yours: 'Ihre Backup-Codes',
    fresh: 'Ihre neuen Backup-Codes',
    first: 'Ab jetzt brauchen Sie zur Anmeldung einen Code. Eines fehlt noch: Bewahren Sie Ihre Backup-Codes auf.',
    lead: 'Mit jedem dieser Backup-Codes können Sie sich einmal anmelden, wenn Sie Ihr Telefon nicht bei sich haben. Bewahren Sie sie auf wie ein Passwort, und nicht auf diesem Telefon.',
    sheet: 'Backup-Codes',
    made: (account, email, time) => html`${account} · ${email} · erstellt ${time}`,
    used: 'verwendet',
    madeOn: (day) => `Erstellt am ${day}`,
    paper: 'Jeder Code gilt einmal. Sobald Sie neue erstellen, gelten diese nicht mehr.',
    download: 'Als Text herunterladen',
    print: 'Drucken',
    theCodes: 'die Codes',
    printHint: 'Drucken Sie mit der Druckfunktion des Browsers: Nur die Codes kommen aufs Papier.',
    saved: 'Ich habe sie aufbewahrt',
    over: 'Diese Codes werden hier nicht mehr angezeigt. Lassen Sie sie unter „Sicherheit“ anzeigen, oder erstellen Sie neue.',
  },

  activity: {
    title: 'Ihre Aktivitäten',
    lead: (count) => plural(count, 'Das letzte Ereignis.', `Die letzten ${count} Ereignisse, das neueste zuerst.`),
    none: 'Bisher ist nichts geschehen.',
    table: 'Ereignisse',
    when: 'Wann',
    what: 'Was',
    details: 'Einzelheiten',
    wasYou: html`Waren Sie etwas davon nicht selbst? <a href="/security?go=password">Ändern Sie Ihr Passwort</a>: Das meldet Sie auch überall sonst ab.`,
    times: (count) => `${count}-mal`,
    by: (name) => `durch ${name}`,
    from: (ip) => `von ${ip}`,
    lastFrom: (ip) => `das letzte von ${ip}`,
    inARow: (count) => `${count} falsche nacheinander`,
  },

  outbox: {
    title: 'Postausgang',
    lead: 'Nur in dieser Demo: Er steht für die Telefone und Postfächer aller Personen. Ein echter Dienst sendet diese Nachrichten über sein SMS-Gateway und seinen Mailserver.',
    again: 'Neu laden',
    empty: 'Bisher wurde nichts gesendet.',
    sms: 'SMS an',
    mail: 'E-Mail an',
  },

  errors: { notFound: 'Nicht gefunden', notPossible: 'Nicht möglich', endedHere: 'Auf dieser Website abgemeldet' },

  problems,

  /** Why something was refused, in the words of a list. */
  reasons: {
    address_denied: 'aus einem Netzwerk, das nie zugelassen wird',
    address_not_allowed: 'aus einem Netzwerk, das nicht zugelassen ist',
    address_unknown: 'von unbekannter Adresse',
    enrollment_required: 'kein zweiter Faktor eingerichtet',
    api_client_blocked: 'Programme können den zweiten Schritt nicht machen',
    no_usable_method: 'kein zweiter Faktor, der sich verwenden lässt',
    recovery_code_required: 'nur mit einem Wiederherstellungscode möglich',
    move_under_way: 'zieht gerade in ein anderes Konto um',
    plan: 'nicht im Tarif enthalten',
    method_not_offered: 'Möglichkeit nicht angeboten',
    number_invalid: 'keine Mobilnummer',
    number_not_allowed: 'Nummer nicht erlaubt',
    number_enrolled: 'Nummer schon eingerichtet',
    too_many_factors: 'mehr lassen sich nicht einrichten',
    not_enrolled: 'nicht eingerichtet',
    fresh_factor_required: 'nicht unmittelbar davor bestätigt',
    owner_only: 'nur für die Verwaltung',
    not_for_oneself: 'nicht für sich selbst',
    too_often: 'zu oft',
    operator_only: 'nur für den Betreiber',
    not_kept: 'Codes werden nicht aufbewahrt',
    ticket_invalid: 'Anmeldung nicht mehr offen',
    other_session: 'in einem anderen Fenster begonnen',
    ticket_expired: 'zu spät',
  },

  /** Why no SMS was sent, in the words of a list. */
  smsReasons: {
    cooldown: 'die letzte wurde gerade erst gesendet',
    budget: 'mehr kann die Person vorerst nicht erhalten',
    too_many_attempts: 'zu viele falsche Codes',
    number_budget: 'mehr kann die Nummer vorerst nicht erhalten',
    count_failed: 'ein Fehler bei uns',
  },

  /** The sentence for each kind of event, on the pages of activity and audit. */
  events: {
    login_allowed: 'Angemeldet, ohne zweiten Faktor',
    login_challenged: 'Passwort richtig, zweiter Faktor verlangt',
    login_set_up: 'Passwort richtig, erster zweiter Faktor einzurichten',
    login_denied: 'Anmeldung abgelehnt',
    sms_sent: 'SMS gesendet',
    sms_refused: 'SMS abgelehnt',
    sms_never_left: 'SMS nicht gesendet: vom Gateway abgelehnt',
    code_accepted: 'Code angenommen',
    code_refused: 'Falscher Code',
    code_repeated: 'Verwendeten Code noch einmal eingegeben',
    setup_code_refused: 'Falscher Code beim Einrichten',
    attempt_while_locked: 'Code während der Sperre abgelehnt',
    enrollment_started: 'Einrichten begonnen',
    factor_added: 'Zweiter Faktor eingerichtet',
    first_factor_by_password: 'Ersten zweiten Faktor nur mit dem Passwort eingerichtet',
    factor_renamed: 'App oder Telefon umbenannt',
    factor_removed: 'Zweiter Faktor abgeschaltet',
    browser_trusted: 'Browser als vertrauenswürdig eingestuft',
    trusted_browser_refused: 'Vertrauenswürdiger Browser abgelehnt',
    trusted_browser_copied: 'Kopie eines vertrauenswürdigen Browsers verwendet, Vertrauen beendet',
    trusted_browser_removed: 'Vertrauenswürdiger Browser entfernt',
    backup_codes_made: 'Backup-Codes erstellt',
    backup_codes_shown: 'Backup-Codes angezeigt',
    backup_codes_confirmed: 'Backup-Codes aufbewahrt, nach Angabe der Person',
    recovery_code_issued: 'Wiederherstellungscode ausgestellt',
    recovery_code_issued_by_operator: 'Wiederherstellungscode vom Betreiber ausgestellt',
    reset_by_operator: 'Zweiter Faktor vom Betreiber zurückgesetzt',
    recovery_code_replaced: 'Wiederherstellungscode ersetzt, unbenutzt',
    recovery_code_withdrawn: 'Wiederherstellungscode zurückgezogen, unbenutzt',
    recovery_code_ended: 'Wiederherstellungscode beendet, unbenutzt',
    password_changed: 'Passwort geändert',
    signed_out_everywhere: 'Überall abgemeldet',
    moved_here: 'Zweiter Faktor vom Betreiber hierher verlegt',
    moved_away: 'Zweiter Faktor vom Betreiber von hier weg verlegt',
    erased: 'Person vom Betreiber gelöscht',
    totp_imported: 'App des bisherigen Systems vom Betreiber übernommen',
    export_started: 'Export von Geheimnissen vom Betreiber begonnen',
    secrets_exported: 'Geheimnisse der Apps vom Betreiber exportiert',
    reset: 'Person zurückgesetzt: zweite Faktoren entfernt',
    policy_changed: 'Richtlinie geändert',
    refused: 'Änderung abgelehnt',
    wrong_password: 'Falsches Passwort',
    sessions_ended: 'In allen anderen Browsern abgemeldet',
  },

  /** The text of an SMS: one segment of 160 characters of the GSM 7-bit alphabet. */
  sms: ({ code, name, minutes }) => `${code} ist Ihr Code für ${name}, gültig ${minutes} Min. Geben Sie ihn niemandem.`,

  mails: {
    // By the names that these pages have.
    notices: {
      'step.sessions':
        'Ein neues Passwort hat alle anderen Browser abgemeldet. Sehen Sie in Ihren Sicherheitseinstellungen noch „Überall sonst abmelden“, drücken Sie darauf.',
    },
    passwordChanged: ({ service, when, ip, origin }) => ({
      subject: `Ihr Passwort für ${service} wurde geändert`,
      text: `Ihr Passwort für ${service} wurde am ${when} von der Adresse ${ip} geändert.

Wenn Sie das waren, ist nichts zu tun.

Wenn Sie das nicht waren:
1. Melden Sie sich an: ${origin}/login
   Wenn Ihr Passwort nicht mehr gilt, machen Sie mit Schritt 3 weiter.
2. Drücken Sie auf „Überall sonst abmelden“, und wählen Sie danach ein neues Passwort, beides unter „Sicherheit“:
   ${origin}/security
3. Bitten Sie sofort die Verwaltung Ihres Kontos oder den Support, Sie zurückzusetzen, und um ein neues Passwort.
   Die Verwaltung findet „Zurücksetzen“ unter „Personen“:
   ${origin}/users
`,
    }),
  },

  ...owners,
}
