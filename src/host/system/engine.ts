/** The half of the port that this program runs on: where another engine runs it, its build puts the other half here. */
export { system } from './node.ts'
