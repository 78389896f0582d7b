/** How the small networks are put together: hosts, each a network namespace, which come and go as one. */
import { type Namespace, NamespaceGroup } from './namespace.ts'

export type Hosts<Name extends string> = Readonly<Record<Name, Namespace>>

export interface Assembled {
  /** A folder for files, removed with the network. */
  readonly folder: string
  /** Ends all processes and removes all hosts. */
  close(): Promise<void>
}

/**
 * Makes the hosts and has `wire` join them and start what runs there; `atEnd` is told what goes before the hosts do. Where
 * that fails, nothing stays.
 */
export async function assemble<const Name extends string, T extends object>(
  names: readonly Name[],
  wire: (hosts: Hosts<Name>, atEnd: (stop: () => Promise<void>) => void) => Promise<T>,
): Promise<T & Assembled> {
  const group = new NamespaceGroup()
  const stops: (() => Promise<void>)[] = []
  try {
    const spaces = await group.add(...names)
    const hosts = Object.fromEntries(names.map((name, i) => [name, spaces[i]])) as Hosts<Name>
    const made = await wire(hosts, (stop) => stops.push(stop))
    return Object.assign(made, {
      folder: group.folder,
      async close() {
        for (const stop of stops) await stop()
        group.remove()
      },
    })
  } catch (error) {
    group.remove()
    throw error
  }
}
