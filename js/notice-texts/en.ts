// The texts of notices in English.
import type { NoticeLanguage } from './mails.js'

export const en: NoticeLanguage = {
  locale: 'en-GB',
  texts: {
    subject: '{service}: {title}',
    time: '{date}, {clock} ({zone})',

    'fact.user': 'User',
    'fact.method': 'Second factor',
    'fact.name': 'Name',
    'fact.by': 'Issued by',
    'fact.codes': 'Backup codes left',
    'fact.time': 'Time',
    'fact.address': 'IP address',

    'method.totp': 'authenticator app',
    'method.sms': 'code by SMS',
    operator: '{service} support',

    // For the user

    'factor_added.user.title': 'A second factor was added to your login',
    'factor_added.user.happened':
      'A second factor was set up for your login at {service}. From now on, logins can be confirmed with it.',

    'first_factor_by_password.user.title': 'Your second factor was set up at a login',
    'first_factor_by_password.user.happened':
      'Your password was enough to set it up, because {service} asks for a second factor and you had none yet. From now on, logins are confirmed with it.',

    'factor_replaced.user.title': 'A second factor of your login was replaced',
    'factor_replaced.user.happened':
      'The new one confirms your logins at {service} from now on. The one that it replaced no longer does.',

    'factor_removed.user.title': 'A second factor was removed from your login',
    'factor_removed.user.happened':
      'Logins at {service} can no longer be confirmed with it. If you have no other one, your password alone may now be enough to log in.',

    'app_imported.user.title': 'Your authenticator app from before was used here for the first time',
    'app_imported.user.happened':
      '{service} support took over an authenticator app that was set up for you in the earlier system. This was the first login since. Backup codes of the earlier system do not work here.',

    'backup_codes_renewed.user.title': 'New backup codes were made for your login',
    'backup_codes_renewed.user.happened': 'The earlier backup codes for {service} no longer work.',

    'backup_code_used.user.title': 'One of your backup codes was used',
    'backup_code_used.user.happened': 'It was used for a login at {service} and does not work a second time.',

    'recovery_code_issued.user.title': 'A recovery code was issued for you',
    'recovery_code_issued.user.happened':
      'With it and your password you can log in to {service} once without your second factor. The code is not in this message: you get it from the person who issued it.',

    'recovery_code_replaced.user.title': 'Your recovery code was replaced',
    'recovery_code_replaced.user.happened':
      'A new recovery code was issued for your login at {service}. The earlier one was not used and no longer works.',

    'recovery_code_withdrawn.user.title': 'Your recovery code was withdrawn',
    'recovery_code_withdrawn.user.happened': 'The code for your login at {service} was not used and no longer works.',

    'recovery_code_used.user.title': 'Your recovery code was used',
    'recovery_code_used.user.happened':
      'It was used for a login at {service} without your second factor, and does not work a second time.',

    'moved.user.title': 'Your second factor was moved with your account',
    'moved.user.happened':
      'Your user account at {service} was moved. Apps and phones came along. Backup codes from before no longer work.',

    'moved_without_factors.user.title': 'Your second factor did not come along with your account',
    'moved_without_factors.user.happened':
      'Your user account at {service} was moved. Apps, phones and backup codes from before no longer work. Without another second factor there, you log in with your password and a recovery code.',

    'reset.user.title': 'Your second factor was reset',
    'reset.user.happened':
      'All your second factors and backup codes for {service} were removed and no longer count. You can log in with your password and a recovery code only. The code is not in this message: you get it from the person who issued it.',

    'browser_trusted.user.title': 'A browser is now trusted at your login',
    'browser_trusted.user.happened':
      'Until this trust ends, logins at {service} from this browser need your password and no code. You can end it in your security settings.',

    'trusted_browser_copied.user.title': 'A trusted browser may have been copied',
    'trusted_browser_copied.user.happened':
      'An outdated copy of its login data was used at {service}, after your right password. The browser is no longer trusted. Every login by this browser since you trusted it may have been by the copy.',

    'locked.user.title': 'Too many wrong codes at your login',
    'locked.user.happened':
      'The codes were typed after your right password. {service} now takes no codes for a while. After very many wrong ones, only a recovery code helps.',

    'situation.not_you.fine': 'If this was you, there is nothing to do.',
    'situation.not_you.heading': 'If this was not you',
    'situation.mistyped.fine': 'If this was you, wait for a while and then try again.',
    'situation.mistyped.heading': 'If this was not you',
    'situation.unexplained.fine':
      'If you have restored this browser from a backup, or lost the connection at your last login, there is nothing to do.',
    'situation.unexplained.heading': 'If you are not sure',
    'situation.not_asked.fine': 'If you asked for it, there is nothing to do.',
    'situation.not_asked.heading': 'If you did not ask for it',
    'situation.code_needed.fine': 'If you can log in, there is nothing to do.',
    'situation.code_needed.heading': 'If you still need a code',
    'situation.cannot_log_in.fine': 'If you knew about it and can log in, there is nothing to do.',
    'situation.cannot_log_in.heading': 'If you cannot log in, or did not know about it',

    'situation.reset.fine': 'If you asked for it, log in with the code and set up your second factor again.',
    'situation.reset.heading': 'If you did not ask for it',

    'step.password': 'Change your password at once.',
    'step.sessions': 'End all your other sessions.',
    'step.browsers': 'Look at your trusted browsers, and remove each one that is not yours.',
    'step.since_trust': 'Look through everything that was done with your login since you trusted this browser.',
    'step.factors': 'Look at your second factors, and remove each one that is not yours.',
    'step.set_up': 'Set up your second factor again.',
    'step.codes': 'Make new backup codes. The others then no longer work.',
    'step.support': 'If you cannot log in, tell an owner of your account or {service} support.',
    'step.rescue':
      'Tell an owner of your account or {service} support at once. With a recovery code from them you can log in again.',
    'step.report': 'Tell an owner of your account or {service} support at once.',
    'step.secret': 'Give the code to nobody, not even to someone who asks for it in the name of {service}.',
    'step.ask_for_code': 'Ask an owner of your account or {service} support for a new one.',
    'step.code_after_move':
      'Ask an owner of your account or {service} support for a recovery code, and log in with it.',
    'step.report_move':
      'If you did not know that your user account would be moved, tell an owner of your account or {service} support at once.',

    // For the owners

    'first_factor_by_password.owners.title': '{user} set up a second factor at a login',
    'first_factor_by_password.owners.happened':
      'The password was enough to set it up, because {service} asks for a second factor and {user} had none yet. From now on, logins of {user} are confirmed with it.',

    'recovery_code_issued.owners.title': 'A recovery code was issued for {user}',
    'recovery_code_issued.owners.happened':
      'With it and the password, one login at {service} is possible without a second factor.',

    'recovery_code_replaced.owners.title': 'The recovery code for {user} was replaced',
    'recovery_code_replaced.owners.happened': 'A new one was issued. The earlier one was not used and no longer works.',

    'recovery_code_withdrawn.owners.title': 'The recovery code for {user} was withdrawn',
    'recovery_code_withdrawn.owners.happened': '{service} support withdrew it. It was not used and no longer works.',

    'recovery_code_used.owners.title': 'The recovery code for {user} was used',
    'recovery_code_used.owners.happened':
      'It was used for a login at {service} without a second factor, and does not work a second time.',

    'moved.owners.title': 'The second factor of {user} was moved to your account',
    'moved.owners.happened': '{service} support moved the user account of {user}. Apps and phones came along.',

    'moved_without_factors.owners.title': 'The second factor of {user} did not come along to your account',
    'moved_without_factors.owners.happened':
      '{service} support moved the user account of {user}. Apps and phones from before no longer work. Without another second factor here, {user} logs in with the password and a recovery code.',

    'reset.owners.title': 'The second factor of {user} was reset',
    'reset.owners.happened':
      'All second factors and backup codes of {user} were removed. A login at {service} now needs the password and a recovery code, which was issued.',

    'situation.not_sure.fine': 'If this was {user}, there is nothing to do.',
    'situation.not_sure.heading': 'If you are not sure',
    'situation.not_known.fine': 'If you know about it, there is nothing to do.',
    'situation.not_known.heading': 'If you do not know about it',
    'situation.user_needs_code.fine': 'If {user} can log in, there is nothing to do.',
    'situation.user_needs_code.heading': 'If {user} still needs a code',
    'situation.user_cannot_log_in.fine': 'If you know about it and {user} can log in, there is nothing to do.',
    'situation.user_cannot_log_in.heading': 'If {user} cannot log in, or you do not know about it',

    'step.ask_user': 'Ask {user}, by phone or in person.',
    'step.issue_code':
      'If it was someone else, issue a recovery code and give it to {user} yourself. It lets {user} log in without the second factor that was set up.',
    'step.secure_user': 'Ask {user} to change the password and to end all other sessions.',
    'step.report_user': 'If it was someone else, tell {service} support at once.',
    'step.ask_owners': 'Ask the other owners whether they issued the code, or had {service} support issue it.',
    'step.ask_owners_of_reset': 'Ask the other owners whether they did it.',
    'step.withdraw': 'If none of them did, tell {service} support at once. They can withdraw the code.',
    'step.secure_owners': 'Then each owner should change the password and end all other sessions.',
    'step.new_code': 'Issue a new one, or ask {service} support for it.',
    'step.tell_support': 'Tell {service} support at once.',
    'step.issue_code_after_move':
      'Issue a recovery code and give it to {user} yourself, or ask {service} support to do so.',
    'step.tell_support_of_move': 'If you do not know about the move of {user}, tell {service} support at once.',

    // In every mail

    'codes.few': 'Only a few backup codes are left. Make new ones in good time.',
    'codes.none': 'That was the last backup code. Make new ones.',
    'link.user': 'Your security settings',
    'link.owners': 'The users of your account',
    footer:
      '{service} sends this message because it is about the security of a login. A message like this never asks for a password or a code.',
  },
}
