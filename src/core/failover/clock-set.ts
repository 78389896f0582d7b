/** The year of this program: an earlier clock has not been set since power came, as of a router without a battery. */
const FIRST_YEAR = 2026

/** Whether the wall clock (ms since 1970) shows a time that can be true. */
export function clockIsSet(wall: number): boolean {
  return new Date(wall).getUTCFullYear() >= FIRST_YEAR
}
