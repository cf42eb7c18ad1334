// For `checkJs`: more exact types for Node's declarations.

// The tests' servers listen at ports, never at paths, so `address()` is never a text.
declare module 'node:net' {
  interface Server {
    address(): AddressInfo
  }
}

// By `promisify` it takes options too.
declare module 'crypto' {
  namespace scrypt {
    function __promisify__(password: string, salt: string, length: number, options?: ScryptOptions): Promise<Buffer>
  }
}

export {}
