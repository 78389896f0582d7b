import { reasonText } from './reason-codes.ts'

/** Why a broker cannot be talked to, or does not do what it is asked. Texts of the broker must already be printable. */
export type BrokerFailure =
  // Before the first packet
  | { readonly code: 'file'; readonly option: string; readonly file: string; readonly cause: string }
  | { readonly code: 'name_not_found'; readonly host: string }
  | { readonly code: 'resolver_failed'; readonly host: string; readonly cause: string }
  | { readonly code: 'refused'; readonly broker: string }
  | { readonly code: 'unreachable'; readonly broker: string; readonly cause: string }
  | { readonly code: 'no_answer'; readonly broker: string }
  // TLS
  | { readonly code: 'tls_not_spoken'; readonly broker: string }
  | { readonly code: 'tls_needed'; readonly broker: string }
  | { readonly code: 'tls_name'; readonly wanted: string; readonly names: string }
  | { readonly code: 'tls_untrusted'; readonly cause: string }
  | { readonly code: 'tls_expired' }
  | { readonly code: 'clock_not_set' }
  | { readonly code: 'tls_client_certificate'; readonly cause: string }
  | { readonly code: 'tls'; readonly cause: string }
  // MQTT
  | { readonly code: 'login' }
  | { readonly code: 'not_authorized' }
  | { readonly code: 'protocol_version' }
  | { readonly code: 'client_id'; readonly clientId: string }
  | { readonly code: 'busy'; readonly reason: number }
  | { readonly code: 'connection_refused'; readonly reason: number }
  | { readonly code: 'closed_early' }
  | { readonly code: 'closed' }
  | { readonly code: 'closed_by_broker'; readonly reason: number }
  | { readonly code: 'taken_over'; readonly clientId: string }
  | { readonly code: 'silent'; readonly seconds: number }
  | { readonly code: 'lost'; readonly cause: string }
  | { readonly code: 'nonsense'; readonly cause: string }
  // One message
  | { readonly code: 'not_allowed'; readonly topic: string }
  | { readonly code: 'not_taken'; readonly topic: string; readonly reason: number }

/** One sentence without a capital letter and without a full stop: what happened, and what to do where it can be known. */
export function brokerFailureMessage(failure: BrokerFailure): string {
  switch (failure.code) {
    case 'file':
      return `the file ${failure.file} cannot be used: ${failure.cause} (option ${failure.option})`
    case 'name_not_found':
      return `the broker's name ${failure.host} does not exist: check option url`
    case 'resolver_failed':
      return `the broker's name ${failure.host} cannot be looked up: ${failure.cause}`
    case 'refused':
      return `nothing listens at ${failure.broker}: the broker is down, or the port is wrong`
    case 'unreachable':
      return `the broker ${failure.broker} cannot be reached: ${failure.cause}`
    case 'no_answer':
      return `the broker ${failure.broker} does not answer: its address may be wrong, or something on the way drops the connection`
    case 'tls_not_spoken':
      return `what listens at ${failure.broker} does not speak TLS: use mqtt:// with that port, or the port of TLS (usually 8883)`
    case 'tls_needed':
      return `the broker ${failure.broker} closed the connection at once: it may want TLS (mqtts://, usually port 8883)`
    case 'tls_name':
      return `the certificate of the broker is for another name: it is for ${failure.names || 'none'} and not for ${failure.wanted} (option server_name says which name to expect)`
    case 'tls_untrusted':
      return `the certificate of the broker is signed by nobody that is trusted here (${failure.cause}): name the authority's certificate with option ca_file`
    case 'tls_expired':
      return 'the certificate of the broker has expired, or the clock of this machine is ahead'
    case 'clock_not_set':
      return 'clock not set: the certificate of the broker is not valid yet by the clock of this machine; the connection is tried again when the clock is set'
    case 'tls_client_certificate':
      return `the broker does not take our certificate (${failure.cause}): check options cert_file and key_file`
    case 'tls':
      return `TLS with the broker failed: ${failure.cause}`
    case 'login':
      return 'the broker refused user name or password'
    case 'not_authorized':
      return 'the broker does not let us in: user name or password is missing or wrong, or its rules forbid it'
    case 'protocol_version':
      return 'the broker does not speak this version of MQTT: set option protocol'
    case 'client_id':
      return `the broker does not take the client id ${failure.clientId}: set option client_id`
    case 'busy':
      return `the broker takes no connections now: ${reasonText(failure.reason)}`
    case 'connection_refused':
      return `the broker refused the connection: ${reasonText(failure.reason)}`
    case 'closed_early':
      return 'the broker closed the connection without a word: it may refuse the login, want another version of MQTT, or be no broker'
    case 'closed':
      return 'the broker closed the connection'
    case 'closed_by_broker':
      return `the broker closed the connection: ${reasonText(failure.reason)}`
    case 'taken_over':
      return `another client came with the client id ${failure.clientId}, so the broker sent us away: set option client_id`
    case 'silent':
      return `the broker did not acknowledge anything for ${failure.seconds} s`
    case 'lost':
      return `the connection to the broker broke: ${failure.cause}`
    case 'nonsense':
      return `what the broker sends is not MQTT: ${failure.cause}`
    case 'not_allowed':
      return `the broker does not allow us the topic ${failure.topic}: its access rules (ACL) must let us`
    case 'not_taken':
      return `the broker did not take a message on ${failure.topic}: ${reasonText(failure.reason)}`
  }
}

/** The reason in a CONNACK: MQTT 3.1.1 section 3.2.2.3 (1 to 5), MQTT 5 section 3.2.2.2 (128 and above). */
export function connectionRefusal(reason: number, clientId: string): BrokerFailure {
  switch (reason) {
    case 1:
    case 0x84:
      return { code: 'protocol_version' }
    case 2:
    case 0x85:
      return { code: 'client_id', clientId }
    case 4:
    case 0x86:
      return { code: 'login' }
    case 5:
    case 0x87:
      return { code: 'not_authorized' }
    case 3:
    case 0x88:
    case 0x89:
      return { code: 'busy', reason }
    default:
      return { code: 'connection_refused', reason }
  }
}

/** The reason in an acknowledgement of one message or subscription (MQTT 5 sections 3.4.2.1 and 3.9.3). */
export function messageRefusal(reason: number, topic: string): BrokerFailure {
  // MQTT 3.1.1 section 3.9.3 knows 0x80 only.
  return reason === 0x87 || reason === 0x80
    ? { code: 'not_allowed', topic }
    : { code: 'not_taken', topic, reason }
}

/** What a broker does not do, or why it cannot be talked to. */
export class BrokerError extends Error {
  readonly failure: BrokerFailure

  constructor(failure: BrokerFailure, options?: ErrorOptions) {
    super(brokerFailureMessage(failure), options)
    this.name = 'BrokerError'
    this.failure = failure
  }
}
