// The sentence in German for each reply that is no success. Each says what to do next.

import { html } from '../html.js'

const plural = (count, one, many) => (count === 1 ? one : many)

const elsewhere =
  'Dieses Konto lässt sich aus diesem Netzwerk nicht benutzen. Versuchen Sie es aus dem Netzwerk, in dem Sie gewöhnlich arbeiten, oder fragen Sie die Verwaltung Ihres Kontos.'

export default {
  wrong: 'Dieser Code stimmt nicht. Prüfen Sie ihn, und versuchen Sie es noch einmal.',
  mayBeUsed: 'Jeder Code gilt einmal, und dieser wurde vielleicht schon verwendet.',
  wrongUntil: (time) => html`Dieser Code stimmt nicht. Warten Sie, und versuchen Sie es um ${time} noch einmal.`,
  wrongAndNoneLeft: 'Dieser Code stimmt nicht, und es ist kein Versuch mehr übrig. Fordern Sie einen neuen an.',
  wrongAndLeft: (tries) =>
    `Dieser Code stimmt nicht. Prüfen Sie ihn, und versuchen Sie es noch einmal: ${plural(tries, 'noch ein Versuch', `noch ${tries} Versuche`)}, dann müssen Sie warten.${tries <= 2 ? ' Falsche Codes der letzten Tage zählen mit.' : ''}`,
  clockHint:
    'Geht die Uhr Ihres Telefons richtig? Lassen Sie die Zeit automatisch einstellen: Die Codes hängen davon ab.',
  clockSlow: (minutes) =>
    `Dieser Code war vor ${plural(minutes, 'einer Minute', `${minutes} Minuten`)} richtig. Wenn Ihr Telefon ihn jetzt zeigt, geht seine Uhr nach: Lassen Sie die Zeit automatisch einstellen, und geben Sie dann den nächsten Code ein.`,
  malformed: {
    code: (digits) =>
      `Das ist kein Code: Bitte geben Sie ${digits === undefined ? 'den Code' : `die ${digits} Ziffern`} wie angezeigt ein.`,
    long: 'Das ist kein Code: Bitte geben Sie alle 16 Buchstaben und Ziffern ein, wie ABCD-EFGH-JKMN-PQRS.',
    backupCode: 'Das ist ein Backup-Code. Geben Sie ihn hier ein.',
    number: 'Bitte geben Sie eine australische Mobilnummer ein, zum Beispiel 0412 345 678.',
    tooShort:
      'Eine Ziffer fehlt: Eine australische Mobilnummer hat zehn, zum Beispiel 0412 345 678. Es wurde keine SMS gesendet.',
    tooLong:
      'Das ist eine Ziffer zu viel: Eine australische Mobilnummer hat zehn, zum Beispiel 0412 345 678. Es wurde keine SMS gesendet.',
    name: 'Bitte geben Sie einen Namen mit 1 bis 40 Zeichen ein, den bei Ihnen noch nichts anderes hat.',
    login: 'Bitte geben Sie Ihre E-Mail-Adresse und Ihr Passwort ein.',
    other: 'Dieses Formular war unvollständig. Gehen Sie zurück zur Seite, und senden Sie es noch einmal ab.',
  },
  alreadyUsed: 'Dieser Code wurde schon verwendet. Fordern Sie einen neuen an, und geben Sie ihn ein.',
  alreadyUsedUntil: (time) => html`Dieser Code wurde schon verwendet. Warten Sie auf den nächsten, um ${time}.`,
  expired: 'Dieser Code gilt nicht mehr. Fordern Sie einen neuen an, und geben Sie ihn ein.',
  locked:
    'Zu viele falsche Codes. Bitten Sie die Verwaltung Ihres Kontos um einen Wiederherstellungscode: Nur er hilft jetzt.',
  lockedUntil: (time) =>
    html`Zu viele falsche Codes; die der letzten Tage zählen mit. Warten Sie, und versuchen Sie es um ${time} noch einmal.`,
  smsRefused: {
    cooldown: (time) =>
      html`Es wurde keine SMS gesendet: Zwischen zweien muss eine halbe Minute liegen, und die letzte ist vielleicht noch unterwegs. Um ${time} können Sie eine weitere anfordern.`,
    budget:
      'Es wurde keine SMS gesendet: Mehr können Sie vorerst nicht erhalten. Verwenden Sie eine andere Möglichkeit.',
    budgetUntil: (time) =>
      html`Es wurde keine SMS gesendet: Bis ${time} können Sie keine weitere erhalten. Verwenden Sie eine andere Möglichkeit, oder fordern Sie dann eine an.`,
    too_many_attempts:
      'Es wurde keine SMS gesendet: Es wurden zu viele falsche Codes eingegeben. Verwenden Sie eine andere Möglichkeit.',
    too_many_attemptsUntil: (time) =>
      html`Es wurde keine SMS gesendet: Es wurden zu viele falsche Codes eingegeben. Warten Sie bis ${time}, oder verwenden Sie einen Wiederherstellungscode von der Verwaltung Ihres Kontos.`,
    number_budget:
      'Es wurde keine SMS gesendet: Mehr kann diese Nummer vorerst nicht erhalten. Verwenden Sie eine andere Möglichkeit, oder versuchen Sie es morgen noch einmal.',
    count_failed:
      'Es wurde keine SMS gesendet, wegen eines Fehlers bei uns. Versuchen Sie es gleich noch einmal, oder verwenden Sie eine andere Möglichkeit.',
  },
  wrongPassword:
    'Die E-Mail-Adresse oder das Passwort stimmt nicht. Prüfen Sie beides, und versuchen Sie es noch einmal.',
  throttled: (time) => html`Zu viele Versuche. Warten Sie, und versuchen Sie es um ${time} noch einmal.`,
  tooOftenUntil: (time) => html`Das wurde zu oft angefordert. Versuchen Sie es um ${time} noch einmal.`,
  notFound: 'Diese Seite gibt es nicht. Prüfen Sie die Adresse, oder beginnen Sie auf der Startseite.',
  failed: 'Das hat nicht funktioniert. Bitte versuchen Sie es gleich noch einmal.',
  endedHere:
    'Andere Dienste haben noch nicht davon erfahren. Sie lassen die beendeten Sitzungen womöglich noch einige Stunden ein. Wenn das für Sie wichtig ist, wenden Sie sich an den Betreiber dieses Dienstes.',
  impossible: 'Das ist nicht möglich.',
  reasons: {
    address_denied: elsewhere,
    address_not_allowed: elsewhere,
    address_unknown: elsewhere,
    enrollment_required:
      'In diesem Konto wird ein zweiter Faktor verlangt, und Sie haben zurzeit keinen. Bitten Sie die Verwaltung Ihres Kontos um einen Wiederherstellungscode, und melden Sie sich dann erneut an.',
    api_client_blocked:
      'Dieses Programm kann keinen zweiten Faktor eingeben. Bitten Sie die Verwaltung Ihres Kontos, sein Netzwerk unter „Personen“ zuzulassen.',
    no_usable_method:
      'Keiner Ihrer zweiten Faktoren lässt sich zurzeit verwenden. Bitten Sie die Verwaltung Ihres Kontos um einen Wiederherstellungscode.',
    recovery_code_required:
      'Ihr zweiter Faktor wurde zurückgesetzt. Bitten Sie die Verwaltung Ihres Kontos um einen Wiederherstellungscode: Nur mit ihm können Sie sich anmelden.',
    move_under_way:
      'Diese Person zieht gerade in ein anderes Konto um. Bitten Sie den Support, den Umzug abzuschließen.',
    plan: 'Ihr Tarif enthält keine Zwei-Faktor-Authentifizierung. Bitten Sie die Verwaltung Ihres Kontos um einen Tarif, der sie enthält.',
    method_not_offered: 'Diese Art der Anmeldung wird nicht angeboten. Wählen Sie eine andere.',
    number_invalid:
      'Das ist keine Mobilnummer: Eine Ziffer fehlt oder ist zu viel. Prüfen Sie sie, und geben Sie sie noch einmal ein. Es wurde keine SMS gesendet.',
    number_not_allowed:
      'Wir können Codes nur an australische Mobilnummern senden. Geben Sie eine ein, die mit 04 oder +61 4 beginnt, oder verwenden Sie eine Authenticator-App.',
    number_enrolled: 'Diese Nummer ist schon eingerichtet. Geben Sie eine andere ein.',
    too_many_factors:
      'Mehr lassen sich nicht einrichten. Entfernen Sie etwas, das Sie nicht mehr verwenden, und richten Sie dann dies ein.',
    not_enrolled: 'Das ist nicht mehr eingerichtet. Sehen Sie unter „Sicherheit“ nach, was eingerichtet ist.',
    fresh_factor_required: 'Bestätigen Sie zuerst, dass Sie es sind.',
    owner_only: 'Das kann nur die Verwaltung Ihres Kontos. Bitten Sie sie darum.',
    not_for_oneself: 'Für sich selbst können Sie das nicht tun. Bitten Sie eine andere Person aus der Verwaltung.',
    too_often: 'Das wurde zu oft angefordert. Versuchen Sie es später noch einmal.',
    operator_only: 'Das kann die Verwaltung hier nicht tun. Bitten Sie den Betreiber dieses Dienstes.',
    not_kept: 'Diese Codes lassen sich nicht noch einmal anzeigen. Erstellen Sie stattdessen neue.',
    ticket_invalid: 'Diese Anmeldung ist nicht mehr offen. Melden Sie sich erneut an.',
    other_session: 'Diese Anmeldung wurde in einem anderen Fenster begonnen. Melden Sie sich hier erneut an.',
    ticket_expired: 'Das hat zu lange gedauert. Melden Sie sich erneut an.',
  },
  /** Refusals of this service, which the engine does not know. */
  ownReasons: {
    last_factor:
      'In diesem Konto wird ein zweiter Faktor verlangt, und das ist Ihr einziger. Richten Sie zuerst einen anderen ein. Dann können Sie diesen abschalten.',
    not_required:
      'Es gibt nichts zu bestätigen: Sie haben noch keinen zweiten Faktor eingerichtet. Das können Sie unter „Sicherheit“ tun.',
    password_length: 'Wählen Sie ein Passwort mit 15 bis 128 Zeichen. Einige Wörter hintereinander sind gut.',
    password_same: 'Das ist schon Ihr Passwort. Wählen Sie ein anderes.',
    password_easy:
      'Das ist leicht zu erraten: Es enthält Ihre E-Mail-Adresse oder wenige verschiedene Zeichen. Wählen Sie ein anderes.',
    not_your_password:
      'Das ist nicht Ihr jetziges Passwort, deshalb wurde es nicht geändert. Prüfen Sie es, und versuchen Sie es noch einmal.',
    address_changed:
      'Der Client kam inzwischen von einer anderen Adresse, deshalb wurde nichts getan. Prüfen Sie zuerst die Adresse unten.',
    policy_saved_log_in:
      'Die Richtlinie ist gespeichert. Sie verlangt auch von Ihnen einen zweiten Faktor: Melden Sie sich an, und richten Sie ihn ein.',
    session_ended:
      'Sie sind abgemeldet: Ihre Anmeldung ist abgelaufen, wurde anderswo beendet, oder dieses Konto verlangt jetzt einen zweiten Faktor. Melden Sie sich erneut an, und machen Sie weiter.',
    older_codes:
      'Diese Backup-Codes gelten nicht mehr: Seitdem wurden neuere erstellt. Bewahren Sie diese auf, oder erstellen Sie neue.',
    cross_site:
      'Diese Anfrage kam von einer anderen Website und wurde abgewiesen. Öffnen Sie die Seite hier, und versuchen Sie es noch einmal.',
    form_outdated:
      'Diese Seite war veraltet, deshalb wurde nichts getan. Hier ist sie, wie sie jetzt ist: Versuchen Sie es noch einmal.',
    login_required: 'Sie sind nicht angemeldet. Melden Sie sich an, und machen Sie weiter.',
    second_factor_required:
      'Dafür ist der zweite Schritt Ihrer Anmeldung nötig. Schließen Sie ihn ab, und machen Sie weiter.',
    set_up_already: 'Ein zweiter Faktor ist schon eingerichtet.',
    not_for_api_clients: 'Das ist nur für Personen.',
  },
}
