import { computed, signal } from '@preact/signals'

const reachable = signal(navigator.onLine)
const look = (): void => void (reachable.value = navigator.onLine)
// A page that is back from where it stood still was not told what changed meanwhile.
for (const event of ['online', 'offline', 'pageshow']) addEventListener(event, look)
for (const event of ['visibilitychange', 'resume']) document.addEventListener(event, look)

/** Whether the switch on this page takes the network away. */
export const unplugged = signal(false)

export const online = computed(() => reachable.value && !unplugged.value)

/** For the queue: the conditions that hold in this tab, and when they change. */
export const environment = {
  conditions: (): readonly string[] => (online.peek() ? ['online'] : []),
  onConditionsChange: (listener: () => void): (() => void) => online.subscribe(() => listener()),
}
