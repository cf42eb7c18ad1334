// The guard of NestJS and its decorators. It sits on handlers, and asks in each kind of context; where it finds no request of a person, as
// in a microservice, nobody is let through.
import {
  applyDecorators,
  createParamDecorator,
  HttpException,
  Inject,
  Injectable,
  SetMetadata,
  UseGuards,
} from '@nestjs/common'
import { ModuleRef, Reflector } from '@nestjs/core'
import { noPerson, type PassRules, type Person } from '../adapter.js'
import { type NestContext, type NestModuleRef, partsOf } from './nestjs-request.js'
import { SecondFactorService } from './nestjs-service.js'

const RULES = 'countersign:rules'
const PUBLIC = 'countersign:public'
const reflector = new Reflector()

/** The calls that the guard has let through. All guards of a call get one context. */
const admitted = new WeakSet<NestContext>()
/** Request, or client of a WebSocket → handler → the person whom the guard let through to it. */
const people = new WeakMap<object, WeakMap<object, Person>>()

/**
 * The guard. Put it on handlers by {@link SecondFactor}; `everyHandler` of the module puts it on all of them.
 *
 * It depends on `ModuleRef` alone: a guard that depends on something of one request is skipped by NestJS in gateways.
 */
export class SecondFactorGuard {
  readonly #module: NestModuleRef

  /** NestJS makes it. */
  constructor(module: NestModuleRef) {
    this.#module = module
  }

  /** Whether the handler runs. In HTTP and GraphQL a refusal is an exception with status and body of the answer. */
  async canActivate(context: NestContext): Promise<boolean> {
    const rules = rulesOf(context)
    if (rules === PUBLIC) return Boolean(admitted.add(context))
    const admission = await this.#module.get(SecondFactorService, { strict: false }).admit(context, rules)
    if (admission?.person !== undefined) {
      keep(context, admission.person)
      return Boolean(admitted.add(context))
    }
    if (admission === undefined || context.getType() === 'ws') return false
    const { status, body } = admission.answer
    throw new HttpException(body ?? {}, status)
  }
}

Injectable()(SecondFactorGuard)
Inject(ModuleRef)(SecondFactorGuard, undefined, 0)

/**
 * Lets people through who are in, and whose second factor the rules take. Put it on a handler or on a class; the rules of a handler
 * take the place of those of its class.
 *
 * @example
 * ```ts
 * import { CurrentPerson, type Person, SecondFactor } from 'countersign/nestjs'
 *
 * // @Post('transfer') @SecondFactor({ maxAge: 300 }) transfer(@CurrentPerson() person: Person) { … }
 * export const AskAgain = () => SecondFactor({ maxAge: 300 })
 * export const by = CurrentPerson()
 * export const nameOf = (person: Person) => person.user
 * ```
 */
export const SecondFactor = (rules: PassRules = {}): ClassDecorator & MethodDecorator =>
  applyDecorators(SetMetadata(RULES, rules), UseGuards(SecondFactorGuard, HAS_ASKED))

/**
 * Behind the guard: NestJS skips a guard of whose class it finds no instance, as in a context that a library makes for a controller. It
 * skips no object.
 */
const HAS_ASKED = { canActivate: (context: NestContext): boolean => admitted.has(context) }

/**
 * Opens a handler, or the handlers of a class, that the guard would close. {@link SecondFactor} beside it, or nearer, closes it.
 *
 * @example
 * ```ts
 * import { Public } from 'countersign/nestjs'
 *
 * export class HealthController {
 *   isUp() {
 *     return { up: true }
 *   }
 * }
 * Public()(HealthController)
 * ```
 */
export const Public = (): ClassDecorator & MethodDecorator => SetMetadata(PUBLIC, true)

/** The person whom the guard of this handler has let through, as a parameter. Where there is no guard, the handler fails. */
export const CurrentPerson: () => ParameterDecorator = createParamDecorator((_data, context: NestContext) => {
  const holder = partsOf(context)?.holder
  return (holder && people.get(holder)?.get(context.getHandler())) ?? noPerson()
})

/** Whether a handler or class is open by a mark of its own: a class that extends an open one is closed. */
const isPublic = (target: object): boolean =>
  (Reflect as unknown as { hasOwnMetadata(key: string, target: object): boolean }).hasOwnMetadata(PUBLIC, target)

/** Whether a handler or class says itself who may reach it. @internal */
export const isMarked = (target: object): boolean => reflector.get(RULES, target) !== undefined || isPublic(target)

/** The rules of a handler, from the nearest mark. */
function rulesOf(context: NestContext): PassRules | typeof PUBLIC {
  for (const target of [context.getHandler(), context.getClass()]) {
    const rules = reflector.get(RULES, target) as PassRules | undefined
    if (rules !== undefined) return rules
    if (isPublic(target)) return PUBLIC
  }
  return {}
}

function keep(context: NestContext, person: Person): void {
  const { holder } = partsOf(context)!
  const byHandler = people.get(holder) ?? new WeakMap()
  people.set(holder, byHandler.set(context.getHandler(), person))
}
