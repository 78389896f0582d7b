import type { Surroundings } from '../../core/config/fitness.ts'
import type { TunnelConfig } from '../../core/config/types.ts'
import type { ProbeSample } from '../../core/failover/probing.ts'
import type { Failure } from '../../core/failure.ts'
import type { TunnelSession } from '../../core/system/session.ts'
import { after } from '../../core/time.ts'
import type { Devices, GuardedDevice } from '../kernel/devices.ts'
import { type Cancel, SystemError } from '../ports.ts'
import type { StatusWriter } from '../status-store.ts'
import type { AttemptRunner } from './attempt.ts'
import { Session, type SessionPorts } from './session.ts'
import { failureOfSystem } from './system-failure.ts'

/** What sessions and their device are made with. */
export interface SlotPorts extends SessionPorts {
  readonly devices: Devices
  readonly status: StatusWriter
}

/** Whose sessions the slot holds, and who is told what becomes of them. */
export interface SlotOptions {
  readonly tunnel: TunnelConfig
  /** What no address of a session may take the place of. */
  surroundings(): Surroundings
  /** Makes the kernel hold a session, or none; resolves once it does, rejects if it cannot. */
  onSession(session: TunnelSession | undefined): Promise<void>
  /** The kernel holds what the session is now. */
  onApplied(): void
  /** The kernel cannot hold the session of this attempt, which is of no use then. */
  onRefused(id: number): void
  onStatistics(live: Session): void
  onEchoed(echo: ProbeSample): void
  /** What is told of the session has news. */
  onStanding(): void
}

/** The tunnel device and the one session that it carries, which belongs to the attempt whose call was taken last. */
export class SessionSlot {
  readonly #options: SlotOptions
  readonly #ports: SlotPorts
  #current: { readonly id: number; readonly live: Session } | undefined
  #inKernel = false
  /** A session that has ended and whose last packets are still taken. */
  #lingering: { readonly live: Session; readonly cancel: Cancel } | undefined
  #lingerNext = 0

  constructor(options: SlotOptions, ports: SlotPorts) {
    this.#options = options
    this.#ports = ports
  }

  get live(): Session | undefined {
    return this.#current?.live
  }

  /** The kernel holds the session as it is, and packets can be answered over it. */
  get applied(): boolean {
    return this.#inKernel && (this.live?.standing.usable ?? false)
  }

  get device(): GuardedDevice | undefined {
    return this.#ports.devices.get(this.#options.tunnel.device)
  }

  belongsTo(id: number): boolean {
    return this.#current?.id === id
  }

  /** Gives the device to the session of an attempt; false, with a failure told, if there is no device to be had. */
  adopt(id: number, runner: AttemptRunner): boolean {
    const device = this.#open()
    if (!device) return false
    if (this.#current) this.drop(this.#current.id)
    this.#endLingering()
    this.#lingerNext = 0
    const live: Session = new Session(
      {
        runner,
        device,
        tunnel: this.#options.tunnel,
        surroundings: () => this.#options.surroundings(),
        echoInterval: this.#options.tunnel.echoInterval,
        onChange: (state) => this.#apply(id, live, state),
        onStatistics: () => this.#options.onStatistics(live),
        onEchoed: (echo) => this.#options.onEchoed(echo),
        onStanding: () => this.#options.onStanding(),
      },
      this.#ports,
    )
    this.#current = { id, live }
    return true
  }

  /** The packets of the session that is dropped next are still taken for `span` ms. */
  linger(span: number): void {
    this.#lingerNext = span
  }

  drop(id: number): void {
    if (this.#current?.id !== id) return
    const { live } = this.#current
    this.#current = undefined
    this.#inKernel = false
    const span = this.#lingerNext
    this.#lingerNext = 0
    if (span === 0) {
      this.#end(live)
      return
    }
    const { clock } = this.#ports
    this.#lingering = { live, cancel: clock.alarm(after(clock.now(), span), () => this.#endLingering()) }
  }

  /** Nothing is carried any more, lingering or not. */
  close(): void {
    if (this.#current) this.drop(this.#current.id)
    this.#endLingering()
  }

  #endLingering(): void {
    const lingering = this.#lingering
    this.#lingering = undefined
    lingering?.cancel()
    if (lingering) this.#end(lingering.live)
  }

  #end(live: Session): void {
    live.close()
    this.#options.onSession(undefined).catch((error: unknown) => {
      const tunnel = this.#options.tunnel.name
      this.#ports.log.error('the kernel still holds an ended session', { tunnel, error })
    })
  }

  async #apply(id: number, live: Session, state: TunnelSession): Promise<void> {
    try {
      await this.#options.onSession(state)
    } catch (error) {
      const { name: tunnel, device } = this.#options.tunnel
      this.#ports.status.failed(tunnel, kernelFailure(error, device))
      this.#options.onRefused(id)
      throw error
    }
    if (this.#current?.live !== live) return
    this.#inKernel = live.open
    this.#options.onApplied()
  }

  #open(): GuardedDevice | undefined {
    try {
      return this.#ports.devices.open(this.#options.tunnel.device)
    } catch (error) {
      this.#ports.status.failed(this.#options.tunnel.name, deviceFailure(error, this.#options.tunnel.device))
      return undefined
    }
  }
}

function deviceFailure(error: unknown, device: string): Failure {
  if (error instanceof SystemError && error.code === 'EBUSY') return { code: 'device_busy', device }
  return failureOfSystem(error, `open the device ${device}`)
}

function kernelFailure(error: unknown, device: string): Failure {
  if (error instanceof SystemError) return failureOfSystem(error, `set up the device ${device}`)
  return { code: 'firewall_refused', reason: error instanceof Error ? error.message : String(error) }
}
