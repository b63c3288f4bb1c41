/** What this version of the DOM's types lacks. */
interface TrustedTypes {
  createPolicy(name: 'default', rules: { createScriptURL(address: string): string }): void
}

/**
 * The policy of the page asks who vouches for the address of a script, such as a worker's. This does, for scripts of the
 * page's own server and no others, so that `new Worker(new URL(…), …)` needs no more words than elsewhere.
 */
export function trustOwnScripts(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  trustedTypes?.createPolicy('default', {
    createScriptURL: (address) => {
      const { origin, protocol } = new URL(address, location.href)
      // A `blob:` that somebody made in the page has its origin, too.
      if (origin !== location.origin || protocol !== location.protocol)
        throw new Error(`${address} is not of this page`)
      return address
    },
  })
}
