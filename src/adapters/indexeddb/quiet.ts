const ignore = (): void => undefined

/** A transaction whose end somebody may wait for; where something fails before, its own failure is nobody's error. */
export function quiet<Transaction extends { readonly done: Promise<unknown> }>(transaction: Transaction): Transaction {
  transaction.done.catch(ignore)
  return transaction
}

/** For requests whose failure shows in the end of their transaction. */
export function quietly(...requests: readonly Promise<unknown>[]): void {
  for (const request of requests) request.catch(ignore)
}

/** Several requests of one transaction. Where one cannot even be sent, those before it are nobody's error either. */
export async function together<Answers extends readonly unknown[]>(
  ...asks: { readonly [At in keyof Answers]: () => Promise<Answers[At]> }
): Promise<Answers> {
  const requests = asks.map((ask) => {
    const request = ask()
    quietly(request)
    return request
  })
  return (await Promise.all(requests)) as unknown as Answers
}
