// The parts of NestJS that the adapter calls. They are declared here, so that the package is compiled without NestJS.
declare module '@nestjs/common' {
  type Decorate = ClassDecorator & MethodDecorator
  export class HttpException extends Error {
    constructor(body: string | Record<string, unknown>, status: number)
  }
  export const VERSION_NEUTRAL: unique symbol
  export function Module(options: object): ClassDecorator
  export function Injectable(): ClassDecorator
  export function Controller(options: { path: string; version: typeof VERSION_NEUTRAL }): ClassDecorator
  export function All(path: string): MethodDecorator
  export function Req(): ParameterDecorator
  export function Res(): ParameterDecorator
  export function Param(name: string): ParameterDecorator
  export function Inject(token: unknown): ParameterDecorator
  export function UseGuards(...guards: object[]): Decorate
  export function SetMetadata(key: string, value: unknown): Decorate
  export function applyDecorators(...decorators: Decorate[]): Decorate
  export function createParamDecorator<Context>(
    factory: (data: unknown, context: Context) => unknown,
  ): () => ParameterDecorator
}

declare module '@nestjs/core' {
  export const APP_GUARD: string
  export class HttpAdapterHost {
    readonly httpAdapter: unknown
  }
  export class ModuleRef {
    get<T>(token: abstract new (...args: never[]) => T, options: { strict: false }): T
  }
  export class ModulesContainer extends Map<string, { readonly controllers: Map<unknown, { metatype: unknown }> }> {}
  export class Reflector {
    get(key: string, target: object): unknown
  }
}
