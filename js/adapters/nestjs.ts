/**
 * The second factor in NestJS, 11 and 12, on Express and Fastify: a module with the routes of the second factor, a guard for handlers of
 * every kind, and a service for logins.
 *
 * @packageDocumentation
 */
import { All, Controller, Inject, Module, Param, Req, Res, VERSION_NEUTRAL } from '@nestjs/common'
import { APP_GUARD, ModuleRef, ModulesContainer, Reflector } from '@nestjs/core'
import { CountersignError } from '../adapter.js'
import { isMarked, Public, SecondFactorGuard } from './nestjs-guard.js'
import type { NestModuleRef, NestRequest } from './nestjs-request.js'
import { type NestOptions, OPTIONS, SecondFactorService } from './nestjs-service.js'

export type {
  AdapterOptions,
  AdapterPages,
  HostUser,
  LoginInput,
  PassRules,
  Person,
  SessionPlace,
  UserFacts,
} from '../adapter.js'
export { CurrentPerson, Public, SecondFactor, SecondFactorGuard } from './nestjs-guard.js'
export type { NestContext, NestModuleRef, NestRequest } from './nestjs-request.js'
export { type NestOptions, SecondFactorService } from './nestjs-service.js'

/** The parts of the module that do not wait for anything. */
export interface NestPlacement {
  /** The path of the routes; `second-factor` by default. A global prefix of the app stands before it, a version does not. */
  path?: string | undefined
  /** Whether the guard is on every handler that has no `@Public()`. */
  everyHandler?: boolean | undefined
}

/** Options of the module that are made by a factory. */
export interface NestAsyncOptions extends NestPlacement {
  /** Modules whose providers the factory takes. */
  imports?: any[] | undefined
  /** Tokens of the providers that the factory takes. None may belong to one request. */
  inject?: any[] | undefined
  /** Makes the options. */
  useFactory: (...providers: any[]) => NestOptions | Promise<NestOptions>
}

/** The part of `ModulesContainer` that is used. */
export type NestModules = ReadonlyMap<string, { readonly controllers: NestWrappers; readonly providers: NestWrappers }>

/** Controllers or providers of a module, with their classes. */
export type NestWrappers = ReadonlyMap<unknown, { readonly metatype: unknown }>

/** A module as NestJS imports it. */
export interface NestDynamicModule {
  /** Its class. */
  module: typeof SecondFactorModule
  /** It is there for every module. */
  global: true
  /** The modules whose providers it takes. */
  imports: any[]
  /** Its controllers. */
  controllers: any[]
  /** Its providers. */
  providers: any[]
  /** The providers for all others. */
  exports: any[]
}

/**
 * The module. Import it once, in the root module.
 *
 * @example
 * ```ts
 * import type { SecondFactor } from 'countersign'
 * import { SecondFactorModule } from 'countersign/nestjs'
 *
 * export const importsOf = (secondFactor: SecondFactor) => [SecondFactorModule.forRoot({ secondFactor, everyHandler: true })]
 * ```
 */
export class SecondFactorModule {
  readonly #module: NestModuleRef

  /** NestJS makes it. */
  constructor(module: NestModuleRef, modules: NestModules, { everyHandler }: NestPlacement) {
    this.#module = module
    refuseTwo(modules)
    if (everyHandler) refuseUnmarkedMessages(modules)
  }

  /** Fails at the start where the options belong to one request, so that there is no service for the guard. @internal */
  onModuleInit(): void {
    this.#module.get(SecondFactorService, { strict: false })
  }

  /** The module with these options. */
  static forRoot({ path, everyHandler, ...options }: NestOptions & NestPlacement): NestDynamicModule {
    return SecondFactorModule.forRootAsync({ path, everyHandler, useFactory: () => options })
  }

  /** The module with the options that a factory makes of your providers. */
  static forRootAsync({
    path = 'second-factor',
    everyHandler,
    imports,
    inject,
    useFactory,
  }: NestAsyncOptions): NestDynamicModule {
    const providers: unknown[] = [
      { provide: OPTIONS, inject: inject ?? [], useFactory },
      { provide: PLACEMENT, useValue: { everyHandler } },
      SecondFactorService,
      SecondFactorGuard,
    ]
    if (everyHandler) providers.push({ provide: APP_GUARD, useExisting: SecondFactorGuard })
    return {
      ...{ module: SecondFactorModule, global: true, imports: imports ?? [], controllers: [controllerAt(path)] },
      ...{ providers, exports: [SecondFactorService, SecondFactorGuard] },
    }
  }
}

const PLACEMENT = Symbol('placement of Countersign')

Module({})(SecondFactorModule)
Inject(ModuleRef)(SecondFactorModule, undefined, 0)
Inject(ModulesContainer)(SecondFactorModule, undefined, 1)
Inject(PLACEMENT)(SecondFactorModule, undefined, 2)

/** The routes. They are those of every adapter, and ask for themselves who may use them. */
function controllerAt(path: string) {
  class SecondFactorController {
    readonly #service: SecondFactorService
    constructor(service: SecondFactorService) {
      this.#service = service
    }
    act(req: NestRequest, res: unknown, name: string): Promise<void> {
      return this.#service.act(req, res, name)
    }
  }
  const { prototype } = SecondFactorController
  Controller({ path, version: VERSION_NEUTRAL })(SecondFactorController)
  Public()(SecondFactorController)
  Inject(SecondFactorService)(SecondFactorController, undefined, 0)
  All(':action')(prototype, 'act', Object.getOwnPropertyDescriptor(prototype, 'act')!)
  for (const [index, decorate] of [Req(), Res(), Param('action')].entries()) decorate(prototype, 'act', index)
  return SecondFactorController
}

const reflector = new Reflector()
/** The keys under which `@nestjs/microservices` and `@nestjs/websockets` mark a handler of messages. */
const MESSAGE_KEYS = ['microservices:pattern', 'websockets:message_mapping']

/** Handlers find one guard and one service by their classes: with two modules, a login of one would open handlers of the other. */
function refuseTwo(modules: NestModules): void {
  const found = [...modules.values()].filter(({ providers }) => providers.has(SecondFactorService))
  if (found.length > 1)
    throw new CountersignError(
      'invalid_input',
      '',
      'import SecondFactorModule once: an app of NestJS has one second factor',
    )
}

/**
 * A microservice beside an HTTP app has no global guards, unless `inheritAppConfig` is set, and a gateway of NestJS 11 has none. So a handler
 * of messages must say itself who may reach it.
 */
function refuseUnmarkedMessages(modules: NestModules): void {
  for (const { controllers, providers } of modules.values()) {
    for (const { metatype } of [...controllers.values(), ...providers.values()]) {
      if (typeof metatype !== 'function' || isMarked(metatype)) continue
      for (const [name, method] of methodsOf(metatype.prototype)) {
        if (MESSAGE_KEYS.every((key) => reflector.get(key, method) === undefined) || isMarked(method)) continue
        const message = 'handles messages: put `@SecondFactor()` on it, or `@Public()` to open it'
        throw new CountersignError('no_guard', `${metatype.name}.${name}`, message)
      }
    }
  }
}

/** The methods of a class and of those it extends. */
function methodsOf(prototype: object | null | undefined): [string, object][] {
  if (prototype === null || prototype === undefined || prototype === Object.prototype) return []
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype)).flatMap(
    ([name, { value }]): [string, object][] =>
      typeof value === 'function' && name !== 'constructor' ? [[name, value]] : [],
  )
  return [...own, ...methodsOf(Object.getPrototypeOf(prototype))]
}
