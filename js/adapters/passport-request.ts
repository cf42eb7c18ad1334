// The functions that Passport puts on a request, replaced: Passport leaves `logIn` and its like alone where a request has them already, so that
// every strategy's success comes here.
import { CountersignError } from '../adapter.js'
import type { ExpressRequest } from './express-request.js'

/** Options of `passport.authenticate` that a login looks at. @internal */
export interface LogInOptions {
  /** `false`: the client keeps the session as a value; see `LoginInput.carry`. */
  session?: boolean
  /** See `LoginInput.fromOtherSite`: for an identity provider that answers by POST, as SAML does. */
  fromOtherSite?: boolean
}

type Done = (error?: unknown) => unknown

/** The request, with what Passport puts on it. @internal */
export interface PassportRequest extends ExpressRequest {
  user?: unknown
  session?: Record<string, unknown>
  sessionStore?: { generate?(req: unknown): void }
}

/** The actions that Passport gives to a strategy. */
export interface PassportActions {
  /** The user is in. */
  success(user: unknown, info?: unknown): void
  /** The user is not, with the reply as `info`. */
  fail(info?: unknown, status?: number): void
  /** Sends the person to another page. */
  redirect(url: string, status?: number): void
  /** Something failed that is no fault of the user. */
  error(error: unknown): void
}

/** A strategy, as Passport takes it. */
export interface PassportStrategy {
  /** Its name, `second-factor`. */
  name: string
  /** Takes the code of a request. */
  authenticate(this: PassportActions, req: ExpressRequest, options?: { failureRedirect?: unknown }): void
}

/** The jobs in the place of Passport's. Each says whether the app goes on; else the response is sent. @internal */
export interface Jobs<User> {
  logIn(req: PassportRequest, user: User, options: LogInOptions): Promise<boolean>
  logOut(req: PassportRequest): Promise<boolean>
  isIn(): boolean
  /** Takes an error that a callback threw. */
  failed(error: unknown): void
}

/** Puts the jobs on a request. A login that Passport itself kept, before there was a second factor, is dropped. @internal */
export function takeOver<User>(req: PassportRequest, jobs: Jobs<User>): void {
  const finish = (job: Promise<boolean>, done: Done) =>
    void job.then((goesOn) => (goesOn ? done() : undefined), done).catch(jobs.failed)
  const logIn = (user: User, ...rest: unknown[]) => {
    const { options, done } = readRest<LogInOptions>('logIn', rest)
    finish(jobs.logIn(req, user, options), done)
  }
  const logOut = (...rest: unknown[]) => finish(jobs.logOut(req), readRest('logOut', rest).done)
  const isAuthenticated = jobs.isIn
  const isUnauthenticated = () => !jobs.isIn()
  Object.assign(req, { logIn, login: logIn, logOut, logout: logOut, isAuthenticated, isUnauthenticated })
  const kept = req.session?.passport
  if (typeof kept === 'object' && kept !== null) delete (kept as { user?: unknown }).user
}

/** Options and callback; the options may be left out. */
function readRest<Options extends object>(name: string, rest: unknown[]): { options: Options; done: Done } {
  const [options, done] = typeof rest[0] === 'function' ? [undefined, rest[0]] : rest
  if (typeof done !== 'function')
    throw new CountersignError('invalid_input', 'done', `\`req.${name}\` needs a callback: it answers later`)
  return { options: { ...(options as Options) }, done: done as Done }
}

/** A new session of express-session, so that the handler after a log-out has one, as Passport's own gives it. @internal */
export function giveSession(req: PassportRequest): void {
  if (req.session === undefined) req.sessionStore?.generate?.(req)
}
