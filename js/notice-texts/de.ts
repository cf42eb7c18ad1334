// The texts of notices in German.
import type { NoticeLanguage } from './mails.js'

export const de: NoticeLanguage = {
  locale: 'de',
  texts: {
    subject: '{service}: {title}',
    time: '{date}, {clock} Uhr ({zone})',

    'fact.user': 'Person',
    'fact.method': 'Zweiter Faktor',
    'fact.name': 'Name',
    'fact.by': 'Ausgestellt von',
    'fact.codes': 'Verbleibende Backup-Codes',
    'fact.time': 'Zeitpunkt',
    'fact.address': 'IP-Adresse',

    'method.totp': 'Authenticator-App',
    'method.sms': 'Code per SMS',
    operator: 'Support von {service}',

    // For the user

    'factor_added.user.title': 'Für Ihre Anmeldung wurde ein zweiter Faktor eingerichtet',
    'factor_added.user.happened':
      'Ihre Anmeldung bei {service} hat einen neuen zweiten Faktor. Ab jetzt lassen sich Anmeldungen damit bestätigen.',

    'first_factor_by_password.user.title': 'Ihr zweiter Faktor wurde bei einer Anmeldung eingerichtet',
    'first_factor_by_password.user.happened':
      'Dafür genügte Ihr Passwort, weil {service} einen zweiten Faktor verlangt und Sie noch keinen hatten. Ab jetzt werden Anmeldungen damit bestätigt.',

    'factor_replaced.user.title': 'Ein zweiter Faktor Ihrer Anmeldung wurde ersetzt',
    'factor_replaced.user.happened':
      'Ab jetzt bestätigt der neue Ihre Anmeldungen bei {service}. Der bisherige gilt nicht mehr.',

    'factor_removed.user.title': 'Ein zweiter Faktor Ihrer Anmeldung wurde entfernt',
    'factor_removed.user.happened':
      'Anmeldungen bei {service} lassen sich damit nicht mehr bestätigen. Haben Sie keinen anderen, genügt zur Anmeldung nun möglicherweise Ihr Passwort allein.',

    'app_imported.user.title': 'Ihre bisherige Authenticator-App wurde hier zum ersten Mal verwendet',
    'app_imported.user.happened':
      'Der Support von {service} hat eine Authenticator-App übernommen, die für Sie im bisherigen System eingerichtet war. Dies war die erste Anmeldung seitdem. Backup-Codes des bisherigen Systems gelten hier nicht.',

    'backup_codes_renewed.user.title': 'Für Ihre Anmeldung wurden neue Backup-Codes erstellt',
    'backup_codes_renewed.user.happened': 'Die bisherigen Backup-Codes für {service} gelten nicht mehr.',

    'backup_code_used.user.title': 'Einer Ihrer Backup-Codes wurde verwendet',
    'backup_code_used.user.happened': 'Er wurde für eine Anmeldung bei {service} verwendet und gilt kein zweites Mal.',

    'recovery_code_issued.user.title': 'Für Sie wurde ein Wiederherstellungscode ausgestellt',
    'recovery_code_issued.user.happened':
      'Mit ihm und Ihrem Passwort können Sie sich einmal ohne Ihren zweiten Faktor bei {service} anmelden. Der Code steht nicht in dieser Nachricht: Sie erhalten ihn von der Person, die ihn ausgestellt hat.',

    'recovery_code_replaced.user.title': 'Ihr Wiederherstellungscode wurde ersetzt',
    'recovery_code_replaced.user.happened':
      'Für Ihre Anmeldung bei {service} wurde ein neuer Wiederherstellungscode ausgestellt. Der bisherige wurde nicht verwendet und gilt nicht mehr.',

    'recovery_code_withdrawn.user.title': 'Ihr Wiederherstellungscode wurde zurückgezogen',
    'recovery_code_withdrawn.user.happened':
      'Der Code für Ihre Anmeldung bei {service} wurde nicht verwendet und gilt nicht mehr.',

    'recovery_code_used.user.title': 'Ihr Wiederherstellungscode wurde verwendet',
    'recovery_code_used.user.happened':
      'Er wurde für eine Anmeldung bei {service} ohne Ihren zweiten Faktor verwendet und gilt kein zweites Mal.',

    'moved.user.title': 'Ihr zweiter Faktor ist mit Ihrem Konto umgezogen',
    'moved.user.happened':
      'Ihr Zugang zu {service} wurde an eine andere Stelle verlegt. Apps und Telefone sind mitgekommen. Frühere Backup-Codes gelten nicht mehr.',

    'moved_without_factors.user.title': 'Ihr zweiter Faktor ist nicht mit Ihrem Konto umgezogen',
    'moved_without_factors.user.happened':
      'Ihr Zugang zu {service} wurde an eine andere Stelle verlegt. Frühere Apps, Telefone und Backup-Codes gelten nicht mehr. Ohne einen anderen zweiten Faktor dort melden Sie sich mit Ihrem Passwort und einem Wiederherstellungscode an.',

    'reset.user.title': 'Ihr zweiter Faktor wurde zurückgesetzt',
    'reset.user.happened':
      'Alle Ihre zweiten Faktoren und Backup-Codes für {service} wurden entfernt und gelten nicht mehr. Anmelden können Sie sich nur mit Ihrem Passwort und einem Wiederherstellungscode. Der Code steht nicht in dieser Nachricht: Sie erhalten ihn von der Person, die ihn ausgestellt hat.',

    'browser_trusted.user.title': 'Ein Browser gilt bei Ihrer Anmeldung nun als vertrauenswürdig',
    'browser_trusted.user.happened':
      'Solange das gilt, genügt zur Anmeldung bei {service} mit diesem Browser Ihr Passwort, ohne Code. In Ihren Sicherheitseinstellungen können Sie es beenden.',

    'trusted_browser_copied.user.title': 'Ein vertrauenswürdiger Browser wurde möglicherweise kopiert',
    'trusted_browser_copied.user.happened':
      'Eine veraltete Kopie seiner Anmeldedaten wurde bei {service} verwendet, nach Ihrem richtigen Passwort. Der Browser gilt nicht mehr als vertrauenswürdig. Jede Anmeldung mit diesem Browser, seit Sie ihm vertrauen, kann von der Kopie stammen.',

    'locked.user.title': 'Zu viele falsche Codes bei Ihrer Anmeldung',
    'locked.user.happened':
      'Die Codes wurden nach Ihrem richtigen Passwort eingegeben. {service} nimmt nun eine Zeit lang keine Codes an. Nach sehr vielen falschen Codes hilft nur noch ein Wiederherstellungscode.',

    'situation.not_you.fine': 'Wenn Sie das selbst waren, müssen Sie nichts tun.',
    'situation.not_you.heading': 'Wenn Sie das nicht waren',
    'situation.mistyped.fine':
      'Wenn Sie das selbst waren, warten Sie eine Weile und versuchen Sie es dann noch einmal.',
    'situation.mistyped.heading': 'Wenn Sie das nicht waren',
    'situation.unexplained.fine':
      'Wenn Sie diesen Browser aus einer Sicherung wiederhergestellt haben oder bei Ihrer letzten Anmeldung die Verbindung abbrach, müssen Sie nichts tun.',
    'situation.unexplained.heading': 'Wenn Sie nicht sicher sind',
    'situation.not_asked.fine': 'Wenn Sie darum gebeten haben, müssen Sie nichts tun.',
    'situation.not_asked.heading': 'Wenn Sie nicht darum gebeten haben',
    'situation.code_needed.fine': 'Wenn Sie sich anmelden können, müssen Sie nichts tun.',
    'situation.code_needed.heading': 'Wenn Sie noch einen Code brauchen',
    'situation.cannot_log_in.fine': 'Wenn Sie davon wussten und sich anmelden können, müssen Sie nichts tun.',
    'situation.cannot_log_in.heading': 'Wenn Sie sich nicht anmelden können oder nichts davon wussten',

    'situation.reset.fine':
      'Wenn Sie darum gebeten haben, melden Sie sich mit dem Code an, und richten Sie Ihren zweiten Faktor neu ein.',
    'situation.reset.heading': 'Wenn Sie nicht darum gebeten haben',

    'step.password': 'Ändern Sie sofort Ihr Passwort.',
    'step.sessions': 'Beenden Sie alle Ihre anderen Sitzungen.',
    'step.browsers': 'Prüfen Sie Ihre vertrauenswürdigen Browser, und entfernen Sie jeden, der nicht von Ihnen stammt.',
    'step.since_trust': 'Prüfen Sie alles, was mit Ihrem Zugang geschehen ist, seit Sie diesem Browser vertrauen.',
    'step.factors': 'Prüfen Sie Ihre zweiten Faktoren, und entfernen Sie jeden, der nicht von Ihnen stammt.',
    'step.set_up': 'Richten Sie Ihren zweiten Faktor neu ein.',
    'step.codes': 'Erstellen Sie neue Backup-Codes. Die anderen gelten dann nicht mehr.',
    'step.support':
      'Wenn Sie sich nicht anmelden können, wenden Sie sich an die Verwaltung Ihres Kontos oder an den Support von {service}.',
    'step.rescue':
      'Wenden Sie sich sofort an die Verwaltung Ihres Kontos oder an den Support von {service}. Mit einem Wiederherstellungscode von dort können Sie sich wieder anmelden.',
    'step.report': 'Melden Sie das sofort der Verwaltung Ihres Kontos oder dem Support von {service}.',
    'step.secret': 'Geben Sie den Code niemandem, auch nicht, wenn jemand im Namen von {service} danach fragt.',
    'step.ask_for_code': 'Bitten Sie die Verwaltung Ihres Kontos oder den Support von {service} um einen neuen Code.',
    'step.code_after_move':
      'Bitten Sie die Verwaltung Ihres Kontos oder den Support von {service} um einen Wiederherstellungscode, und melden Sie sich damit an.',
    'step.report_move':
      'Wenn Sie nicht wussten, dass Ihr Zugang verlegt wird, melden Sie das sofort der Verwaltung Ihres Kontos oder dem Support von {service}.',

    // For the owners

    'first_factor_by_password.owners.title': '{user} hat bei einer Anmeldung einen zweiten Faktor eingerichtet',
    'first_factor_by_password.owners.happened':
      'Dafür genügte das Passwort, weil {service} einen zweiten Faktor verlangt und {user} noch keinen hatte. Ab jetzt werden Anmeldungen von {user} damit bestätigt.',

    'recovery_code_issued.owners.title': 'Für {user} wurde ein Wiederherstellungscode ausgestellt',
    'recovery_code_issued.owners.happened':
      'Mit ihm und dem Passwort ist einmal eine Anmeldung bei {service} ohne zweiten Faktor möglich.',

    'recovery_code_replaced.owners.title': 'Der Wiederherstellungscode für {user} wurde ersetzt',
    'recovery_code_replaced.owners.happened':
      'Ein neuer wurde ausgestellt. Der bisherige wurde nicht verwendet und gilt nicht mehr.',

    'recovery_code_withdrawn.owners.title': 'Der Wiederherstellungscode für {user} wurde zurückgezogen',
    'recovery_code_withdrawn.owners.happened':
      'Der Support von {service} hat ihn zurückgezogen. Er wurde nicht verwendet und gilt nicht mehr.',

    'recovery_code_used.owners.title': 'Der Wiederherstellungscode für {user} wurde verwendet',
    'recovery_code_used.owners.happened':
      'Er wurde für eine Anmeldung bei {service} ohne zweiten Faktor verwendet und gilt kein zweites Mal.',

    'moved.owners.title': 'Der zweite Faktor von {user} ist in Ihr Konto umgezogen',
    'moved.owners.happened':
      'Der Support von {service} hat den Zugang von {user} verlegt. Apps und Telefone sind mitgekommen.',

    'moved_without_factors.owners.title': 'Der zweite Faktor von {user} ist nicht in Ihr Konto umgezogen',
    'moved_without_factors.owners.happened':
      'Der Support von {service} hat den Zugang von {user} verlegt. Frühere Apps und Telefone gelten nicht mehr. Ohne einen anderen zweiten Faktor hier meldet sich {user} mit dem Passwort und einem Wiederherstellungscode an.',

    'reset.owners.title': 'Der zweite Faktor von {user} wurde zurückgesetzt',
    'reset.owners.happened':
      'Alle zweiten Faktoren und Backup-Codes von {user} wurden entfernt. Eine Anmeldung bei {service} braucht nun das Passwort und einen Wiederherstellungscode, der ausgestellt wurde.',

    'situation.not_sure.fine': 'Wenn das {user} selbst war, müssen Sie nichts tun.',
    'situation.not_sure.heading': 'Wenn Sie nicht sicher sind',
    'situation.not_known.fine': 'Wenn Sie davon wissen, müssen Sie nichts tun.',
    'situation.not_known.heading': 'Wenn Sie nichts davon wissen',
    'situation.user_needs_code.fine': 'Wenn {user} sich anmelden kann, müssen Sie nichts tun.',
    'situation.user_needs_code.heading': 'Wenn {user} noch einen Code braucht',
    'situation.user_cannot_log_in.fine': 'Wenn Sie davon wissen und {user} sich anmelden kann, müssen Sie nichts tun.',
    'situation.user_cannot_log_in.heading': 'Wenn {user} sich nicht anmelden kann oder Sie nichts davon wissen',

    'step.ask_user': 'Fragen Sie {user}, am Telefon oder persönlich.',
    'step.issue_code':
      'War es jemand anderes, stellen Sie einen Wiederherstellungscode aus, und geben Sie ihn {user} selbst. Mit ihm gelingt die Anmeldung ohne den zweiten Faktor, der eingerichtet wurde.',
    'step.secure_user': 'Bitten Sie {user}, das Passwort zu ändern und alle anderen Sitzungen zu beenden.',
    'step.report_user': 'War es jemand anderes, melden Sie das sofort dem Support von {service}.',
    'step.ask_owners':
      'Fragen Sie die anderen Personen, die das Konto verwalten, ob sie den Code ausgestellt oder beim Support von {service} angefordert haben.',
    'step.ask_owners_of_reset': 'Fragen Sie die anderen Personen, die das Konto verwalten, ob sie das getan haben.',
    'step.withdraw':
      'War es niemand von ihnen, melden Sie das sofort dem Support von {service}. Dort kann der Code zurückgezogen werden.',
    'step.secure_owners':
      'Danach sollten alle, die das Konto verwalten, ihr Passwort ändern und alle anderen Sitzungen beenden.',
    'step.new_code': 'Stellen Sie einen neuen aus, oder bitten Sie den Support von {service} darum.',
    'step.tell_support': 'Melden Sie das sofort dem Support von {service}.',
    'step.issue_code_after_move':
      'Stellen Sie einen Wiederherstellungscode aus, und geben Sie ihn {user} selbst, oder bitten Sie den Support von {service} darum.',
    'step.tell_support_of_move':
      'Wenn Sie nicht wissen, warum der Zugang von {user} verlegt wurde, melden Sie das sofort dem Support von {service}.',

    // In every mail

    'codes.few': 'Sie haben nur noch wenige Backup-Codes. Erstellen Sie rechtzeitig neue.',
    'codes.none': 'Das war der letzte Backup-Code. Erstellen Sie neue.',
    'link.user': 'Ihre Sicherheitseinstellungen',
    'link.owners': 'Die Personen in Ihrem Konto',
    footer:
      '{service} schickt diese Nachricht, weil sie die Sicherheit einer Anmeldung betrifft. Eine solche Nachricht fragt nie nach einem Passwort oder einem Code.',
  },
}
