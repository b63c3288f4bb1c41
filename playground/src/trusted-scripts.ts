/** What this version of the DOM's types lacks. */
interface TrustedTypes {
  createPolicy(name: 'default', rules: { createScriptURL(address: string): string }): void
}

/**
 * The policy of the page asks who vouches for the address of a script, such as a worker's. This does, for scripts of the
 * page's own origin and no others, so that `new Worker(new URL(…), …)` needs no more words than elsewhere.
 */
export function trustOwnScripts(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  trustedTypes?.createPolicy('default', {
    createScriptURL: (address) => {
      if (new URL(address, location.href).origin !== location.origin) throw new Error(`${address} is not of this page`)
      return address
    },
  })
}
