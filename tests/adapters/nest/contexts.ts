// Apps of NestJS whose handlers are reached by HTTP, WebSocket, messages and GraphQL. Each handler notes that it ran.
import 'reflect-metadata'
import {
  Body,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Post,
  Req,
  Res,
  Scope,
  VersioningType,
} from '@nestjs/common'
import { ExternalContextCreator, NestFactory } from '@nestjs/core'
import { Field, GraphQLModule, Mutation, ObjectType, Query, ResolveField, Resolver } from '@nestjs/graphql'
import { MercuriusDriver } from '@nestjs/mercurius'
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { WsAdapter } from '@nestjs/platform-ws'
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { createSecondFactor, generateKeys, memoryStore, totp } from 'countersign'
import { expressSession } from 'countersign/express'
import {
  CurrentPerson,
  type NestOptions,
  type NestPlacement,
  type NestRequest,
  type Person,
  Public,
  SecondFactor,
  SecondFactorGuard,
  SecondFactorModule,
  SecondFactorService,
} from 'countersign/nestjs'
import { fixedClock } from 'countersign/testing'
import expressSessions from 'express-session'
import { firstValueFrom } from 'rxjs'

/** The handlers that ran, with their person. */
const ran: string[] = []
function run(name: string, person?: Person) {
  ran.push(person === undefined ? name : `${name} for ${person.user}`)
  return { ran: name }
}

@Injectable({ scope: Scope.REQUEST })
export class OfOneRequest {}

@Controller()
export class Http {
  constructor(@Inject(SecondFactorService) private readonly auth: SecondFactorService) {}

  @Public()
  @Post('login')
  async login(@Req() req: NestRequest, @Res() res: unknown, @Body() body: { user: string }) {
    await this.auth.login(req, res, { user: body.user })
  }

  @Public()
  @Post('log-out')
  async logOut(@Req() req: NestRequest, @Res() res: unknown) {
    await this.auth.logOut(req, res)
  }

  @Get('plain')
  plain() {
    return run('plain')
  }

  @SecondFactor()
  @Get('guarded')
  guarded(@CurrentPerson() person: Person) {
    return run('guarded', person)
  }

  @Public()
  @Get('nobody')
  nobody(@CurrentPerson() person: Person) {
    return run('nobody', person)
  }

  @Public()
  @SecondFactor()
  @Get('both')
  both() {
    return run('both')
  }
}

@SecondFactor({ maxAge: 300 })
@Controller('class')
export class ByClass {
  constructor(@Inject(OfOneRequest) readonly mine: OfOneRequest) {}

  @Get('of-class')
  ofClass(@CurrentPerson() person: Person) {
    return run('of-class', person)
  }

  @SecondFactor({ methods: ['backup_code'] })
  @Get('own')
  own() {
    return run('own')
  }

  @Public()
  @Get('open')
  open() {
    return run('open')
  }
}

@Public()
@Controller('open-class')
export class OpenClass {
  @Get('inherited')
  inherited() {
    return run('inherited')
  }
}

@Controller('below-open-class')
export class BelowOpenClass extends OpenClass {
  @Get('more')
  more() {
    return run('more')
  }
}

@WebSocketGateway()
export class Gateway {
  static remembers = true
  constructor(@Inject(SecondFactorService) private readonly auth: SecondFactorService) {}

  handleConnection(client: object, request: NestRequest) {
    if (Gateway.remembers) this.auth.connected(client, request)
  }

  @SubscribeMessage('plain')
  plain() {
    return { event: 'plain', data: run('plain') }
  }

  @SecondFactor()
  @SubscribeMessage('guarded')
  guarded(@CurrentPerson() person: Person) {
    return { event: 'guarded', data: run('guarded', person) }
  }
}

@SecondFactor()
@WebSocketGateway()
export class GuardedGateway {
  constructor(@Inject(SecondFactorService) private readonly auth: SecondFactorService) {}

  handleConnection(client: object, request: NestRequest) {
    if (Gateway.remembers) this.auth.connected(client, request)
  }

  @SubscribeMessage('plain')
  plain() {
    return { event: 'plain', data: run('plain') }
  }
}

@Controller()
export class Messages {
  @Public()
  @MessagePattern('open')
  open() {
    return run('open')
  }

  @SecondFactor()
  @MessagePattern('guarded')
  guarded() {
    return run('guarded')
  }
}

@Controller()
export class UnmarkedMessages {
  @MessagePattern('unmarked')
  unmarked() {
    return run('unmarked')
  }
}

@ObjectType()
class Answer {
  @Field(() => String)
  ran!: string
  @Field(() => String)
  secret!: string
}

@Resolver(() => Answer)
export class Graph {
  @Query(() => Answer)
  plain() {
    return run('plain')
  }

  @SecondFactor()
  @Query(() => Answer)
  guarded(@CurrentPerson() person: Person) {
    return run('guarded', person)
  }

  @SecondFactor({ maxAge: 300 })
  @Mutation(() => Answer)
  change() {
    return run('change')
  }

  @SecondFactor()
  @ResolveField(() => String)
  secret() {
    return run('secret').ran
  }
}

/** Ann's app, in a second factor whose clock moves. Others have none. */
export async function people(policy: object) {
  const clock = fixedClock(1_800_000_000)
  const secondFactor = createSecondFactor({
    policy: { ...policy, methods: ['totp'] } as never,
    keys: generateKeys(),
    store: memoryStore(),
    clock,
  })
  const begun = await secondFactor.enrollTotp({ user: 'ann', session: 'at-the-desk', label: 'ann' })
  if (begun.result !== 'totp_started') throw new Error(begun.result)
  const secret = begun.secret.replaceAll(' ', '')
  const code = () => {
    clock.advance(30)
    return totp.generate({ secret, time: clock() })
  }
  await secondFactor.confirmTotp({ user: 'ann', session: 'at-the-desk', setup: begun.setup, code: code() })
  return { secondFactor, clock, code }
}

/** The parts of an app. */
export interface Parts extends NestPlacement {
  platform?: 'express' | 'fastify'
  controllers?: unknown[]
  providers?: unknown[]
  /** Whether there is GraphQL, with guards on fields. */
  graphql?: boolean
  options?: Partial<NestOptions>
  /** Providers that the options come from, in place of `forRoot`. */
  inject?: unknown[]
  /** `useGlobalGuards`, in place of `everyHandler`. */
  globalGuard?: boolean
  prefix?: string
  sessions?: boolean
  /** Whether the module is there a second time. */
  twice?: boolean
}

/** An app that is made and not yet listening, and the people who use it. */
export async function make(policy: object, parts: Parts) {
  const { secondFactor, clock, code } = await people(policy)
  ran.length = 0
  const { controllers = [Http], providers = [], path, everyHandler, inject } = parts
  const session = parts.sessions ? { session: expressSession() } : {}
  const options = { secondFactor, onError: () => undefined, ...session, ...parts.options }
  const factor = inject
    ? SecondFactorModule.forRootAsync({ path, everyHandler, imports: [Provides], inject, useFactory: () => options })
    : SecondFactorModule.forRoot({ path, everyHandler, ...options })
  const graphql = GraphQLModule.forRoot({
    driver: MercuriusDriver,
    autoSchemaFile: true,
    fieldResolverEnhancers: ['guards'],
  })
  class App {}
  Module({
    imports: [
      factor,
      ...(parts.twice ? [SecondFactorModule.forRoot({ path: 'staff', ...options })] : []),
      ...(parts.graphql ? [graphql] : []),
    ],
    controllers: controllers as never,
    providers: [OfOneRequest, ...(providers as never[])],
  })(App)
  const platform = parts.platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter()
  const app = await NestFactory.create(App, platform, { logger: false, abortOnError: false })
  app.useWebSocketAdapter(new WsAdapter(app))
  if (parts.globalGuard) app.useGlobalGuards(app.get(SecondFactorGuard))
  if (parts.prefix)
    app.setGlobalPrefix(parts.prefix).enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
  if (parts.sessions) app.use(expressSessions({ secret: 'x', resave: false, saveUninitialized: false }))
  return { app, ran, clock, code }
}

@Module({ providers: [OfOneRequest, { provide: 'a provider', useValue: 1 }], exports: [OfOneRequest, 'a provider'] })
class Provides {}

/** The TCP transport on a free port, for an app and for a client. */
export const tcp = (port: number) => ({ transport: Transport.TCP, options: { host: '127.0.0.1', port } }) as const

/** A microservice alone, without HTTP. */
export async function makeMicroservice(policy: object, port: number, controllers: unknown[]) {
  const { secondFactor } = await people(policy)
  ran.length = 0
  class App {}
  Module({
    imports: [SecondFactorModule.forRoot({ secondFactor, everyHandler: true })],
    controllers: controllers as never,
  })(App)
  return { app: await NestFactory.createMicroservice(App, { ...tcp(port), logger: false, abortOnError: false }), ran }
}

/** Sends a message, and gives the answer or the error. */
export async function message(port: number, pattern: string) {
  const proxy = ClientProxyFactory.create(tcp(port))
  try {
    return await firstValueFrom(proxy.send(pattern, {}))
  } catch (error) {
    return { error }
  } finally {
    await proxy.close()
  }
}

/** A handler of a library, which is a provider. */
@Injectable()
export class Bot {
  @SecondFactor()
  guarded() {
    return run('guarded')
  }
}

/** Calls a handler in a context of any kind, as libraries make them. */
export function callIn(
  app: { get(token: unknown): unknown },
  token: typeof Bot | typeof Http,
  type: string,
  ...args: unknown[]
) {
  const creator = app.get(ExternalContextCreator) as ExternalContextCreator
  const host = app.get(token) as Bot
  const call = creator.create(
    host,
    host.guarded,
    'guarded',
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    type,
  )
  return call(...args)
}

// The types are no `any`, for the test of them.
// @ts-expect-error seconds are a number
SecondFactor({ maxAge: '300' })
// @ts-expect-error the second factor is missing
void (() => SecondFactorModule.forRoot({ everyHandler: true }))
