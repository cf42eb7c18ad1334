// For `checkJs`: what the declarations of others do not say.

// Servers of the tests listen at ports, never at paths.
declare module 'node:net' {
  interface Server {
    address(): AddressInfo
  }
}

export {}
