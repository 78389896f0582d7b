/** The topics of one broker. `base` has no slash at its end. */
export class Topics {
  readonly base: string

  constructor(base: string) {
    this.base = base
  }

  /** `online`, or `offline` as the last will says. */
  get status(): string {
    return `${this.base}/status`
  }

  get state(): string {
    return `${this.base}/state`
  }

  get event(): string {
    return `${this.base}/event`
  }

  tunnelState(name: string): string {
    return `${this.base}/tunnel/${name}/state`
  }

  tunnelStats(name: string): string {
    return `${this.base}/tunnel/${name}/stats`
  }

  uplinkState(name: string): string {
    return `${this.base}/uplink/${topicLevel(name)}/state`
  }

  uplinkStats(name: string): string {
    return `${this.base}/uplink/${topicLevel(name)}/stats`
  }

  /** Where any command arrives, its name in the payload. */
  get commands(): string {
    return `${this.base}/cmd`
  }

  command(name: string): string {
    return `${this.base}/cmd/${name}`
  }

  /** Matches `commands` and each `command` (MQTT 5 section 4.7.1.2: the parent level too). */
  get commandFilter(): string {
    return `${this.base}/cmd/#`
  }

  /** The command that a message on this topic asks for; `''` where its payload names it; undefined if it is none. */
  commandOf(topic: string): string | undefined {
    if (topic === this.commands) return ''
    const prefix = `${this.commands}/`
    return topic.startsWith(prefix) ? topic.slice(prefix.length) : undefined
  }

  /** What `lifeline mqtt test` sends to itself. */
  get test(): string {
    return `${this.base}/test`
  }
}

/** The base topic where none is configured. */
export function defaultBase(node: string): string {
  return `lifeline/${topicLevel(node)}`
}

/** The client id where none is configured; `mark` differs from machine to machine, as names of hosts do not. */
export function defaultClientId(node: string, mark: string): string {
  return `lifeline-${node}-${mark}`
}

/** By what Home Assistant knows this machine: letters, digits, `_` and `-`, as its discovery topics allow. */
export function objectIdOf(node: string): string {
  return `lifeline_${node.replace(/[^A-Za-z0-9_-]/g, '_')}`
}

/** Where device-based discovery is announced. */
export function discoveryTopic(prefix: string, objectId: string): string {
  return `${prefix}/device/${objectId}/config`
}

/** Where Home Assistant says that it has started: its own topic, which stays the same under another prefix. */
export function birthTopics(prefix: string): readonly string[] {
  return [...new Set(['homeassistant/status', `${prefix}/status`])]
}

/** A name as one level of a topic: names of devices may hold wildcards. */
function topicLevel(name: string): string {
  return name.replace(/[+#/$\s]/g, '_')
}
