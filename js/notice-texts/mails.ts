// The mails that notices make, the parts of each, and the ids of their texts. Languages differ in the texts alone.
//
// Advice is a list of steps that mails share, so that a host replaces a sentence such as "tell an owner" once.
import type { Method, NoticeKind } from '../wasm.js'

/** The kinds of notice that owners get as well. A test compares them with the rules. */
type OwnersKind =
  | 'first_factor_by_password'
  | 'recovery_code_issued'
  | 'recovery_code_replaced'
  | 'recovery_code_withdrawn'
  | 'recovery_code_used'
  | 'moved'
  | 'moved_without_factors'
  | 'reset'

/** A mail: the kind of a notice, and the people it is for. */
export type MailId = `${NoticeKind}.user` | `${OwnersKind}.owners`

/** The methods that a mail names. A mail about codes says so in its title. */
type OwnFactor = Exclude<Method, 'backup_code' | 'recovery_code' | 'trusted_browser'>

/** Facts that stand in the mail line by line, where the notice has them. */
type Fact = 'user' | 'method' | 'name' | 'by' | 'codes' | 'time' | 'address'

/** The question whether the change was meant: the sentence where it was, and the heading of the steps where it was not. */
type Situation =
  | 'not_you'
  | 'mistyped'
  | 'not_asked'
  | 'code_needed'
  | 'unexplained'
  | 'not_sure'
  | 'not_known'
  | 'user_needs_code'
  | 'cannot_log_in'
  | 'user_cannot_log_in'
  | 'reset'

type Step =
  // for the user
  | 'password'
  | 'sessions'
  | 'browsers'
  | 'since_trust'
  | 'factors'
  | 'set_up'
  | 'codes'
  | 'support'
  | 'rescue'
  | 'report'
  | 'secret'
  | 'ask_for_code'
  | 'code_after_move'
  | 'report_move'
  // for the owners
  | 'ask_user'
  | 'issue_code'
  | 'secure_user'
  | 'report_user'
  | 'ask_owners'
  | 'withdraw'
  | 'secure_owners'
  | 'new_code'
  | 'tell_support'
  | 'issue_code_after_move'
  | 'tell_support_of_move'
  | 'ask_owners_of_reset'

/** The id of a text. */
export type NoticeTextId =
  | `${MailId}.${'title' | 'happened'}`
  | `fact.${Fact}`
  | `method.${OwnFactor}`
  | `situation.${Situation}.${'fine' | 'heading'}`
  | `step.${Step}`
  | 'subject'
  | 'time'
  | 'operator'
  | 'codes.few'
  | 'codes.none'
  | 'link.user'
  | 'link.owners'
  | 'footer'

/** All texts of a language. */
export interface NoticeLanguage {
  /** The language by BCP 47: of the HTML, and of the names of months and time zones. */
  locale: string
  texts: Readonly<Record<NoticeTextId, string>>
}

/** The parts of a mail. Its title and what happened come first, then these facts and the time and address of the change. */
export interface MailParts {
  facts: readonly Fact[]
  situation: Situation
  steps: readonly Step[]
  /** Whether the mail asks for new backup codes where few are left. */
  urgesNewCodes?: true
}

export const MAILS: Readonly<Record<MailId, MailParts>> = {
  'factor_added.user': {
    facts: ['method', 'name'],
    situation: 'not_you',
    steps: ['password', 'sessions', 'factors', 'support'],
  },
  'first_factor_by_password.user': {
    facts: ['method'],
    situation: 'not_you',
    steps: ['rescue', 'password', 'factors'],
  },
  'factor_replaced.user': {
    facts: ['method', 'name'],
    situation: 'not_you',
    steps: ['password', 'sessions', 'factors', 'support'],
  },
  'factor_removed.user': {
    facts: ['method', 'name'],
    situation: 'not_you',
    steps: ['password', 'sessions', 'set_up', 'support'],
  },
  'app_imported.user': {
    facts: ['name'],
    situation: 'not_you',
    steps: ['password', 'sessions', 'factors', 'support'],
  },
  'backup_codes_renewed.user': {
    facts: ['codes'],
    situation: 'not_you',
    steps: ['password', 'sessions', 'codes', 'support'],
  },
  'backup_code_used.user': {
    facts: ['codes'],
    situation: 'not_you',
    steps: ['password', 'sessions', 'codes', 'support'],
    urgesNewCodes: true,
  },
  'recovery_code_issued.user': { facts: ['by'], situation: 'not_asked', steps: ['secret', 'report', 'password'] },
  'recovery_code_replaced.user': { facts: [], situation: 'not_asked', steps: ['secret', 'report', 'password'] },
  'recovery_code_withdrawn.user': { facts: [], situation: 'code_needed', steps: ['ask_for_code'] },
  'recovery_code_used.user': {
    facts: [],
    situation: 'not_you',
    steps: ['report', 'password', 'sessions', 'factors'],
  },
  'moved.user': { facts: [], situation: 'not_known', steps: ['factors', 'report'] },
  'moved_without_factors.user': {
    facts: [],
    situation: 'cannot_log_in',
    steps: ['code_after_move', 'set_up', 'report_move'],
  },
  'reset.user': { facts: ['by'], situation: 'reset', steps: ['secret', 'report', 'password'] },
  'browser_trusted.user': {
    facts: ['name'],
    situation: 'not_you',
    steps: ['password', 'sessions', 'browsers', 'support'],
  },
  'trusted_browser_copied.user': {
    facts: ['name'],
    situation: 'unexplained',
    steps: ['password', 'sessions', 'browsers', 'since_trust'],
  },
  'locked.user': { facts: [], situation: 'mistyped', steps: ['password', 'sessions', 'support'] },

  'first_factor_by_password.owners': {
    facts: ['user', 'method'],
    situation: 'not_sure',
    steps: ['ask_user', 'issue_code', 'secure_user'],
  },
  'recovery_code_issued.owners': {
    facts: ['user', 'by'],
    situation: 'not_known',
    steps: ['ask_owners', 'withdraw', 'secure_owners'],
  },
  'recovery_code_replaced.owners': {
    facts: ['user'],
    situation: 'not_known',
    steps: ['ask_owners', 'withdraw', 'secure_owners'],
  },
  'recovery_code_withdrawn.owners': { facts: ['user'], situation: 'user_needs_code', steps: ['new_code'] },
  'recovery_code_used.owners': {
    facts: ['user'],
    situation: 'not_sure',
    steps: ['ask_user', 'report_user', 'secure_user'],
  },
  'moved.owners': { facts: ['user'], situation: 'not_known', steps: ['tell_support'] },
  'moved_without_factors.owners': {
    facts: ['user'],
    situation: 'user_cannot_log_in',
    steps: ['issue_code_after_move', 'tell_support_of_move'],
  },
  'reset.owners': {
    facts: ['user', 'by'],
    situation: 'not_known',
    steps: ['ask_owners_of_reset', 'withdraw', 'secure_owners'],
  },
}
