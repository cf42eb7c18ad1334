// The second factor as a provider of NestJS: the logins of the host's own handlers, and the question of the guard.
import { Inject, Injectable } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import {
  type Adapter,
  type AdapterAnswer,
  type AdapterOptions,
  type Admission,
  CountersignError,
  createAdapter,
  type LoginInput,
  type PassRules,
  type SessionPlace,
} from '../adapter.js'
import {
  type NestContext,
  type NestHttpServer,
  type NestRequest,
  partsOf,
  remember,
  requestOf,
  setHeaders,
} from './nestjs-request.js'

/** Options of the adapter. */
export interface NestOptions extends Omit<AdapterOptions, 'name'> {
  /** Where the login is kept: `expressSession()` of `countersign/express`, or a place of your own; by default in a sealed cookie. */
  session?: ((req: NestRequest) => SessionPlace) | undefined
}

/** The token of the options. @internal */
export const OPTIONS = Symbol('options of Countersign')

/** The second factor, for your own handlers. */
export class SecondFactorService {
  readonly #adapter: Adapter
  readonly #session: NestOptions['session']
  readonly #host: { readonly httpAdapter: unknown }

  /** NestJS makes it. */
  constructor({ session, ...options }: NestOptions, host: { readonly httpAdapter: unknown }) {
    if ((options as AdapterOptions).name !== undefined)
      throw new CountersignError('invalid_input', 'name', 'leave it out: an app of NestJS has one second factor')
    this.#adapter = createAdapter(options)
    this.#session = session
    this.#host = host
  }

  /**
   * Takes a login whose first factor passed, and answers it. Call it in place of your own "the user is in", in a handler that has the
   * response by `@Res()`.
   */
  async login(req: NestRequest, res: unknown, input: LoginInput): Promise<void> {
    this.#send(res, await this.#adapter.login(this.#placed(req, res), input))
  }

  /** Ends the login, and answers. */
  async logOut(req: NestRequest, res: unknown): Promise<void> {
    this.#send(res, await this.#adapter.logOut(this.#placed(req, res)))
  }

  /** Carries out an action by its name, and answers. @internal */
  async act(req: NestRequest, res: unknown, name: string): Promise<void> {
    this.#send(res, await this.#adapter.act(this.#placed(req, res), name))
  }

  /**
   * Remembers the request with which a WebSocket began, so that its handlers can be reached. Call it in `handleConnection`. `ip` is the
   * client's address behind proxies of yours; by default it is that of the connection.
   */
  connected(client: object, request: NestRequest, ip?: string): void {
    remember(client, request, ip)
  }

  /** The person of a handler, or the answer to it; nothing where no request of a person is behind it. @internal */
  async admit(context: NestContext, rules: PassRules): Promise<Admission | undefined> {
    const parts = partsOf(context)
    if (parts === undefined) return undefined
    const { req, res } = parts
    const admission = await this.#adapter.admit(this.#placed(req, res), rules)
    if (admission.answer && res !== undefined) setHeaders(this.#server, res, admission.answer)
    return admission
  }

  get #server(): NestHttpServer {
    return this.#host.httpAdapter as NestHttpServer
  }

  #placed(req: NestRequest, res: unknown) {
    return requestOf(req, this.#session, this.#server, res)
  }

  #send(res: unknown, answer: AdapterAnswer): void {
    setHeaders(this.#server, res, answer)
    this.#server.reply(res, answer.body, answer.status)
  }
}

Injectable()(SecondFactorService)
Inject(OPTIONS)(SecondFactorService, undefined, 0)
Inject(HttpAdapterHost)(SecondFactorService, undefined, 1)
