/** Where a command prints to. */
export interface Output {
  /** Octets are printed as they are. */
  stdout(text: string | Uint8Array): void
  stderr(text: string): void
}
