import type { Signal } from './log-options.ts'

export function broadcastSignal(name: string): Signal | undefined {
  if (typeof BroadcastChannel === 'undefined') return undefined
  const channel = new BroadcastChannel(`holdfast:${name}`)
  ;(channel as { unref?: () => void }).unref?.()
  const listeners = new Set<() => void>()
  channel.onmessage = () => {
    for (const listener of listeners) listener()
  }
  return {
    tell: () => channel.postMessage(1),
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    close: () => channel.close(),
  }
}
