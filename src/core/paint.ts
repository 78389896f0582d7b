/** What a piece of text says about the state of things; a terminal may show it as a colour. */
export type Tone = 'good' | 'busy' | 'bad' | 'quiet'

/** The text as it is shown in a tone. */
export type Paint = (tone: Tone, text: string) => string
