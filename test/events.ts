import type { EventKind, StatusEvent } from '../src/core/status/event.ts'

type OfKind<Kind extends EventKind> = Extract<StatusEvent, { readonly event: Kind }>

/** Those events that are of one kind. */
export function ofKind<Kind extends EventKind>(events: readonly StatusEvent[], kind: Kind): OfKind<Kind>[] {
  return events.filter((event): event is OfKind<Kind> => event.event === kind)
}
