/** `config mqtt 'NAME'`: a broker to which the state of things is published. */
import { COMMANDS } from '../commands.ts'
import { charactersOf, duration, flag, oneOf, path, secret, text } from './kinds.ts'
import { type BrokerUrl, brokerUrl, topicPrefix } from './mqtt-kinds.ts'
import { aside, type Properties, propertiesOf } from './properties.ts'
import { type BuildContext, list, one, type Section, type Values } from './schema.ts'
import { secretOf } from './secret-option.ts'

const LOGIN_OCTETS = 1024
const CLIENT_ID_OCTETS = 256
const commandNames = COMMANDS.filter(({ surfaces }) => surfaces.includes('mqtt')).map(({ name }) => name)

const options = {
  url: one(brokerUrl, { doc: 'The broker.', required: true }),
  username: one(text(LOGIN_OCTETS), { doc: 'Login at the broker.' }),
  password: one(secret(LOGIN_OCTETS), {
    doc: 'Password of the login. Either this, `password_file`, or none.',
  }),
  password_file: aside(
    one(path, {
      doc: 'File with the password; one line break at its end does not count.',
    }),
  ),
  /** PEM files are read anew for each connection; undefined: the system's authorities are trusted. */
  ca_file: one(path, {
    doc: 'PEM file with the authorities that may have signed the certificate of the broker.',
    defaultText: 'the authorities that Node.js trusts',
  }),
  cert_file: one(path, { doc: 'PEM file with our own certificate, for brokers that ask for one.' }),
  key_file: one(path, { doc: 'PEM file with the key of our certificate.' }),
  /** Undefined means the host of the URL. */
  server_name: one(charactersOf('server name', 'A-Za-z0-9._:-', 253, 'the characters of host names'), {
    doc: 'The name that the certificate of the broker must bear.',
    defaultText: 'the host in `url`',
  }),
  accept_any_certificate: one(flag, {
    doc: '1 takes whoever answers for the broker: anyone on the way can read the password and send commands.',
    default: '0',
  }),
  /** Undefined means `lifeline-NODE-MARK`, with six digits that follow from the hardware. */
  client_id: one(text(CLIENT_ID_OCTETS), {
    doc: 'Name of this client at the broker. No other client may bear it.',
    defaultText: 'lifeline-NODE-MARK, where MARK follows from the hardware',
  }),
  /** Undefined means `lifeline/NODE`. */
  base_topic: one(topicPrefix, {
    doc: 'Topic below which everything of ours lies.',
    defaultText: 'lifeline/NODE',
  }),
  discovery: one(flag, { doc: 'Tell Home Assistant which entities there are.', default: '1' }),
  discovery_prefix: one(topicPrefix, {
    doc: 'Topic below which Home Assistant looks for them.',
    default: 'homeassistant',
  }),
  stats_interval: one(duration('1s', '1h'), {
    doc: 'Time between two messages with rates, volumes and round-trip times.',
    default: '30',
  }),
  /** Names; empty means none. */
  commands: list(oneOf(...commandNames), {
    doc: 'Commands that are obeyed when they arrive over MQTT. Without any, nothing is subscribed to for them.',
  }),
  protocol: one(oneOf('5', '3.1.1'), {
    doc: 'Version of MQTT. With 5 the broker says why it refuses something.',
    default: '5',
  }),
  enabled: one(flag, { doc: '0 leaves the broker out.', default: '1' }),
}

type MqttValues = Values<typeof options>

/** `config mqtt 'NAME'`: a broker to which the state of things is published. */
export interface MqttConfig extends Properties<typeof options> {
  readonly name: string
  readonly url: BrokerUrl
}

/** Section `mqtt`: a broker. */
export const mqtt: Section<typeof options, MqttConfig> = {
  type: 'mqtt',
  doc: 'An MQTT broker that is told the state of things, and through it Home Assistant: see docs/mqtt.md and docs/home-assistant.md.',
  options,
  build(values: MqttValues, context) {
    const { password: value, password_file: file } = values
    const password = secretOf({ name: 'password', option: options.password, value, file }, context)
    if (context.enabled) check(values, context)
    return {
      name: context.name,
      ...propertiesOf(options, values),
      url: values.url ?? { tls: false, host: '', port: 0 },
      password,
    }
  },
}

const TLS_OPTIONS = ['ca_file', 'cert_file', 'key_file', 'server_name', 'accept_any_certificate']

/** What the single values cannot show. */
function check(values: MqttValues, { given, report }: BuildContext): void {
  if (values.url?.tls === false)
    for (const option of TLS_OPTIONS.filter(given))
      report({ option, reason: 'it has no effect without TLS', allowed: 'only with a url of mqtts://' })
  if (given('cert_file') !== given('key_file')) {
    const [option, other] = given('cert_file') ? ['cert_file', 'key_file'] : ['key_file', 'cert_file']
    report({ option, reason: `'${other}' is missing`, allowed: 'both or neither' })
  }
  // MQTT 3.1.1 section 3.1.2.9: without a user name there is no password. MQTT 5 lifted that.
  if (!given('username') && (given('password') || given('password_file')) && values.protocol === '3.1.1')
    report({ reason: "there is a password without a 'username'", allowed: 'both, neither, or protocol 5' })
}
