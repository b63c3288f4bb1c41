/** What this version of the DOM's types lacks. A policy's answer is an object that stands for the text. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string }
}

let policy: ReturnType<TrustedTypes['createPolicy']> | null = null

/** An address of a script of this page's own, for where the policy of the page asks who vouches for it. */
export function trustedScript(url: URL): string {
  if (url.origin !== location.origin) throw new Error(`${url.href} is not of this page`)
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  if (trustedTypes === undefined) return url.href
  policy ??= trustedTypes.createPolicy('own-scripts', { createScriptURL: (own) => own })
  return policy.createScriptURL(url.href)
}
