// The parts of Next that are used, so that our types need no Next.
declare module 'next/headers' {
  export function headers(): Promise<{ get(name: string): string | null }>
  export function cookies(): Promise<{ set(name: string, value: string, options: object): unknown }>
}

declare module 'next/navigation' {
  export function redirect(url: string): never
}
