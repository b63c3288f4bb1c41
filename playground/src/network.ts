import { computed, signal } from '@preact/signals'

const reachable = signal(navigator.onLine)
addEventListener('online', () => (reachable.value = true))
addEventListener('offline', () => (reachable.value = false))

/** Whether the switch on this page takes the network away. */
export const unplugged = signal(false)

export const online = computed(() => reachable.value && !unplugged.value)

/** For the queue: the conditions that hold in this tab, and when they change. */
export const environment = {
  conditions: (): readonly string[] => (online.peek() ? ['online'] : []),
  onConditionsChange: (listener: () => void): (() => void) => online.subscribe(() => listener()),
}
